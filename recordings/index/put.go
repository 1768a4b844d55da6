package index

import (
	"context"
	"fmt"

	"github.com/sightline-cam/sightline/recordings"
)

// Put inserts or replaces rows, all or none, in one transaction. A row is then
// exactly as given: its fragments and gaps too, and a tombstone is gone. What is
// committed survives the end of the process, and a power cut after the next Sync,
// Tombstone or SetClean.
func (x *Index) Put(ctx context.Context, segs ...recordings.Segment) error {
	if len(segs) == 0 {
		return nil
	}
	return x.update(ctx, "put", relaxed, func(t *update) error {
		for i := range segs {
			if err := t.put(x.names, &segs[i]); err != nil {
				return fmt.Errorf("%s: %w", describe(segs[i].Ref), err)
			}
		}
		return nil
	})
}

// Tombstone marks rows as deleted, durably: from then on only Tombstoned returns
// them, nothing counts them, and their gaps are forgotten. Rows that are not there
// are passed over.
func (x *Index) Tombstone(ctx context.Context, refs ...recordings.Ref) error {
	if len(refs) == 0 {
		return nil
	}
	return x.update(ctx, "tombstone", durable, func(t *update) error {
		return t.change(refs, func(key int64, old *row) error {
			if old.flags&flagTombstone != 0 {
				return nil
			}
			if err := t.count(old, -1); err != nil {
				return err
			}
			if err := t.putGaps(old, nil); err != nil {
				return err
			}
			return t.exec(`UPDATE segments SET flags = flags | ?, gaps = 0 WHERE stream = ? AND generation = ? AND start = ?`,
				flagTombstone, key, old.generation, old.start)
		})
	})
}

// Purge removes rows, tombstoned or not. Rows that are not there are passed over.
func (x *Index) Purge(ctx context.Context, refs ...recordings.Ref) error {
	if len(refs) == 0 {
		return nil
	}
	return x.update(ctx, "purge", relaxed, func(t *update) error {
		return t.change(refs, func(key int64, old *row) error {
			if err := t.count(old, -1); err != nil {
				return err
			}
			if err := t.putFragments(old, nil); err != nil {
				return err
			}
			if err := t.putGaps(old, nil); err != nil {
				return err
			}
			return t.exec(`DELETE FROM segments WHERE stream = ? AND generation = ? AND start = ?`, key, old.generation, old.start)
		})
	})
}

// change calls do with every row of refs that is there.
func (t *update) change(refs []recordings.Ref, do func(key int64, old *row) error) error {
	for _, ref := range refs {
		key, err := t.findStream(ref.Stream)
		if err != nil {
			return err
		}
		old, err := t.find(key, int64(ref.Generation), int64(ref.Start))
		if err == nil && old != nil {
			err = do(key, old)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", describe(ref), err)
		}
	}
	return nil
}

// put writes one row and what belongs to it.
func (t *update) put(n *names, s *recordings.Segment) error {
	r, err := t.row(n, s)
	if err != nil {
		return err
	}
	data, err := encodeFragments(s.Start, s.Fragments)
	if err != nil {
		return err
	}
	old, err := t.find(r.stream, r.generation, r.start)
	if err != nil {
		return err
	}
	if old == nil {
		old = &row{stream: r.stream, generation: r.generation, start: r.start, flags: flagTombstone}
	}
	if err := t.recount(old, &r); err != nil {
		return err
	}
	if err := t.putFragments(old, data); err != nil {
		return err
	}
	if err := t.putGaps(old, s.Gaps); err != nil {
		return err
	}
	return t.exec(`INSERT OR REPLACE INTO segments (stream, generation, start, length, flags, dir, format, init, bytes, clock, gaps,
		origin, before, path, fragments) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.stream, r.generation, r.start, r.length, r.flags, r.dir, r.format, r.init, r.bytes, r.clock, r.gaps,
		r.origin, r.before, r.path, old.fragments)
}

// find returns what of a row its totals, fragments and gaps depend on, or nil.
func (t *update) find(stream, generation, start int64) (found *row, err error) {
	err = t.each(`SELECT flags, dir, bytes, gaps, fragments FROM segments WHERE stream = ? AND generation = ? AND start = ?`,
		[]any{stream, generation, start}, func(scan scan) error {
			found = &row{stream: stream, generation: generation, start: start}
			return scan(&found.flags, &found.dir, &found.bytes, &found.gaps, &found.fragments)
		})
	return found, err
}

// count adds the row to the totals, or takes it away; not if it has a tombstone.
func (t *update) count(r *row, sign int64) error {
	if r.flags&flagTombstone != 0 {
		return nil
	}
	if err := t.exec(`INSERT INTO totals (stream, generation, dir, segments, bytes) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (stream, generation, dir) DO UPDATE SET segments = segments + excluded.segments, bytes = bytes + excluded.bytes`,
		r.stream, r.generation, r.dir, sign, sign*r.bytes); err != nil {
		return err
	}
	if sign > 0 {
		return nil
	}
	return t.exec(`DELETE FROM totals WHERE stream = ? AND generation = ? AND dir = ? AND segments = 0`, r.stream, r.generation, r.dir)
}

// recount makes up the totals for a row that takes the place of another.
func (t *update) recount(old, r *row) error {
	if (old.flags|r.flags)&flagTombstone == 0 && old.dir == r.dir {
		if old.bytes == r.bytes {
			return nil
		}
		return t.exec(`UPDATE totals SET bytes = bytes + ? WHERE stream = ? AND generation = ? AND dir = ?`,
			r.bytes-old.bytes, r.stream, r.generation, r.dir)
	}
	if err := t.count(old, -1); err != nil {
		return err
	}
	return t.count(r, 1)
}

// putFragments replaces the fragments of the row and notes their key in it.
func (t *update) putFragments(old *row, data []byte) (err error) {
	switch {
	case data == nil && old.fragments == nil:
	case data == nil:
		err = t.exec(`DELETE FROM fragments WHERE key = ?`, *old.fragments)
		old.fragments = nil
	case old.fragments == nil:
		var key int64
		key, err = t.insert(`INSERT INTO fragments (data) VALUES (?)`, data)
		old.fragments = &key
	default:
		err = t.exec(`UPDATE fragments SET data = ? WHERE key = ?`, data, *old.fragments)
	}
	return err
}

// putGaps replaces the gaps of the row.
func (t *update) putGaps(old *row, gaps []recordings.Gap) error {
	if old.gaps > 0 {
		if err := t.exec(`DELETE FROM gaps WHERE stream = ? AND generation = ? AND start = ?`, old.stream, old.generation, old.start); err != nil {
			return err
		}
	}
	for i, g := range gaps {
		if err := t.exec(`INSERT INTO gaps (stream, generation, start, number, begin, till, cause) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			old.stream, old.generation, old.start, i, int64(g.From), int64(g.To), string(g.Cause)); err != nil {
			return err
		}
	}
	return nil
}
