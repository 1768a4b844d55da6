package index

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/recordings"
)

func TestOpen_KeepsItsNameAndRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "an index?&%41#.db")
	x := must(Open(t.Context(), path, Options{ID: "given"}))(t)
	ok(t, x.Put(t.Context(), segment(front(), 0, 0, 10)))
	before := dump(t, x)
	ok(t, x.Close())
	ok(t, x.Close())
	if err := x.Put(t.Context(), segment(front(), 0, 10, 20)); !errors.Is(err, ErrClosed) {
		t.Errorf("Put after Close: %v", err)
	}
	if _, err := x.Streams(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("Streams after Close: %v", err)
	}
	if mode := must(os.Stat(path))(t).Mode(); mode != 0o600 {
		t.Errorf("the file's mode is %v", mode)
	}
	x = openAt(t, path)
	if x.ID() != "given" || dump(t, x) != before {
		t.Errorf("id %q, rows:\n%s", x.ID(), dump(t, x))
	}
	if a, b := open(t).ID(), open(t).ID(); a == b || len(a) < 26 {
		t.Errorf("two new indexes are called %q and %q", a, b)
	}
}

func TestOpen_DamagedFileSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good.db")
	x := must(Open(t.Context(), good, Options{}))(t)
	ok(t, x.Put(t.Context(), segment(front(), 0, 0, 10)))
	ok(t, x.Close())
	whole := must(os.ReadFile(good))(t)
	for name, content := range map[string][]byte{
		"text":           []byte(strings.Repeat("this is no database\n", 1000)),
		"cut":            whole[:len(whole)/2],
		"schema damaged": append(append([]byte{}, whole[:100]...), make([]byte, len(whole)-100)...),
	} {
		path := filepath.Join(dir, "damaged.db")
		ok(t, os.WriteFile(path, content, 0o600))
		x, err := Open(t.Context(), path, Options{})
		if err == nil { // seen as soon as the damage is read
			_, err = x.Streams(t.Context())
			if err == nil {
				err = x.Put(t.Context(), segment(front(), 0, 10, 20))
			}
			_ = x.Close()
		}
		if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "sightline recordings rebuild") || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOpen_LeavesForeignDatabasesAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "foreign.db")
	db := must(sql.Open("sqlite", path))(t)
	must(db.ExecContext(t.Context(), `CREATE TABLE secrets (a); INSERT INTO secrets VALUES (1)`))(t)
	ok(t, db.Close())
	before := must(os.ReadFile(path))(t)
	if _, err := Open(t.Context(), path, Options{}); !errors.Is(err, ErrForeign) || !strings.Contains(err.Error(), "move it away") {
		t.Errorf("Open: %v", err)
	}
	if after := must(os.ReadFile(path))(t); !cmp.Equal(before, after) {
		t.Error("the file was changed")
	}
}

func TestOpen_RefusesWhatANewerVersionWrote(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.db")
	x := must(Open(t.Context(), path, Options{}))(t)
	must(x.writer.ExecContext(t.Context(), `PRAGMA user_version = 99`))(t)
	ok(t, x.Close())
	if _, err := Open(t.Context(), path, Options{}); !errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), "update Sightline") {
		t.Errorf("Open: %v", err)
	}
}

func TestMigrate_RunsWhatIsMissingOrNothing(t *testing.T) {
	x := open(t)
	ok(t, x.Put(t.Context(), segment(front(), 0, 0, 10)))
	steps := append(migrations(), `CREATE TABLE later (a INTEGER); INSERT INTO later VALUES (7)`)
	broken := append(steps, `CREATE TABLE lost (a INTEGER); SELECT no_such_function()`)
	if err := x.migrate(t.Context(), len(migrations()), broken, ""); err == nil {
		t.Fatal("a step that fails: no error")
	}
	if n := must(x.version(t.Context()))(t); n != len(migrations()) {
		t.Errorf("version %d after a step that failed", n)
	}
	ok(t, x.migrate(t.Context(), len(migrations()), steps, ""))
	var version, value, lost int
	ok(t, x.readers.QueryRowContext(t.Context(), `SELECT (SELECT user_version FROM pragma_user_version), (SELECT a FROM later),
		(SELECT count(*) FROM sqlite_schema WHERE name = 'lost')`).Scan(&version, &value, &lost))
	if version != len(steps) || value != 7 || lost != 0 {
		t.Errorf("version %d, value %d, %d tables of a step that failed", version, value, lost)
	}
	clean(t, x)
}

