package accesslog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func open(t *testing.T, dir string, o Options) *Log {
	t.Helper()
	l, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// add adds entries one by one, each on disk before the next.
func add(t *testing.T, l *Log, names ...string) {
	t.Helper()
	for _, n := range names {
		l.Add(Entry{Kind: Came, Name: n})
		flush(t, l)
	}
}

func flush(t *testing.T, l *Log) {
	t.Helper()
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// all reads everything that is kept and verifies it from its oldest line.
func all(t *testing.T, l *Log) (entries []Entry, floor int64) {
	t.Helper()
	var lines []string
	for after := int64(0); ; {
		some, f, err := l.Read(after, 7)
		if err != nil {
			t.Fatal(err)
		}
		if floor = f; len(some) == 0 {
			break
		}
		lines = append(lines, some...)
		after = max(after, f-1) + int64(len(some))
	}
	head, err := Verify(lines, Head{Seq: floor - 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) > 0 && head != l.Head() {
		t.Fatalf("the lines end at %v, the log at %v", head, l.Head())
	}
	for _, line := range lines {
		e, err := parse([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	return entries, floor
}

func names(entries []Entry) string {
	var all []string
	for _, e := range entries {
		all = append(all, e.Name)
	}
	return strings.Join(all, " ")
}

func TestLog_ChainsEntriesAndGoesOnAfterARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	l := open(t, dir, Options{})
	if l.Head() != (Head{}) {
		t.Errorf("an empty log has the head %v", l.Head())
	}
	if lines, floor, err := l.Read(0, 10); len(lines) != 0 || floor != 1 || err != nil {
		t.Errorf("an empty log reads %v %d %v", lines, floor, err)
	}
	add(t, l, "a", "b")
	before := l.Head()
	if err := errors.Join(l.Close(), l.Close()); err != nil {
		t.Fatal(err)
	}
	l.Add(Entry{Name: "after the end"})
	flush(t, l)

	l = open(t, dir, Options{})
	if l.Head() != before {
		t.Errorf("the head was %v and is %v", before, l.Head())
	}
	add(t, l, "c")
	entries, floor := all(t, l)
	if names(entries) != "a b c" || floor != 1 || entries[0].Prev != "" || entries[2].Prev != before.Hash {
		t.Errorf("%v from %d", entries, floor)
	}
	info, err := os.Stat(filepath.Join(dir, "access-00000000000000000001.jsonl"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
}

func TestLog_CutsWhatIsTooLongAndKeepsTheForm(t *testing.T) {
	l := open(t, "", Options{Now: func() time.Time { return time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC) }})
	long := strings.Repeat("\x01ü<", 5000)
	l.Add(Entry{Kind: Kind(long), Peer: long, Name: long, What: long, From: long + "\xff"})
	l.Add(Entry{Kind: Came, Name: "\xff", Time: time.Date(1970, 1, 1, 0, 0, 1, 5, time.FixedZone("x", 3600))})
	flush(t, l)
	lines, _, err := l.Read(0, 2)
	if err != nil || len(lines) != 2 || len(lines[0]) >= maxLine {
		t.Fatalf("%d lines %v", len(lines), err)
	}
	want := `{"seq":2,"time":"1969-12-31T23:00:01.000000005Z","kind":"came","peer":"","name":"�","what":"","from":"","prev":"` +
		hashOf([]byte(lines[0])) + `"}`
	if lines[1] != want {
		t.Errorf("got\n%s, want\n%s", lines[1], want)
	}
	all(t, l)
}

func TestLog_RotatesAndForgetsTheOldest(t *testing.T) {
	dir := t.TempDir()
	o := Options{fileSize: 1000, files: 3}
	l := open(t, dir, o)
	for i := range 60 {
		add(t, l, fmt.Sprint(i))
	}
	entries, floor := all(t, l)
	if floor == 1 || entries[0].Seq != floor || entries[len(entries)-1].Seq != 60 {
		t.Errorf("%d entries from %d", len(entries), floor)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 3 {
		t.Errorf("%v %v", files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Size() > o.fileSize {
			t.Errorf("%s has %d bytes, %v", f.Name(), info.Size(), err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, dir, o)
	add(t, l, "after")
	if again, _ := all(t, l); again[len(again)-1].Seq != 61 {
		t.Errorf("goes on with %v", again[len(again)-1])
	}
	if lines, _, err := l.Read(59, 1000); err != nil || len(lines) != 2 {
		t.Errorf("%v %v", lines, err)
	}
	if lines, _, err := l.Read(1000, 10); err != nil || len(lines) != 0 {
		t.Errorf("%v %v", lines, err)
	}
}

func TestLog_ReadsAreBounded(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		l := open(t, dir, Options{})
		for range 12 {
			for range 100 {
				l.Add(Entry{Kind: Came})
			}
			flush(t, l)
		}
		if lines, _, err := l.Read(0, 1<<30); err != nil || len(lines) != MaxRead {
			t.Errorf("%d lines, %v", len(lines), err)
		}
		if lines, _, err := l.Read(-5, -5); err != nil || len(lines) != 0 {
			t.Errorf("%d lines, %v", len(lines), err)
		}
		entries, floor := all(t, l)
		if want := int64(1); dir != "" && floor != want || dir == "" && floor != 201 {
			t.Errorf("%d lines from %d", len(entries), floor)
		}
	}
}

// hold makes a log whose disk waits until it is told what to answer.
func hold(t *testing.T, dir string) (l *Log, answer chan error) {
	t.Helper()
	l = open(t, dir, Options{})
	answer = make(chan error)
	l.store.(*fileStore).sync = func(*os.File) error { return <-answer }
	return l, answer
}

func TestLog_OverflowIsCountedAndSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, answer := hold(t, t.TempDir())
		l.Add(Entry{Kind: Came, Name: "first"})
		synctest.Wait() // the writer waits for the disk
		for range queueLength + 10 {
			l.Add(Entry{Kind: Came})
		}
		if l.Lost() != 10 {
			t.Errorf("%d were lost", l.Lost())
		}
		for range 2 {
			answer <- nil
		}
		close(answer)
		flush(t, l)
		entries, _ := all(t, l)
		if len(entries) != 2+queueLength {
			t.Fatalf("%d entries", len(entries))
		}
		i := slices.IndexFunc(entries, func(e Entry) bool { return e.Kind == Lost })
		if i < 0 || entries[i].What != "10 entries could not be written" {
			t.Errorf("the loss is not said: %v", i)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestLog_FullDiskLosesEntriesButNotTheChain(t *testing.T) {
	dir := t.TempDir()
	var logged bytes.Buffer
	l := open(t, dir, Options{Logger: slog.New(slog.NewTextHandler(&logged, nil))})
	add(t, l, "a")
	var full atomic.Bool
	full.Store(true)
	l.store.(*fileStore).sync = func(f *os.File) error {
		if full.Load() {
			return errors.New("no space left on device")
		}
		return datasync(f)
	}
	add(t, l, "b", "c")
	if h := l.Head(); h.Seq != 1 || l.Lost() != 2 {
		t.Errorf("the head is %v, %d were lost", h, l.Lost())
	}
	full.Store(false)
	add(t, l, "d")
	entries, _ := all(t, l)
	if len(entries) != 3 || entries[1].Kind != Lost || entries[1].What != "2 entries could not be written" || entries[2].Name != "d" {
		t.Errorf("%+v", entries)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(logged.String(), "level=ERROR"); n != 1 || !strings.Contains(logged.String(), "can be written again") {
		t.Errorf("logged: %s", logged.String())
	}
	l = open(t, dir, Options{})
	if again, _ := all(t, l); len(again) != 3 {
		t.Errorf("%+v", again)
	}
}

func TestLog_FolderGoneIsALossToo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	l := open(t, dir, Options{fileSize: 1})
	add(t, l, "a")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	add(t, l, "b")
	if l.Lost() != 1 || l.Head().Seq != 1 {
		t.Errorf("%d lost, %v", l.Lost(), l.Head())
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	add(t, l, "c")
	if l.Head().Seq != 3 {
		t.Errorf("%v", l.Head())
	}
}

func TestLog_ManyAtOnce(t *testing.T) {
	l := open(t, t.TempDir(), Options{fileSize: 2000, files: 1000})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 20 {
				l.Add(Entry{Kind: Came, Name: fmt.Sprint(g, i)})
				if _, _, err := l.Read(0, 50); err != nil {
					t.Error(err)
				}
				_ = l.Flush(t.Context())
			}
		})
	}
	wg.Wait()
	if entries, _ := all(t, l); len(entries) != 160 || l.Lost() != 0 {
		t.Errorf("%d entries, %d lost", len(entries), l.Lost())
	}
}

func TestLog_FlushEndsWithItsContext(t *testing.T) {
	l, answer := hold(t, t.TempDir())
	l.Add(Entry{Kind: Came})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Flush(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(answer)
}

func TestOpen_FolderThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(file, "log"), Options{}); err == nil {
		t.Error("a file was taken for a folder")
	}
}

func TestOpen_WhatCanOnlyBeReadIsReadAndStopsNobody(t *testing.T) {
	if os.Geteuid() == 0 {
		asNobody(t)
		return
	}
	dir := t.TempDir()
	first := open(t, dir, Options{})
	add(t, first, "alice", "bob")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, fmt.Sprintf("access-%020d.jsonl", 1))
	if err := errors.Join(os.Chmod(file, 0o400), os.Chmod(dir, 0o500)); err != nil { // a card that went read-only
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	l := open(t, dir, Options{})
	if l.Head().Seq != 2 {
		t.Errorf("it ends with %v", l.Head())
	}
	l.Add(Entry{Kind: Came, Name: "carol"})
	flush(t, l)
	if entries, _ := all(t, l); len(entries) != 2 || l.Lost() != 1 {
		t.Errorf("%v, lost %d", entries, l.Lost())
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	add(t, l, "dave")
	if entries, _ := all(t, l); len(entries) != 4 || entries[2].Kind != Lost || entries[3].Name != "dave" {
		t.Errorf("%v", entries)
	}
}
