package index

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/sightline-cam/sightline/recordings"
)

// SegmentsOptions say what Segments returns. The zero value: all, without
// fragments.
type SegmentsOptions struct {
	// Fragments asks for them: 64 bytes each, some 300 a segment, so ask for days
	// in pieces.
	Fragments bool
	// Limit is how many at most, the earliest; 0: all.
	Limit int
}

// Segments returns what overlaps r, by start. Where generations overlap, the
// newest wins: of an older one only segments are returned of which a part in r is
// covered by none that is newer, and of its fragments those that begin in such a
// part, from a key frame on. Segments that cover no time yet are not returned.
func (x *Index) Segments(ctx context.Context, stream recordings.Stream, r recordings.Range, o SegmentsOptions) (segs []recordings.Segment, err error) {
	if r.Empty() {
		return nil, nil
	}
	err = x.view(ctx, "list segments of "+stream.String(), func(v *view) error {
		key, generations, err := v.generations(stream)
		if err != nil {
			return err
		}
		var covered ranges
		for i, generation := range generations { // the newest first
			rows, err := v.rows(key, generation, r, o)
			if err != nil {
				return err
			}
			for j := range rows {
				s, err := v.segment(x.names, stream, &rows[j])
				if err != nil {
					return err
				}
				if uncover(&s, r, covered) {
					segs = append(segs, s)
				}
			}
			if i+1 < len(generations) {
				if covered, err = v.cover(key, generation, r, covered); err != nil {
					return err
				}
			}
		}
		if len(generations) > 1 {
			slices.SortFunc(segs, compareSegments)
		}
		if o.Limit > 0 && len(segs) > o.Limit {
			segs = slices.Delete(segs, o.Limit, len(segs))
		}
		return v.addGaps(key, segs)
	})
	return segs, err
}

// uncover takes out of the segment what newer ones cover, and reports whether
// anything is left of it in r.
func uncover(s *recordings.Segment, r recordings.Range, covered ranges) bool {
	if len(covered) == 0 {
		return true
	}
	if covered.covers(clip(s.Range(), r)) {
		return false
	}
	follows := false // the fragment before is there
	s.Fragments = slices.DeleteFunc(s.Fragments, func(f recordings.Fragment) bool {
		follows = !covered.contains(f.Start) && (f.Key || follows)
		return !follows
	})
	return true
}

// Segment returns one row that is not tombstoned, or ErrNotFound.
func (x *Index) Segment(ctx context.Context, ref recordings.Ref, fragments bool) (s recordings.Segment, err error) {
	err = x.view(ctx, describe(ref), func(v *view) error {
		key, err := v.findStream(ref.Stream)
		if err != nil {
			return err
		}
		s, err = v.one(x.names, key, ref, fragments)
		return err
	})
	return s, err
}

func (v *view) one(n *names, key int64, ref recordings.Ref, fragments bool) (s recordings.Segment, err error) {
	rows, err := v.query(`WHERE s.stream = ? AND s.generation = ? AND s.start = ? AND s.flags < 2`,
		fragments, key, ref.Generation, int64(ref.Start))
	if err != nil {
		return s, err
	}
	if len(rows) == 0 {
		return s, ErrNotFound
	}
	if s, err = v.segment(n, ref.Stream, &rows[0]); err != nil {
		return s, err
	}
	one := []recordings.Segment{s}
	err = v.addGaps(key, one)
	return one[0], err
}

// Oldest returns finished segments that start after the given time, by start, all
// generations together, without fragments; at most limit, and as many more as
// start at the same time as the last.
func (x *Index) Oldest(ctx context.Context, stream recordings.Stream, after recordings.Time, limit int) (segs []recordings.Segment, err error) {
	if limit <= 0 {
		return nil, nil
	}
	err = x.view(ctx, "list the oldest segments of "+stream.String(), func(v *view) error {
		key, generations, err := v.generations(stream)
		if err != nil {
			return err
		}
		for _, generation := range generations {
			rows, err := v.query(`WHERE s.stream = ? AND s.generation = ? AND s.start > ? AND s.flags = 0 ORDER BY s.start LIMIT ?`,
				false, key, generation, int64(after), limit)
			if err != nil {
				return err
			}
			for i := range rows {
				s, err := v.segment(x.names, stream, &rows[i])
				if err != nil {
					return err
				}
				segs = append(segs, s)
			}
		}
		slices.SortFunc(segs, compareSegments)
		n := min(limit, len(segs))
		for n > 0 && n < len(segs) && segs[n].Start == segs[n-1].Start {
			n++
		}
		segs = slices.Delete(segs, n, len(segs))
		return v.addGaps(key, segs)
	})
	return segs, err
}

// OpenSegments returns the rows with Open, with their fragments.
func (x *Index) OpenSegments(ctx context.Context) ([]recordings.Segment, error) {
	return x.flagged(ctx, "list open segments", flagOpen, true)
}

// Tombstoned returns the rows that are marked as deleted, without fragments and
// gaps.
func (x *Index) Tombstoned(ctx context.Context) ([]recordings.Segment, error) {
	return x.flagged(ctx, "list deleted segments", flagTombstone, false)
}

