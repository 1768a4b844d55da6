package disk

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/index"
)

// open returns the segments of a stream that are being written and overlap r, by
// start; of all streams if it is nil.
func (s *Store) open(stream *recordings.Stream, r recordings.Range, fragments bool) []recordings.Segment {
	s.mu.Lock()
	writers := make([]*writer, 0, 2)
	for ref, w := range s.writers {
		if stream == nil || ref.Stream == *stream {
			writers = append(writers, w)
		}
	}
	s.mu.Unlock()
	var out []recordings.Segment
	for _, w := range writers {
		if seg := w.snapshot(fragments); seg.Range().Overlaps(r) {
			out = append(out, seg)
		}
	}
	for _, seg := range s.begun {
		if (stream == nil || seg.Stream == *stream) && seg.Range().Overlaps(r) {
			out = append(out, seg)
		}
	}
	slices.SortFunc(out, func(a, b recordings.Segment) int { return cmp.Compare(a.Start, b.Start) })
	return out
}

// always overlaps everything.
func always() recordings.Range { return recordings.Range{From: minTime, To: -minTime} }

// Segment returns one segment; index.ErrNotFound if there is none.
func (s *Store) Segment(ctx context.Context, ref recordings.Ref, fragments bool) (recordings.Segment, error) {
	s.mu.Lock()
	w := s.writers[ref]
	s.mu.Unlock()
	if w != nil {
		return w.snapshot(fragments), nil
	}
	for _, seg := range s.begun {
		if seg.Ref == ref {
			return seg, nil
		}
	}
	return s.opts.Index.Segment(ctx, ref, fragments)
}

// Segments returns what overlaps r, by start, those being written included; see
// index.Segments.
func (s *Store) Segments(ctx context.Context, stream recordings.Stream, r recordings.Range, o index.SegmentsOptions) ([]recordings.Segment, error) {
	live := s.open(&stream, r, o.Fragments) // before the index, so that one that ends now is in at least one of the two
	out, err := s.opts.Index.Segments(ctx, stream, r, o)
	if err != nil {
		return nil, err
	}
	for _, seg := range live {
		if !slices.ContainsFunc(out, func(o recordings.Segment) bool { return o.Ref == seg.Ref }) {
			out = append(out, seg)
		}
	}
	slices.SortStableFunc(out, func(a, b recordings.Segment) int { return cmp.Compare(a.Start, b.Start) })
	if o.Limit > 0 && len(out) > o.Limit {
		out = out[:o.Limit]
	}
	return out, nil
}

// Streams sums up all streams, by camera and rendition.
func (s *Store) Streams(ctx context.Context) ([]recordings.StreamInfo, error) {
	live := s.open(nil, always(), false)
	out, err := s.opts.Index.Streams(ctx)
	if err != nil {
		return nil, err
	}
	for i := range out {
		out[i].Recording = false
	}
	for _, seg := range live {
		i := slices.IndexFunc(out, func(o recordings.StreamInfo) bool { return o.Stream == seg.Stream })
		if i < 0 {
			out = append(out, recordings.StreamInfo{Stream: seg.Stream, Range: recordings.Range{From: seg.Start, To: seg.End}, Segments: 1})
			i = len(out) - 1
		}
		info := &out[i]
		if seg.Origin != recordings.Backfill {
			info.Recording, info.Format, info.Durable = true, seg.Format, s.Durable(seg.Stream)
		}
		if info.To == info.From {
			info.From = seg.Start // the row of a stream that has only begun
		}
		info.From, info.To = min(info.From, seg.Start), max(info.To, seg.End)
		info.Bytes += seg.Bytes - seg.InitBytes
	}
	slices.SortFunc(out, func(a, b recordings.StreamInfo) int {
		return cmp.Or(cmp.Compare(a.Camera, b.Camera), cmp.Compare(a.Rendition, b.Rendition))
	})
	return out, nil
}

// Timeline returns what there is in r; see index.Timeline.
func (s *Store) Timeline(ctx context.Context, stream recordings.Stream, r recordings.Range, resolution time.Duration) (recordings.Timeline, error) {
	live := s.open(&stream, r, false)
	tl, err := s.opts.Index.Timeline(ctx, stream, r, resolution)
	if err != nil {
		return tl, err
	}
	for _, seg := range live {
		tl = addRange(tl, seg, r, resolution)
	}
	return tl, nil
}