func TestOpen_ReadOnlySeesWhatIsWrittenAndWritesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.db")
	if _, err := Open(t.Context(), path, Options{ReadOnly: true}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
	writer := openAt(t, path)
	reader := must(Open(t.Context(), path, Options{ReadOnly: true}))(t)
	defer reader.Close()
	ok(t, writer.Put(t.Context(), segment(front(), 0, 0, 10)))
	if got := dump(t, reader); got != dump(t, writer) || reader.ID() != writer.ID() {
		t.Errorf("it reads:\n%s", got)
	}
	if err := reader.Put(t.Context(), segment(front(), 0, 10, 20)); !errors.Is(err, errReadOnly) {
		t.Errorf("Put: %v", err)
	}
	if err := reader.SetClean(t.Context(), true); !errors.Is(err, errReadOnly) {
		t.Errorf("SetClean: %v", err)
	}
}

func TestIndex_WorksWithTheSettingsItPromises(t *testing.T) {
	x := open(t)
	for _, c := range []struct {
		pragma string
		db     *sql.DB
		want   string
	}{
		{"journal_mode", x.writer, "wal"}, {"synchronous", x.writer, "1"}, {"busy_timeout", x.writer, "5000"}, {"cache_size", x.writer, "-512"},
		{"journal_mode", x.readers, "wal"}, {"query_only", x.readers, "1"}, {"busy_timeout", x.readers, "5000"}, {"cache_size", x.readers, "-512"},
	} {
		var got string
		ok(t, c.db.QueryRowContext(t.Context(), "PRAGMA "+c.pragma).Scan(&got))
		if got != c.want {
			t.Errorf("%s is %s, want %s", c.pragma, got, c.want)
		}
	}
	ok(t, x.SetClean(t.Context(), true))
	var got string
	ok(t, x.writer.QueryRowContext(t.Context(), "PRAGMA synchronous").Scan(&got))
	if got != "1" {
		t.Errorf("synchronous is %s after a durable commit", got)
	}
}

func TestClean_IsWhatWasSetLast(t *testing.T) {
	x := open(t)
	for _, want := range []bool{false, true, false, true} {
		if want || must(x.Clean(t.Context()))(t) {
			ok(t, x.SetClean(t.Context(), want))
		}
		if got := must(x.Clean(t.Context()))(t); got != want {
			t.Errorf("Clean is %t, want %t", got, want)
		}
	}
}

func TestSync_WritesOnlyIfSomethingIsNew(t *testing.T) {
	x := open(t)
	size := func() int64 { return must(os.Stat(x.path + "-wal"))(t).Size() }
	ok(t, x.Put(t.Context(), segment(front(), 0, 0, 10)))
	before := size()
	ok(t, x.Sync(t.Context()))
	synced := size()
	ok(t, x.Sync(t.Context()))
	if synced == before || size() != synced {
		t.Errorf("the log has %d bytes, then %d, then %d", before, synced, size())
	}
	for name, change := range map[string]func() error{
		"Tombstone":     func() error { return x.Tombstone(t.Context(), segment(front(), 0, 0, 10).Ref) },
		"SetClean":      func() error { return x.SetClean(t.Context(), true) },
		"BindDirectory": func() error { return x.BindDirectory(t.Context(), "disk-1", "/mnt/one") },
	} { // are durable by themselves, and make durable what was before
		ok(t, x.Put(t.Context(), segment(front(), 0, 10, 20)))
		ok(t, change())
		before := size()
		if ok(t, x.Sync(t.Context())); size() != before {
			t.Errorf("%s had to be synced", name)
		}
	}
}

func TestDirectories_OnePathHasOneDirectory(t *testing.T) {
	x := open(t)
	ok(t, x.BindDirectory(t.Context(), "a", "/mnt/one"))
	ok(t, x.BindDirectory(t.Context(), "b", "/mnt/two"))
	ok(t, x.BindDirectory(t.Context(), "c", "/mnt/one"))
	ok(t, x.Put(t.Context(), segment(front(), 0, 0, 10)))
	want := []Directory{{ID: "a"}, {"b", "/mnt/two", true}, {"c", "/mnt/one", true}, {ID: "disk-1"}}
	if diff := cmp.Diff(want, must(x.Directories(t.Context()))(t)); diff != "" {
		t.Error(diff)
	}
	if err := x.BindDirectory(t.Context(), "d", "relative"); err == nil {
		t.Error("a relative path: no error")
	}
}

