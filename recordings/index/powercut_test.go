package index

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sightline-cam/sightline/recordings"
)

// frameBytes is a page in the log with its header.
const frameBytes = 4096 + 24

// TestIndex_APowerCutLosesOnlyWhatIsNotSynced lets the log end at every page after
// a sync, or in the middle of it, or with pages that never arrived.
func TestIndex_APowerCutLosesOnlyWhatIsNotSynced(t *testing.T) {
	x := open(t)
	const synced, all = 2, 3
	put := func(n int) {
		s := segment(front(), 0, float64(n*10), float64(n*10+10))
		s.Open = true
		ok(t, x.Put(t.Context(), s))
		s.Open = false
		ok(t, x.Put(t.Context(), s))
	}
	for n := range synced {
		put(n)
	}
	gone := segment(front(), 0, 0, 10).Ref
	ok(t, x.Sync(t.Context()))
	ok(t, x.Tombstone(t.Context(), gone))
	safe := len(must(os.ReadFile(x.path + "-wal"))(t))
	for n := synced; n < all; n++ {
		put(n)
	}
	file, log := must(os.ReadFile(x.path))(t), must(os.ReadFile(x.path+"-wal"))(t)
	last := 0
	for end := safe; end <= len(log); end += frameBytes {
		torn := append([]byte{}, log[:min(end+frameBytes/3, len(log))]...)
		holed := append([]byte{}, log...)
		clear(holed[end:min(end+frameBytes, len(log))])
		for _, content := range [][]byte{torn, holed} {
			there := countAfterCut(t, file, content)
			if there < synced || there > all || there < last {
				t.Fatalf("cut at %d of %d: %d segments, %d were synced", end, len(log), there, synced)
			}
			last = there
		}
	}
	if last != all {
		t.Errorf("%d of %d segments in the whole log", last, all)
	}
}

// countAfterCut opens what a power cut left, and returns how many segments follow
// each other without a hole. The first has a tombstone.
func countAfterCut(t *testing.T, file, log []byte) int {
	t.Helper()
	path := filepath.Join(t.TempDir(), "index.db")
	ok(t, os.WriteFile(path, file, 0o600))
	ok(t, os.WriteFile(path+"-wal", log, 0o600))
	x, err := Open(t.Context(), path, Options{})
	ok(t, err)
	clean(t, x)
	if deleted := must(x.Tombstoned(t.Context()))(t); len(deleted) != 1 {
		t.Fatalf("%d tombstones", len(deleted))
	}
	segs := must(x.Segments(t.Context(), front(), forever(), SegmentsOptions{}))(t)
	for i, s := range segs {
		if s.Start != noon+recordings.Time(i+1)*10e6 {
			t.Fatalf("the %d. of %d segments begins at %s", i, len(segs), s.Start)
		}
	}
	ok(t, x.Close())
	return len(segs) + 1
}
