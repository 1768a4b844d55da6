package accesslog

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const firstFile = "access-00000000000000000001.jsonl"

// written returns the bytes of a log of three entries.
func written(t testing.TB) []byte {
	t.Helper()
	dir := t.TempDir()
	l, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c"} {
		l.Add(Entry{Kind: Came, Name: name, From: "192.0.2.1"})
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, firstFile))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func withFile(t *testing.T, data []byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, firstFile), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestOpen_AfterAPowerCutAtAnyByte(t *testing.T) {
	data := written(t)
	for n := range len(data) + 1 {
		dir := withFile(t, data[:n])
		l := open(t, dir, Options{})
		whole := strings.Count(string(data[:n]), "\n")
		torn := data[strings.LastIndex(string(data[:n]), "\n")+1 : n]
		add(t, l, "next")
		entries, _ := all(t, l)
		want := strings.Join([]string{"a", "b", "c"}[:whole], " ")
		if got := names(entries); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "next") {
			t.Fatalf("cut at %d: %q", n, got)
		}
		if said := slices.ContainsFunc(entries, func(e Entry) bool { return e.Kind == Lost }); said != (len(torn) > 0) {
			t.Fatalf("cut at %d: said %v", n, said)
		}
		aside, err := filepath.Glob(filepath.Join(dir, "torn-*"))
		if err != nil || len(aside) != min(len(torn), 1) {
			t.Fatalf("cut at %d: %v %v", n, aside, err)
		}
		if len(aside) > 0 {
			if kept, err := os.ReadFile(aside[0]); err != nil || string(kept) != string(torn) {
				t.Fatalf("cut at %d: kept %q %v", n, kept, err)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOpen_ZerosBehindTheLastLine(t *testing.T) {
	data := written(t)
	dir := withFile(t, append(slices.Clone(data), make([]byte, 100_000)...))
	l := open(t, dir, Options{})
	add(t, l, "next")
	if entries, _ := all(t, l); names(entries) != "a b c  next" || !strings.Contains(entries[3].What, "100000 bytes") {
		t.Errorf("%+v", entries)
	}
}

// Nothing that was once a line is ever written over: whoever changed it is found
// out, by the chain or by an owner who knows the head.
func TestOpen_AChangedLineStaysAndIsSaid(t *testing.T) {
	data := written(t)
	for name, change := range map[string]func(string) string{
		"changed":  func(s string) string { return strings.Replace(s, `"name":"b"`, `"name":"x"`, 1) },
		"spoilt":   func(s string) string { return strings.Replace(s, `"name":"b"`, `"name":b"`, 1) },
		"left out": func(s string) string { l := strings.SplitAfter(s, "\n"); return l[0] + l[2] },
		"swapped":  func(s string) string { l := strings.SplitAfter(s, "\n"); return l[0] + l[2] + l[1] },
		"first":    func(s string) string { return s[strings.Index(s, "\n")+1:] },
	} {
		changed := change(string(data))
		dir := withFile(t, []byte(changed))
		l := open(t, dir, Options{})
		add(t, l, "next")
		if got, err := os.ReadFile(filepath.Join(dir, firstFile)); err != nil || string(got) != changed {
			t.Errorf("%s: the file was written to: %q %v", name, got, err)
		}
		lines, _, err := l.Read(0, 100)
		if err != nil || len(lines) != strings.Count(changed, "\n")+2 {
			t.Fatalf("%s: %d lines %v", name, len(lines), err)
		}
		if _, err := Verify(lines, Head{}); err == nil {
			t.Errorf("%s: not found out", name)
		}
		said, next := lines[len(lines)-2], lines[len(lines)-1]
		if !strings.Contains(said, `"kind":"lost"`) || !strings.Contains(said, "does not follow") || !strings.Contains(next, `"name":"next"`) {
			t.Errorf("%s: %s", name, said)
		}
		if _, err := Verify(lines[len(lines)-2:], Head{Seq: int64(len(lines) - 2), Hash: hashOf([]byte(lines[len(lines)-3]))}); err != nil {
			t.Errorf("%s: the chain does not go on: %v", name, err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOpen_FilesWithoutALineAreBegunAgain(t *testing.T) {
	data := written(t)
	dir := withFile(t, data)
	for name, text := range map[string]string{
		"access-00000000000000000004.jsonl": "",
		"access-00000000000000000005.jsonl": "no line\nat all",
		"access-5.jsonl":                    "not ours",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l := open(t, dir, Options{})
	add(t, l, "next")
	if entries, _ := all(t, l); names(entries) != "a b c  next" {
		t.Errorf("%+v", entries)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, dir, Options{})
	if entries, _ := all(t, l); names(entries) != "a b c  next" {
		t.Errorf("%+v", entries)
	}
}

func TestOpen_TheFileBeforeIsPartOfTheChain(t *testing.T) {
	dir := t.TempDir()
	o := Options{fileSize: 1}
	l := open(t, dir, o)
	add(t, l, "a", "b")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, firstFile)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(data), `"a"`, `"x"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	l = open(t, dir, o)
	flush(t, l)
	if lines, _, err := l.Read(2, 1); err != nil || len(lines) != 1 || !strings.Contains(lines[0], "entry 2 does not follow") {
		t.Errorf("%v %v", lines, err)
	}
}

func TestOpen_KeepsFewTornLines(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 * maxTorn {
		files, err := filepath.Glob(filepath.Join(dir, "access-*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = f.WriteString("torn")
			_ = f.Close()
		}
		l := open(t, dir, Options{})
		add(t, l, "x")
		if err := l.Close(); err != nil {
			t.Fatal(i, err)
		}
	}
	if torn, err := filepath.Glob(filepath.Join(dir, "torn-*")); err != nil || len(torn) != maxTorn {
		t.Errorf("%v %v", torn, err)
	}
}

func FuzzOpen(f *testing.F) {
	data := written(f)
	f.Add(data)
	f.Add(data[:len(data)-9])
	f.Add([]byte("\n\n{}\n"))
	f.Add(make([]byte, 2*maxLine))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := withFile(t, data)
		for range 2 {
			l := open(t, dir, Options{})
			flush(t, l)
			before := l.Head()
			add(t, l, "next")
			lines, _, err := l.Read(before.Seq, 1)
			if err != nil || len(lines) != 1 {
				t.Fatalf("%d lines %v", len(lines), err)
			}
			if _, err := Verify(lines, before); err != nil {
				t.Fatal(err)
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzVerify(f *testing.F) {
	f.Add(string(written(f)))
	f.Add(`{"seq":1}`)
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		head, err := Verify(lines, Head{})
		if err == nil && head.Seq != int64(len(lines)) {
			t.Fatalf("%d lines end at %d", len(lines), head.Seq)
		}
	})
}
