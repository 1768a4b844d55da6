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
	events map[string]recordings.Event
	locks  map[string]recordings.Lock
	pauses map[pauseKey]recordings.Pause
}

type pauseKey struct {
	camera string
	from   recordings.Time
}

// readDiary reads the journals of directories.
func readDiary(fsys FS, log *slog.Logger, dirs ...string) (*diary, error) {
	d := &diary{
		events: make(map[string]recordings.Event), locks: make(map[string]recordings.Lock),
		pauses: make(map[pauseKey]recordings.Pause),
	}
	for _, dir := range dirs {
		names, err := journals(fsys, dir)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			entries, bad, err := readJournal(fsys, name)
			if err != nil {
				return nil, err
			}
			if bad > 0 {
				log.Warn("lines of a journal cannot be read", "file", name, "lines", bad)
			}
			for _, e := range entries {
				d.replay(e)
			}
		}
	}
	return d, nil
}

func (d *diary) replay(e entry) {
	switch {
	case e.Event != nil:
		d.events[e.Event.ID] = *e.Event
	case e.Lock != nil:
		d.locks[e.Lock.ID] = *e.Lock
	case e.Unlock != "":
		delete(d.locks, e.Unlock)
	case e.Pause != nil:
		d.pauses[pauseKey{e.Pause.Camera, e.Pause.From}] = *e.Pause
	case e.Forget != nil:
		maps.DeleteFunc(d.events, func(_ string, o recordings.Event) bool {
			return o.Camera == e.Forget.Camera && max(o.From, o.To) < e.Forget.Before
		})
	}
}

// differences returns what has to be done to an index for it to say the same, and a
// sentence for each.
func (d *diary) differences(ctx context.Context, ix *index.Index) (todo []func() error, sentences []string, err error) {
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
		case !ok:
			add(fmt.Sprintf("The index has a lock of camera %s that was taken off.", row.Camera),
				func() error { return ix.DeleteLock(ctx, row.ID) })
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
