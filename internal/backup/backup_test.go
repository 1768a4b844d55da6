package backup

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/internal/atomicfile"
	"github.com/sightline-cam/sightline/internal/identity"
)

const passphrase = "correct horse battery staple"

// folder returns a state folder at path that costs tests no second.
func folder(path string) Folder {
	return Folder{Path: path, Keys: []string{"agent.pem", "viewer.pem"}, work: 2}
}

// device makes a state folder with a key and some state, and returns it with
// what is in it.
func device(t *testing.T) (Folder, identity.PeerID, map[string]string) {
	t.Helper()
	f := folder(filepath.Join(t.TempDir(), "state"))
	id, err := identity.LoadOrCreate(filepath.Join(f.Path, "agent.pem"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"trust/owners.json": `{"owners":["x"]}`, "trust/deep/list": strings.Repeat("l", 100_000), "access-log/0001": "line\n", "empty": ""}
	for name, text := range files {
		path := filepath.Join(f.Path, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(f.Path, "nothing"), 0o700); err != nil {
		t.Fatal(err)
	}
	return f, id.PeerID(), contents(t, f.Path)
}

// contents returns the files below dir by name; folders end in a slash. Modes
// must be private.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		name, _ := filepath.Rel(dir, path)
		if d.IsDir() {
			out[name+"/"] = ""
			return nil
		}
		data, err := os.ReadFile(path)
		out[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func written(t *testing.T, f Folder) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f.Backup(&b, passphrase); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// neighbours lists what is beside the folder.
func neighbours(t *testing.T, f Folder) []string {
	t.Helper()
	all, err := os.ReadDir(filepath.Dir(f.Path))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}

func TestRestore_AfterTheDiskDied(t *testing.T) {
	old, id, want := device(t)
	data := written(t, old)
	if err := os.RemoveAll(old.Path); err != nil {
		t.Fatal(err)
	}
	f := folder(filepath.Join(t.TempDir(), "new", "state"))
	done, err := f.Restore(bytes.NewReader(data), passphrase, false)
	if err != nil {
		t.Fatal(err)
	}
	if done.MovedTo != "" || !slices.Equal(done.IDs, []identity.PeerID{id, ""}) {
		t.Errorf("%+v", done)
	}
	if d := cmp.Diff(want, contents(t, f.Path)); d != "" {
		t.Error(d)
	}
	if n := neighbours(t, f); len(n) != 1 {
		t.Errorf("left behind: %v", n)
	}
}

func TestRestore_IntoAnEmptyFolderAndThroughALink(t *testing.T) {
	old, _, want := device(t)
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	if err := errors.Join(os.Mkdir(real, 0o755), os.Symlink(real, link)); err != nil {
		t.Fatal(err)
	}
	if _, err := folder(link).Restore(bytes.NewReader(written(t, old)), passphrase, false); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, contents(t, real)); d != "" {
		t.Error(d)
	}
}

func TestRestore_OverAKeyNeedsForceAndLosesNothing(t *testing.T) {
	old, _, want := device(t)
	data := written(t, old)
	f, _, before := device(t)
	f.Now = func() time.Time { return time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC) }
	_, err := f.Restore(bytes.NewReader(data), passphrase, false)
	if !errors.Is(err, ErrOccupied) || !strings.Contains(err.Error(), "--force") {
		t.Errorf("got %v", err)
	}
	if d := cmp.Diff(before, contents(t, f.Path)); d != "" {
		t.Errorf("it was changed: %s", d)
	}
	var moved []string
	for range 2 {
		done, err := f.Restore(bytes.NewReader(data), passphrase, true)
		if err != nil {
			t.Fatal(err)
		}
		moved = append(moved, done.MovedTo)
		if d := cmp.Diff(want, contents(t, f.Path)); d != "" {
			t.Error(d)
		}
	}
	if d := cmp.Diff([]string{f.Path + ".before-20261121-100000", f.Path + ".before-20261121-100000-2"}, moved); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(before, contents(t, moved[0])); d != "" {
		t.Errorf("moved aside: %s", d)
	}
}

func TestRestore_WrongPassphrase(t *testing.T) {
	old, _, _ := device(t)
	f := folder(filepath.Join(t.TempDir(), "state"))
	for _, wrong := range []string{"", "x", passphrase + " "} {
		if _, err := f.Restore(bytes.NewReader(written(t, old)), wrong, false); !errors.Is(err, ErrPassphrase) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if n := neighbours(t, f); len(n) != 0 {
		t.Errorf("left behind: %v", n)
	}
}

func TestRestore_EveryBitAndEveryByteCounts(t *testing.T) {
	old, _, _ := device(t)
	data := written(t, old)
	f := folder(filepath.Join(t.TempDir(), "state"))
	refused := func(what string, data []byte) {
		t.Helper()
		if _, err := f.Restore(bytes.NewReader(data), passphrase, false); !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrPassphrase) {
			t.Fatalf("%s: %v", what, err)
		}
	}
	header := bytes.Index(data, []byte("\n---")) + 64
	for at := 0; at < len(data); {
		flipped := bytes.Clone(data)
		flipped[at] ^= 1 << (at % 8)
		refused(fmt.Sprintf("bit flipped at %d", at), flipped)
		refused(fmt.Sprintf("cut at %d", at), data[:at])
		if at++; at > header {
			at += 997
		}
	}
	refused("one byte more", append(bytes.Clone(data), 0))
	if n := neighbours(t, f); len(n) != 0 {
		t.Errorf("left behind: %v", n)
	}
	if _, err := f.Restore(bytes.NewReader(data), passphrase, false); err != nil {
		t.Errorf("untouched: %v", err)
	}
}

// sealed encrypts an archive of the entries, as somebody would who knows the
// passphrase.
func sealed(t *testing.T, archive []byte) []byte {
	t.Helper()
	to, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		t.Fatal(err)
	}
	to.SetWorkFactor(2)
	var b bytes.Buffer
	w, err := age.Encrypt(&b, to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(archive); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// archiveOf makes a tar archive that begins as ours do.
func archiveOf(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	text := []byte(`{"version":1,"created":"2026-11-21T10:00:00Z"}`)
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: manifestName, Size: int64(len(text))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := w.Write(make([]byte, h.Size)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRestore_RefusesWhatNoBackupHolds(t *testing.T) {
	file := func(name string, size int64) tar.Header {
		return tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o4777}
	}
	dir := func(name string) tar.Header { return tar.Header{Typeflag: tar.TypeDir, Name: name} }
	var many []tar.Header
	for i := range maxEntries + 1 {
		many = append(many, file(fmt.Sprint("f", i), 0))
	}
	tests := map[string][]tar.Header{
		"up":               {file("../agent.pem", 0)},
		"up inside":        {dir("a/"), file("a/../../x", 0)},
		"absolute":         {file("/etc/passwd", 0)},
		"backslash":        {file(`..\x`, 0)},
		"drive":            {file("c:x", 0)},
		"hidden":           {file(".ssh", 0)},
		"control":          {file("a\x07b", 0)},
		"root":             {dir("./")},
		"symbolic link":    {{Typeflag: tar.TypeSymlink, Name: "trust", Linkname: "/etc"}},
		"hard link":        {{Typeflag: tar.TypeLink, Name: "trust", Linkname: "agent.pem"}},
		"device":           {{Typeflag: tar.TypeChar, Name: "null"}},
		"pipe":             {{Typeflag: tar.TypeFifo, Name: "pipe"}},
		"twice":            {file("a", 0), file("a", 0)},
		"file and folder":  {file("a", 0), dir("a/")},
		"in a file":        {file("a", 0), file("a/b", 0)},
		"in no folder":     {file("a/b", 0)},
		"second manifest":  {file(manifestName, 0)},
		"too deep":         {file(strings.Repeat("a/", maxDepth)+"b", 0)},
		"too long":         {file(strings.Repeat("a", maxName+1), 0)},
		"too many":         many,
		"a file too large": {file("a", maxFileSize+1)},
		"no key":           {file("notes", 3)},
		"a key that is no": {file("agent.pem", 3)},
	}
	for name, headers := range tests {
		t.Run(name, func(t *testing.T) {
			f := folder(filepath.Join(t.TempDir(), "state"))
			_, err := f.Restore(bytes.NewReader(sealed(t, archiveOf(t, headers...))), passphrase, false)
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("got %v", err)
			}
			if n := neighbours(t, f); len(n) != 0 {
				t.Errorf("left behind: %v", n)
			}
		})
	}
}

func TestRestore_RefusesOtherForms(t *testing.T) {
	f := folder(filepath.Join(t.TempDir(), "state"))
	var other bytes.Buffer
	w := tar.NewWriter(&other)
	_ = w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "holiday.jpg"})
	_ = w.Close()
	newer := bytes.Replace(archiveOf(t), []byte(`"version":1`), []byte(`"version":2`), 1)
	tests := map[string]struct {
		archive []byte
		want    string
	}{
		"empty":       {nil, "no whole backup"},
		"another":     {other.Bytes(), "does not begin like one"},
		"later":       {newer, "use a newer one"},
		"data behind": {append(archiveOf(t), 1), "goes on behind its end"},
		"zeros":       {append(archiveOf(t), make([]byte, maxPadding+1)...), "goes on behind its end"},
	}
	for name, tt := range tests {
		_, err := f.Restore(bytes.NewReader(sealed(t, tt.archive)), passphrase, false)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBackup_LeavesOutWhatDoesNotBelongIntoIt(t *testing.T) {
	f, _, _ := device(t)
	if err := errors.Join(os.WriteFile(filepath.Join(f.Path, "recordings.db"), make([]byte, 9), 0o600), os.MkdirAll(filepath.Join(f.Path, "films", "deep"), 0o700)); err != nil {
		t.Fatal(err)
	}
	leave := func(path string, _ fs.DirEntry) bool {
		return slices.Contains([]string{"recordings.db", "films"}, filepath.Base(path))
	}
	entries, err := snapshot(f.Path, leave)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.Contains(e.name, "films") || e.name == "recordings.db" {
			t.Errorf("the backup has %s", e.name)
		}
	}
}

func TestBackup_NeedsAKeyAndAPassphrase(t *testing.T) {
	f, _, _ := device(t)
	if err := f.Backup(io.Discard, "short"); err == nil || !strings.Contains(err.Error(), "longer") {
		t.Errorf("got %v", err)
	}
	if err := folder(t.TempDir()).Backup(io.Discard, passphrase); !errors.Is(err, ErrNoKey) {
		t.Errorf("got %v", err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(f.Path, "link")); err != nil {
		t.Fatal(err)
	}
	if err := f.Backup(io.Discard, passphrase); err == nil || !strings.Contains(err.Error(), "link") {
		t.Errorf("got %v", err)
	}
}

// A running agent replaces files and adds to its log. What a backup holds must
// have stood on the disk together: here two files that are always replaced in
// the same order, so that the second is never ahead of the first.
func TestBackup_IsConsistentWhileTheAgentRuns(t *testing.T) {
	f, _, _ := device(t)
	put := func(name string, n int) {
		if err := atomicfile.Write(filepath.Join(f.Path, name), []byte(fmt.Sprintf("1%08d", n))); err != nil {
			t.Error(err)
		}
	}
	put("trust/b", 0)
	put("trust/a", 0)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for n := 1; ; n++ {
			put("trust/b", n) // b is read after a, by name
			put("trust/a", n)
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	defer func() {
		close(stop)
		<-done
	}()
	for range 30 {
		entries, err := snapshot(f.Path, nil)
		if errors.Is(err, errChanged) {
			continue // a slow machine; nothing wrong was written
		}
		if err != nil {
			t.Fatal(err)
		}
		var a, b string
		for _, e := range entries {
			switch e.name {
			case "trust/a":
				a = string(e.data)
			case "trust/b":
				b = string(e.data)
			}
			if strings.Contains(e.name, "/.") {
				t.Errorf("it holds %s", e.name)
			}
		}
		var x, y int
		if _, err := fmt.Sscan(a+" "+b, &x, &y); err != nil || y < x || y > x+1 {
			t.Fatalf("a is %q and b is %q: %v", a, b, err)
		}
	}
}

func FuzzReadArchive(f *testing.F) {
	f.Add(archiveOf(f, tar.Header{Typeflag: tar.TypeDir, Name: "trust/"}, tar.Header{Typeflag: tar.TypeReg, Name: "trust/list", Size: 3}))
	f.Add(archiveOf(f, tar.Header{Typeflag: tar.TypeSymlink, Name: "a", Linkname: "/etc"}))
	f.Add(archiveOf(f, tar.Header{Typeflag: tar.TypeReg, Name: "../x"}))
	f.Add([]byte("junk"))
	f.Fuzz(func(t *testing.T, data []byte) {
		dirs, total := map[string]bool{".": true}, int64(0)
		err := readArchive(bytes.NewReader(data), func(e entry, body io.Reader) error {
			if !filepath.IsLocal(filepath.FromSlash(e.name)) || !dirs[filepath.ToSlash(filepath.Dir(e.name))] {
				t.Errorf("it got out: %q", e.name)
			}
			dirs[e.name] = e.dir
			n, err := io.Copy(io.Discard, body)
			total += n
			return err
		})
		if total > maxTotalSize || len(dirs) > maxEntries+1 {
			t.Errorf("%d bytes in %d files", total, len(dirs))
		}
		if err != nil && !errors.Is(err, ErrDamaged) && !strings.Contains(err.Error(), "use a newer one") {
			t.Errorf("an error of another kind: %v", err)
		}
	})
}
