package nvr

import (
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

func newLocalIDs(taken ...string) *localIDs {
	l := &localIDs{taken: make(map[string]bool), reserved: make(map[string]identity.PeerID)}
	for _, id := range taken {
		l.taken[id] = true
	}
	return l
}

func TestLocalIDs_AreGoodAndDifferent(t *testing.T) {
	ids := newLocalIDs("front")
	long := strings.Repeat("a", signaling.MaxCameraID)
	seen := map[string]bool{"front": true}
	for _, c := range []struct{ prefix, remote, want string }{
		{"", "yard", "yard"},
		{"", "front", "front-2"},
		{"", "front", "front-3"},
		{"barn-", "front", "barn-front"},
		{"", long, long},
		{"", long, long[:len(long)-2] + "-2"},
		{"barn-", long, ""},
		{"", "../etc/passwd", ""},
		{"_", "a", ""},
		{"", "", ""},
	} {
		id := ids.give("", c.prefix, c.remote)
		if err := signaling.ValidateCameraID(id); err != nil || seen[id] || c.want != "" && id != c.want {
			t.Errorf("%q and %q give %q: %v", c.prefix, c.remote, id, err)
		}
		if !fitsID(c.prefix, c.remote, id) {
			t.Errorf("%q would not be kept for %q and %q", id, c.prefix, c.remote)
		}
		seen[id] = true
	}
	for _, c := range []struct{ prefix, remote, id string }{
		{"barn-", "front", "front"}, {"", "front", "barn-front"}, {"", "front", "front-"}, {"", "front", "front-x"}, {"", "front", "fro-2"}, {"", "front", ""},
	} {
		if fitsID(c.prefix, c.remote, c.id) {
			t.Errorf("%q would be kept for %q and %q", c.id, c.prefix, c.remote)
		}
	}
}

func TestPrintableName_CanBeShown(t *testing.T) {
	for name, want := range map[string]string{
		" Front door ": "Front door", "a\x1b[31mb\n": "a[31mb", "\xffx": "x", "Tür": "Tür", strings.Repeat("ä", 200): strings.Repeat("ä", maxRemoteName),
	} {
		if got := printableName(name); got != want || printableName(got) != got {
			t.Errorf("%q becomes %q", name, got)
		}
	}
}