// addRange adds a segment that comes after all that there is, or fills one of its
// gaps; then the gap is shown until the index has the segment.
func addRange(tl recordings.Timeline, seg recordings.Segment, r recordings.Range, resolution time.Duration) recordings.Timeline {
	piece := recordings.Range{From: max(seg.Start, r.From), To: min(seg.End, r.To)}
	n := len(tl.Ranges)
	if n > 0 && piece.To <= tl.Ranges[n-1].To {
		return tl
	}
	if n > 0 && piece.From.Sub(tl.Ranges[n-1].To) < max(resolution, time.Millisecond) {
		tl.Ranges[n-1].To = piece.To
		return tl
	}
	gaps := seg.Gaps
	if len(gaps) == 0 && seg.Before != "" && n > 0 {
		gaps = []recordings.Gap{{Stream: seg.Stream, Range: recordings.Range{From: tl.Ranges[n-1].To, To: seg.Start}, Cause: seg.Before}}
	}
	for _, g := range gaps {
		if g.Overlaps(r) && g.Duration() >= resolution {
			tl.Gaps = append(tl.Gaps, g)
		}
	}
	tl.Ranges = append(tl.Ranges, piece)
	return tl
}

// Days sums up days; see index.Days.
func (s *Store) Days(ctx context.Context, camera string, loc *time.Location, r recordings.Range) ([]recordings.Day, error) {
	main := recordings.Stream{Camera: camera, Rendition: recordings.Main}
	live := s.open(&main, r, false)
	days, err := s.opts.Index.Days(ctx, camera, loc, r)
	if err != nil {
		return nil, err
	}
	for _, seg := range live {
		date := seg.Start.Std().In(loc).Format(time.DateOnly)
		i := slices.IndexFunc(days, func(d recordings.Day) bool { return d.Date == date })
		if i < 0 {
			days = append(days, recordings.Day{Date: date})
			i = len(days) - 1
		}
		days[i].Recorded += seg.Range().Duration()
		days[i].Bytes += seg.Bytes
	}
	slices.SortFunc(days, func(a, b recordings.Day) int { return cmp.Compare(a.Date, b.Date) })
	return days, nil
}

// KeyFrames returns the times of key frames in r: all, or at most max of them.
func (s *Store) KeyFrames(ctx context.Context, stream recordings.Stream, r recordings.Range, most int) ([]recordings.Time, error) {
	live := s.open(&stream, r, true)
	out, err := s.opts.Index.KeyFrames(ctx, stream, r, most)
	if err != nil {
		return nil, err
	}
	for _, seg := range live {
		for _, f := range seg.Fragments {
			if f.Key && f.Start >= r.From && f.Start < r.To {
				out = append(out, f.Start)
			}
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	if most > 0 && len(out) > most {
		thin := make([]recordings.Time, most)
		for i := range thin {
			thin[i] = out[i*len(out)/most]
		}
		out = thin
	}
	return out, nil
}

// NearestKey returns the fragment with the key frame nearest to a time, and its
// segment; index.ErrNotFound if there is none.
func (s *Store) NearestKey(ctx context.Context, stream recordings.Stream, at recordings.Time) (recordings.Segment, recordings.Fragment, error) {
	live := s.open(&stream, always(), true)
	seg, frag, err := s.opts.Index.NearestKey(ctx, stream, at)
	if err != nil && !errors.Is(err, index.ErrNotFound) {
		return seg, frag, err
	}
	for _, o := range live {
		for _, f := range o.Fragments {
			if f.Key && (err != nil || abs(f.Start-at) < abs(frag.Start-at)) {
				seg, frag, err = o, f, nil
			}
		}
	}
	return seg, frag, err
}

func abs(t recordings.Time) recordings.Time { return max(t, -t) }

// Oldest returns finished segments; see index.Oldest.
func (s *Store) Oldest(ctx context.Context, stream recordings.Stream, after recordings.Time, limit int) ([]recordings.Segment, error) {
	return s.opts.Index.Oldest(ctx, stream, after, limit)
}

// Disks returns the directories as they are now.
func (s *Store) Disks(ctx context.Context) ([]recordings.Disk, error) {
	out := make([]recordings.Disk, 0, len(s.dirs))
	for _, d := range s.dirs {
		if _, err := d.room(); err == nil {
			d.measure()
		}
		v := d.view()
		used, err := s.opts.Index.Used(ctx, v.ID)
		if err != nil {
			return nil, err
		}
		v.Used = used
		out = append(out, v)
	}
	return out, nil
}