// flagged returns rows by the highest bit of their flags.
func (x *Index) flagged(ctx context.Context, operation string, flag int, fragments bool) (segs []recordings.Segment, err error) {
	err = x.view(ctx, operation, func(v *view) error {
		var refs []recordings.Ref
		var keys []int64
		err := v.each(`SELECT s.stream, n.camera, n.rendition, s.generation, s.start
			FROM segments s INDEXED BY segments_flags JOIN streams n ON n.key = s.stream
			WHERE s.flags <> 0 AND s.flags >= ?1 AND s.flags < 2 * ?1
			ORDER BY n.camera, n.rendition, s.generation, s.start`, []any{flag}, func(scan scan) error {
			var ref recordings.Ref
			var key int64
			err := scan(&key, &ref.Camera, &ref.Rendition, &ref.Generation, &ref.Start)
			refs, keys = append(refs, ref), append(keys, key)
			return err
		})
		if err != nil {
			return err
		}
		for i, ref := range refs {
			rows, err := v.query(`WHERE s.stream = ? AND s.generation = ? AND s.start = ?`, fragments, keys[i], ref.Generation, int64(ref.Start))
			if err != nil {
				return err
			}
			for j := range rows {
				s, err := v.segment(x.names, ref.Stream, &rows[j])
				if err != nil {
					return err
				}
				one := []recordings.Segment{s}
				if err := v.addGaps(keys[i], one); err != nil {
					return err
				}
				segs = append(segs, one[0])
			}
		}
		return nil
	})
	return segs, err
}

// findStream returns the key of the stream, or -1, which no row has.
func (v *view) findStream(s recordings.Stream) (int64, error) {
	key := int64(-1)
	err := v.each(`SELECT key FROM streams WHERE camera = ? AND rendition = ?`, []any{s.Camera, s.Rendition},
		func(scan scan) error { return scan(&key) })
	return key, err
}

// generations returns the key of the stream, and its generations, newest first.
func (v *view) generations(s recordings.Stream) (key int64, generations []int64, err error) {
	if key, err = v.findStream(s); err != nil || key < 0 {
		return key, nil, err
	}
	err = v.each(`SELECT DISTINCT generation FROM totals WHERE stream = ? ORDER BY generation DESC`, []any{key}, func(scan scan) error {
		var g int64
		err := scan(&g)
		generations = append(generations, g)
		return err
	})
	return key, generations, err
}

// inRange selects what overlaps the time from ?3 to ?4: segments of a generation
// do not overlap each other, so the last that begins at ?3 or before is the first
// that can.
const inRange = `WHERE s.stream = ?1 AND s.generation = ?2 AND s.start < ?4 AND s.start + s.length > ?3 AND s.flags < 2 AND s.length > 0
	AND s.start >= coalesce((SELECT p.start FROM segments p WHERE p.stream = ?1 AND p.generation = ?2 AND p.start <= ?3
		AND p.flags < 2 AND p.length > 0 ORDER BY p.start DESC LIMIT 1), ?3)`

// rows returns those of a generation that overlap r, by start.
func (v *view) rows(stream, generation int64, r recordings.Range, o SegmentsOptions) ([]row, error) {
	limit := math.MaxInt
	if o.Limit > 0 {
		limit = o.Limit
	}
	return v.query(inRange+` ORDER BY s.start LIMIT ?5`, o.Fragments, stream, generation, int64(r.From), int64(r.To), limit)
}

// query returns the rows of segments s that the clause selects.
func (v *view) query(clause string, fragments bool, args ...any) (rows []row, err error) {
	query, scanRow := `SELECT `+columns+` FROM segments s `, (*row).scan
	if fragments {
		query, scanRow = `SELECT `+columns+`, f.data FROM segments s LEFT JOIN fragments f ON f.key = s.fragments `, (*row).scanWithData
	}
	err = v.each(query+clause, args, func(scan scan) error {
		var r row
		err := scanRow(&r, scan)
		rows = append(rows, r)
		return err
	})
	return rows, err
}

// cover adds to covered what the generation has in r.
func (v *view) cover(stream, generation int64, r recordings.Range, covered ranges) (ranges, error) {
	err := v.each(`SELECT s.start, s.length FROM segments s `+inRange+` ORDER BY s.start`,
		[]any{stream, generation, int64(r.From), int64(r.To)}, func(scan scan) error {
			var start, length int64
			err := scan(&start, &length)
			covered = covered.add(recordings.Range{From: recordings.Time(start), To: recordings.Time(start + length)})
			return err
		})
	return covered, err
}

// addGaps reads the gaps of segments of one stream, which are sorted by start.
func (v *view) addGaps(stream int64, segs []recordings.Segment) error {
	has := func(s recordings.Segment) bool { return s.Gaps != nil }
	first := slices.IndexFunc(segs, has)
	if first < 0 {
		return nil
	}
	i := first
	return v.each(`SELECT start, generation, begin, till, cause FROM gaps WHERE stream = ? AND start BETWEEN ? AND ? ORDER BY start, generation, number`,
		[]any{stream, int64(segs[first].Start), int64(segs[len(segs)-1].Start)}, func(scan scan) error {
			var start, generation, from, to int64
			var cause string
			if err := scan(&start, &generation, &from, &to, &cause); err != nil {
				return err
			}
			owner := recordings.Segment{Ref: recordings.Ref{Start: recordings.Time(start), Generation: int(generation)}}
			for i < len(segs) && compareSegments(segs[i], owner) < 0 {
				i++
			}
			if i < len(segs) && compareSegments(segs[i], owner) == 0 {
				s := &segs[i]
				r := recordings.Range{From: recordings.Time(from), To: recordings.Time(to)}
				s.Gaps = append(s.Gaps, recordings.Gap{Stream: s.Stream, Range: r, Cause: recordings.Cause(cause)})
			}
			return nil
		})
}

// compareSegments orders by start, and by generation where that is the same.
func compareSegments(a, b recordings.Segment) int {
	return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Generation, b.Generation))
}