func TestPut_FullDiskLosesNothingAndIsOverWhenThereIsRoom(t *testing.T) {
	x := open(t)
	ok(t, x.Put(t.Context(), segment(front(), 0, 0, 10)))
	before := dump(t, x)
	limit := func(pages string) {
		must(x.writer.ExecContext(t.Context(), "PRAGMA max_page_count = "+pages))(t)
	}
	limit("1") // no more than there are
	var many []recordings.Segment
	for i := range 20 {
		many = append(many, segment(front(), 0, float64(100*i+100), float64(100*i+200)))
	}
	for range 2 {
		if err := x.Put(t.Context(), many...); err == nil || !strings.Contains(err.Error(), "free some space") {
			t.Errorf("Put: %v", err)
		}
	}
	if dump(t, x) != before {
		t.Error("a part of it was kept")
	}
	limit("1000000")
	ok(t, x.Put(t.Context(), many...))
	clean(t, x)
}

func TestUpdate_AnErrorInsideLeavesNoTransactionBehind(t *testing.T) {
	x := open(t)
	mistake := errors.New("a mistake")
	for range 2 {
		if err := x.update(t.Context(), "fail", durable, func(*update) error { return mistake }); !errors.Is(err, mistake) {
			t.Errorf("update: %v", err)
		}
		if err := x.update(t.Context(), "fail", relaxed, func(u *update) error { return u.exec(`COMMIT`) }); err == nil {
			t.Error("a commit of nothing: no error")
		}
		ok(t, x.Put(t.Context(), segment(front(), 0, 0, 10)))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := x.Put(ctx, segment(front(), 0, 10, 20)); !errors.Is(err, context.Canceled) {
		t.Errorf("Put: %v", err)
	}
	if _, err := x.Streams(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Streams: %v", err)
	}
}

func TestIndex_ReadsGoOnWhileItIsWrittenAndClosed(t *testing.T) {
	x := open(t)
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			for {
				segs, err := x.Segments(t.Context(), front(), forever(), SegmentsOptions{Fragments: true})
				if errors.Is(err, ErrClosed) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				for i, s := range segs { // always the state between two transactions
					if len(segs)%2 != 0 || s.Start != at(float64(i)*10) || len(s.Fragments) != 10 {
						t.Errorf("%d segments, the %d. is %s with %d fragments", len(segs), i, s.Start, len(s.Fragments))
						return
					}
				}
			}
		})
	}
	for n := 0; n < 40; n += 2 {
		ok(t, x.Put(t.Context(), segment(front(), 0, float64(n)*10, float64(n)*10+10), segment(front(), 0, float64(n)*10+10, float64(n)*10+20)))
	}
	ok(t, x.Close())
	wait.Wait()
}

func TestDump_IsTheSameInWhateverOrderItWasFilled(t *testing.T) {
	side := recordings.Stream{Camera: "back", Rendition: recordings.Sub}
	a, b, c := segment(front(), 0, 0, 10), segment(front(), 1, 5, 15), segment(side, 0, 3, 6)
	c.Dir, c.Path, c.Origin, c.Before, c.Format.Signed = "disk-2", "elsewhere.mp4", recordings.Backfill, recordings.Paused, true
	b.Gaps = []recordings.Gap{{Stream: front(), Range: recordings.Range{From: at(1), To: at(2)}, Cause: recordings.DiskSlow}}
	one, two := open(t), open(t)
	for _, x := range []*Index{one, two} {
		for _, e := range []recordings.Event{{ID: "e", Camera: "front", Type: "door", Range: recordings.Range{From: at(1), To: at(1)}}} {
			ok(t, x.PutEvent(t.Context(), e))
		}
	}
	ok(t, one.Put(t.Context(), a, b, c))
	ok(t, two.Put(t.Context(), c, b))
	ok(t, two.Put(t.Context(), segment(front(), 0, 100, 110), a, b))
	ok(t, two.Tombstone(t.Context(), segment(front(), 0, 100, 110).Ref))
	if diff := cmp.Diff(dump(t, one), dump(t, two)); diff != "" {
		t.Error(diff)
	}
	if lines := strings.Count(dump(t, one), "\n"); lines != 2+3*2+1+23+2+1 {
		t.Errorf("%d lines:\n%s", lines, dump(t, one))
	}
	clean(t, two)
}
