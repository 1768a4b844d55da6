package nvr

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/internal/identity"
)

func newPeer(t testing.TB) identity.PeerID {
	t.Helper()
	id, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return id.PeerID()
}

func openMemory(t testing.TB, path string) *RemoteMemory {
	t.Helper()
	m, err := OpenRemoteMemory(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestRemoteMemory_OutlivesTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), RemotesFile)
	m, a, b := openMemory(t, path), newPeer(t), newPeer(t)
	if _, err := os.Stat(path); err == nil {
		t.Error("there is a file although nothing is known")
	}
	for _, err := range []error{
		m.SetClaimed(a, "secret"),
		m.change(a, "front", func(c *rememberedCamera) {
			c.Local, c.Name, c.TestPattern = "barn-front", "Front", true
			c.setUntil("main", 1000)
			c.setUntil("sub", 2000)
			c.setUntil("main", 3000)
		}),
		m.change(b, "front", func(c *rememberedCamera) { c.Local, c.Gone = "front", true }),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(text), "secret") {
		t.Errorf("%v: the file is %s", err, text)
	}
	again := openMemory(t, path)
	if !again.Claimed(a, "secret") || again.Claimed(a, "another") || again.Claimed(b, "secret") {
		t.Error("what was claimed is not what is remembered")
	}
	if d := cmp.Diff([]rememberedCamera{{
		ID: "front", Local: "barn-front", Name: "Front", TestPattern: true, Deleted: []deletedUntil{{"main", 3000}, {"sub", 2000}},
	}}, again.cameras(a)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]identity.PeerID{"barn-front": a, "front": b}, again.locals()); d != "" {
		t.Error(d)
	}
	if again.owner("front") != b || again.owner("yard") != "" {
		t.Error("it is not known whose a camera is")
	}
	if err := again.forget(b, map[string]bool{"front": true}); err != nil || len(again.cameras(b)) != 1 {
		t.Errorf("what there are recordings of was forgotten: %v", err)
	}
	for _, peer := range []identity.PeerID{a, b} {
		if err := again.forget(peer, nil); err != nil {
			t.Error(err)
		}
	}
	if len(again.cameras(a)) != 1 || len(openMemory(t, path).cameras(b)) != 0 {
		t.Error("what is gone was not forgotten")
	}
}

func TestRemoteMemory_ADamagedFileIsPutAsideAndNotInTheWay(t *testing.T) {
	path := filepath.Join(t.TempDir(), RemotesFile)
	if err := os.WriteFile(path, []byte(`{"version":1,"agents":[]}x`), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := OpenRemoteMemory(path)
	damaged, ok := errors.AsType[*DamagedRemotesError](err)
	if !ok || m == nil || !strings.Contains(err.Error(), "is kept as") {
		t.Fatalf("%v, %v", m, err)
	}
	if _, err := os.Stat(damaged.Aside); err != nil {
		t.Error(err)
	}
	if err := m.SetClaimed(newPeer(t), "secret"); err != nil {
		t.Error(err)
	}
	openMemory(t, path)
}

func TestParseRemotes_RefusesWhatItCouldNotHaveWritten(t *testing.T) {
	peer := `"` + string(newPeer(t)) + `"`
	camera := func(fields string) string {
		return `{"version":1,"agents":[{"peer":` + peer + `,"cameras":[` + fields + `]}]}`
	}
	for name, text := range map[string]string{
		"nothing":            ``,
		"another version":    `{"version":2,"agents":[]}`,
		"an unknown name":    `{"version":1,"agents":[],"x":1}`,
		"no peer":            `{"version":1,"agents":[{"peer":"x"}]}`,
		"a peer twice":       `{"version":1,"agents":[{"peer":` + peer + `},{"peer":` + peer + `}]}`,
		"no id":              camera(`{"local":"a"}`),
		"a path for an id":   camera(`{"id":"a","local":"../a"}`),
		"an id twice":        camera(`{"id":"a","local":"a"},{"id":"a","local":"b"}`),
		"an id here twice":   camera(`{"id":"a","local":"a"},{"id":"b","local":"a"}`),
		"a name of controls": camera(`{"id":"a","local":"a","name":"\u0007"}`),
		"a strange stream":   camera(`{"id":"a","local":"a","deleted":[{"rendition":"x","untilUs":1}]}`),
		"a claim in clear":   `{"version":1,"agents":[{"peer":` + peer + `,"claimed":["x"]}]}`,
	} {
		if agents, err := parseRemotes([]byte(text)); err == nil {
			t.Errorf("%s was taken: %+v", name, agents)
		}
	}
	if _, err := parseRemotes([]byte(camera(`{"id":"Anything else","local":"camera-1","name":"Ä"}`))); err != nil {
		t.Error(err)
	}
}

func FuzzParseRemotes(f *testing.F) {
	peer := string(newPeer(f))
	f.Add([]byte(`{"version":1,"agents":[{"peer":"` + peer + `","claimed":["aaaaaaaaaaaaaaaaaaaaaa"],"cameras":[{"id":"a","local":"a-2","name":"A","gone":true,"deleted":[{"rendition":"main","untilUs":1}]}]}]}`))
	f.Add([]byte(`{"version":1,"agents":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		agents, err := parseRemotes(data)
		if err != nil {
			return
		}
		m := &RemoteMemory{path: filepath.Join(t.TempDir(), RemotesFile), agents: agents}
		if err := m.saveLocked(); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(m.locals(), openMemory(t, m.path).locals()); d != "" {
			t.Error(d)
		}
	})
}
