package trust

import (
	"slices"
	"testing"

	"github.com/sightline-cam/sightline/internal/access"
)

func TestPlaces_AreThoseWhereTheGrantIsGood(t *testing.T) {
	h := paired(t, "")
	recorder, attic := newPeer(t).PeerID(), newPeer(t).PeerID()
	if p := h.as(h.owner); len(h.Places(p)) != 0 {
		t.Error("there are places before there is a list")
	}
	h.put(func(l *access.List) {
		l.Publishers = []access.Publisher{
			{ID: h.peer(), Name: "here", Kind: access.KindAgent}, {ID: recorder, Name: "recorder", Kind: access.KindRecorder},
			{ID: attic, Name: "attic", Kind: access.KindAgent},
		}
	})
	everywhere, here, there := newPeer(t), newPeer(t), newPeer(t)
	in := func(cameras ...string) access.Scope {
		return access.Scope{Rights: []access.Right{access.Live}, Cameras: cameras}
	}
	for name, tt := range map[string]struct {
		p    *Principal
		want []string
	}{
		"an owner":                   {h.as(h.owner), []string{"recorder", "attic"}},
		"a guest of the home":        {h.as(everywhere, h.grant(everywhere, in(access.AnyCamera))), []string{"recorder", "attic"}},
		"a guest of this device":     {h.as(here, h.grant(here, in(access.CamerasOf(h.peer())))), nil},
		"a guest of one camera more": {h.as(there, h.grant(there, in(access.CamerasOf(h.peer()), access.CameraOf(attic, "stairs")))), []string{"attic"}},
		"the console":                {h.Console(), nil},
	} {
		var names []string
		for _, place := range h.Places(tt.p) {
			names = append(names, place.Name)
		}
		if !slices.Equal(names, tt.want) {
			t.Errorf("%s: %v, want %v", name, names, tt.want)
		}
	}
}
