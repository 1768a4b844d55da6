//go:build linux

package vm

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// folder makes a folder of the cache as build leaves it, of empty modules.
func folder(t *testing.T, cache, release string) string {
	t.Helper()
	dir := filepath.Join(cache, "v"+layout+"-"+release)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	m := manifest{Release: release, Files: map[string]string{}}
	names := []string{imageName}
	for _, name := range kept() {
		names = append(names, name+".ko")
	}
	for _, name := range names {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(name+" of "+release), 0o600); err != nil {
			t.Fatal(err)
		}
		var err error
		if m.Files[name], err = sum(path); err != nil {
			t.Fatal(err)
		}
	}
	write(t, dir, m)
	return dir
}

func write(t *testing.T, dir string, m manifest) {
	t.Helper()
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, manifestFile), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestOpen_RefusesWhatIsNotWhole(t *testing.T) {
	for name, spoil := range map[string]func(dir string) error{
		"a module is shorter": func(dir string) error { return os.Truncate(filepath.Join(dir, "vivid.ko"), 3) },
		"the kernel is gone":  func(dir string) error { return os.Remove(filepath.Join(dir, imageName)) },
		"no manifest":         func(dir string) error { return os.Remove(filepath.Join(dir, manifestFile)) },
		"half a manifest":     func(dir string) error { return os.Truncate(filepath.Join(dir, manifestFile), 30) },
		"a module was never there": func(dir string) error {
			write(t, dir, manifest{Release: "1", Files: map[string]string{}})
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, t.TempDir(), "1")
			if _, err := open(dir); err != nil {
				t.Fatal(err)
			}
			if err := spoil(dir); err != nil {
				t.Fatal(err)
			}
			if k, err := open(dir); err == nil {
				t.Errorf("opened as %s", k.Release)
			}
		})
	}
}

func TestNewest_IsTheLastThatIsWhole(t *testing.T) {
	cache := t.TempDir()
	if k := newest(cache); k != nil {
		t.Errorf("an empty cache has %s", k.Release)
	}
	for i, release := range []string{"3", "1", "2"} {
		at := time.Unix(int64(1000+i), 0)
		if err := os.Chtimes(filepath.Join(folder(t, cache, release), manifestFile), at, at); err != nil {
			t.Fatal(err)
		}
	}
	if k := newest(cache); k == nil || k.Release != "2" {
		t.Errorf("the newest is %+v", k)
	}
	if err := os.Truncate(filepath.Join(cache, "v"+layout+"-2", imageName), 0); err != nil {
		t.Fatal(err)
	}
	if k := newest(cache); k == nil || k.Release != "1" {
		t.Errorf("the newest that is whole is %+v", k)
	}
}

func TestFatal_KnowsWhatAKernelSaysAtItsEnd(t *testing.T) {
	for line, want := range map[string]bool{
		"[    1.5] Kernel panic - not syncing: Attempted to kill init!":               true,
		"[    1.5] BUG: kernel NULL pointer dereference, address: 0000000000000008":   true,
		"[    1.5] Oops: 0002 [#1] PREEMPT SMP":                                       true,
		"[    1.5] Out of memory: Killed process 120 (sightline)":                     true,
		"[    1.5] v4l2loopback: loading out-of-tree module taints kernel.":           false,
		"[    1.5] printk: debug: ignoring loglevel setting.":                         false,
		"[    1.5] EDAC MC: Ver: 3.0.0, and nothing that a debugger calls a BUGcheck": false,
	} {
		if got := fatal().MatchString("boot\n" + line + "\nmore"); got != want {
			t.Errorf("%v for %s", got, line)
		}
	}
}

func TestArchive_IsOneThatTheKernelReads(t *testing.T) {
	a := &archive{}
	a.add("/lib/x/one.ko", 0o644, []byte("module"))
	a.add("init", 0o755, []byte("#!"))
	data := a.bytes()
	type entry struct{ name, mode, data string }
	var got []entry
	for len(data) > 0 {
		header := string(data[:110])
		if !strings.HasPrefix(header, "070701") {
			t.Fatalf("no header: %q", header)
		}
		field := func(n int) (v int) {
			for _, c := range header[6+8*n:][:8] {
				v = v*16 + strings.IndexRune("0123456789abcdef", c)
			}
			return v
		}
		even := func(n int) int { return (n + 3) &^ 3 }
		name := string(data[110:][:field(11)-1])
		data = data[even(110+field(11)):]
		got = append(got, entry{name, header[14:22], string(data[:field(6)])})
		data = data[min(even(field(6)), len(data)):]
	}
	want := []entry{
		{"lib", "000041ed", ""}, {"lib/x", "000041ed", ""}, {"lib/x/one.ko", "000081a4", "module"}, {"init", "000081ed", "#!"},
		{"TRAILER!!!", "00000000", ""},
	}
	if len(got) != len(want) {
		t.Fatalf("%q", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("entry %d is %q, not %q", i, got[i], want[i])
		}
	}
}
