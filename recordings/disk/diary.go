package disk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/index"
)

// diary is what journals say in the end: what was added and not taken back.
type diary struct {
	entries  []entry // as they were read
	replayed bool

	events   map[string]recordings.Event
	locks    map[string]recordings.Lock
	unlocked map[string]bool // locks that somebody took off
	pauses   map[pauseKey]recordings.Pause
}

type pauseKey struct {
	camera string
	from   recordings.Time
}

func newDiary() *diary {
	return &diary{
		events: make(map[string]recordings.Event), locks: make(map[string]recordings.Lock),
		unlocked: make(map[string]bool), pauses: make(map[pauseKey]recordings.Pause),
	}
}

// read adds the journals of a directory.
func (d *diary) read(fsys FS, log *slog.Logger, dir string) error {
	names, err := journals(fsys, dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		entries, bad, err := readJournal(fsys, name)
		if err != nil {
			return err
		}
		if bad > 0 {
			log.Warn("lines of a journal cannot be read", "file", name, "lines", bad)
		}
		d.entries = append(d.entries, entries...)
	}
	return nil
}

// newest is the number of the newest entry.
func (d *diary) newest() (seq int64) {
	for _, e := range d.entries {
		seq = max(seq, e.Seq)
	}
	return seq
}

// holes is how many entries are missing between others. A line that a crash tore
// leaves none: its number was never given, or was given again.
func (d *diary) holes() (n int64) {
	seen := make(map[int64]bool, len(d.entries))
	for _, e := range d.entries {
		seen[e.Seq] = true
	}
	return d.newest() - int64(len(seen))
}

// settle does what the entries say, in the order in which they were written,
// wherever they were.
func (d *diary) settle() {
	if d.replayed {
		return
	}
	d.replayed = true
	slices.SortStableFunc(d.entries, func(a, b entry) int { return cmp.Compare(a.Seq, b.Seq) })
	for _, e := range d.entries {
		d.replay(e)
	}
}

func (d *diary) replay(e entry) {
	switch {
	case e.Event != nil:
		d.events[e.Event.ID] = *e.Event
	case e.Lock != nil:
		d.locks[e.Lock.ID] = *e.Lock
		delete(d.unlocked, e.Lock.ID)
	case e.Unlock != "":
		delete(d.locks, e.Unlock)
		d.unlocked[e.Unlock] = true
	case e.Pause != nil:
		d.pauses[pauseKey{e.Pause.Camera, e.Pause.From}] = *e.Pause
	case e.Forget != nil:
		maps.DeleteFunc(d.events, func(_ string, o recordings.Event) bool {
			return o.Camera == e.Forget.Camera && max(o.From, o.To) < e.Forget.Before
		})
	}
}

// differences returns what has to be done to an index for it to say the same, and a
// sentence for each. A lock that no journal knows is a difference with nothing to do:
// a journal that cannot be read must not cost what somebody wanted to keep.
func (d *diary) differences(ctx context.Context, ix *index.Index) (todo []func() error, sentences []string, err error) {
	d.settle()
	add := func(text string, do func() error) {
		todo, sentences = append(todo, do), append(sentences, text)
	}
	err = errors.Join(d.compareEvents(ctx, ix, add), d.compareLocks(ctx, ix, add), d.comparePauses(ctx, ix, add))
	return todo, sentences, err
}

// bring makes an index say the same.
func (d *diary) bring(ctx context.Context, ix *index.Index) error {
	todo, _, err := d.differences(ctx, ix)
	for _, do := range todo {
		err = errors.Join(err, do())
	}
	return err
}

type addDifference = func(text string, do func() error)

func (d *diary) compareEvents(ctx context.Context, ix *index.Index, add addDifference) error {
	missing := maps.Clone(d.events)
	cameras := make(map[string]bool)
	for _, e := range d.events {
		cameras[e.Camera] = true
	}
	for camera := range cameras {
		rows, err := ix.Events(ctx, camera, always(), 0)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if missing[row.ID] == row {
				delete(missing, row.ID)
			}
		}
	}
	for _, e := range sorted(missing, func(e recordings.Event) string { return e.ID }) {
		add(fmt.Sprintf("An event of camera %s at %v is missing in the index.", e.Camera, e.From),
			func() error { return ix.PutEvent(ctx, e) })
	}
	return nil
}

func (d *diary) compareLocks(ctx context.Context, ix *index.Index, add addDifference) error {
	rows, err := ix.Locks(ctx, "", always())
	if err != nil {
		return err
	}
	missing := maps.Clone(d.locks)
	for _, row := range rows {
		switch known, ok := missing[row.ID]; {
		case known == row:
			delete(missing, row.ID)
		case d.unlocked[row.ID]:
			add(fmt.Sprintf("The index has a lock of camera %s that was taken off.", row.Camera),
				func() error { return ix.DeleteLock(ctx, row.ID) })
		case !ok:
			add(fmt.Sprintf("The index has a lock of camera %s that no journal has.", row.Camera), func() error { return nil })
		}
	}
	for _, l := range sorted(missing, func(l recordings.Lock) string { return l.ID }) {
		add(fmt.Sprintf("A lock of camera %s at %v is missing in the index.", l.Camera, l.From),
			func() error { return ix.PutLock(ctx, l) })
	}
	return nil
}

func (d *diary) comparePauses(ctx context.Context, ix *index.Index, add addDifference) error {
	rows, err := ix.Pauses(ctx, "", always())
	if err != nil {
		return err
	}
	missing := maps.Clone(d.pauses)
	for _, row := range rows {
		if key := (pauseKey{row.Camera, row.From}); missing[key] == row {
			delete(missing, key)
		}
	}
	for _, p := range sorted(missing, func(p recordings.Pause) string { return fmt.Sprint(p.Camera, p.From) }) {
		add(fmt.Sprintf("A pause of camera %s at %v is missing in the index.", p.Camera, p.From),
			func() error { return ix.PutPause(ctx, p) })
	}
	return nil
}

// sorted returns the values of a map in an order that is the same each time.
func sorted[K comparable, V any](m map[K]V, by func(V) string) []V {
	return slices.SortedFunc(maps.Values(m), func(a, b V) int { return cmp.Compare(by(a), by(b)) })
}
