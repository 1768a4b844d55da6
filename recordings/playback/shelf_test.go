package playback

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

// shelf is a library of real files, without an index.
type shelf struct {
	dir string

	mu     sync.Mutex // guards what follows
	segs   []recordings.Segment
	events []recordings.Event
	locks  []recordings.Lock
	pauses []recordings.Pause
	paused map[string]recordings.Pause
	broken error // what every call returns
	asked  struct {
		loc        *time.Location
		span       recordings.Range
		resolution time.Duration
	}
}

func newShelf(t testing.TB) *shelf {
	t.Helper()
	return &shelf{dir: t.TempDir(), paused: make(map[string]recordings.Pause)}
}

func (s *shelf) path(ref recordings.Ref) string {
	return filepath.Join(s.dir, fmt.Sprintf("%s-%s.mp4", ref.Camera, segmentID(ref)))
}

// put adds a segment, or replaces it; data is what its file has.
func (s *shelf) put(t testing.TB, seg recordings.Segment, data []byte) {
	t.Helper()
	if err := os.WriteFile(s.path(seg.Ref), data, 0o600); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.segs = slices.DeleteFunc(s.segs, func(o recordings.Segment) bool { return o.Ref == seg.Ref })
	s.segs = append(s.segs, seg)
	slices.SortFunc(s.segs, func(a, b recordings.Segment) int { return cmp.Compare(a.Start, b.Start) })
}

// fill adds a segment of random bytes: fragments of the given size and duration, of
// which every third begins with a key frame.
func (s *shelf) fill(t testing.TB, ref recordings.Ref, fragments, size int, each time.Duration, change func(*recordings.Segment)) recordings.Segment {
	t.Helper()
	seg := recordings.Segment{
		Ref: ref, InitBytes: 600, Format: recordings.Format{Video: "avc1.42e01f", Width: 1280, Height: 720, Audio: "opus", SampleRate: 48000, Channels: 2},
	}
	at, offset := ref.Start, seg.InitBytes
	for i := range fragments {
		seg.Fragments = append(seg.Fragments, recordings.Fragment{
			Start: at, Duration: each, MediaStart: int64(each.Seconds() * 90_000 * float64(i)), Offset: offset, Bytes: int64(size), VideoBytes: int64(size) * 9 / 10, Key: i%3 == 0, Frames: 25,
		})
		at, offset = at.Add(each), offset+int64(size)
	}
	seg.End, seg.Bytes = at, offset
	if change != nil {
		change(&seg)
	}
	data := make([]byte, offset) // what the file has, whatever it is said to have
	_, _ = rand.Read(data)
	for at := 600; at+size <= len(data) && size >= boxHeader; at += size { // boxes that mean nothing
		binary.BigEndian.PutUint32(data[at:], uint32(size))
		copy(data[at+4:], "free")
	}
	s.put(t, seg, data)
	return seg
}

func (s *shelf) read(t testing.TB, ref recordings.Ref) []byte {
	t.Helper()
	data, err := os.ReadFile(s.path(ref))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (s *shelf) Streams(context.Context) (out []recordings.StreamInfo, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seg := range s.segs {
		i := slices.IndexFunc(out, func(o recordings.StreamInfo) bool { return o.Stream == seg.Stream })
		if i < 0 {
			i = len(out)
			out = append(out, recordings.StreamInfo{Stream: seg.Stream, Range: seg.Range()})
		}
		out[i].To, out[i].Format, out[i].Recording, out[i].Durable = seg.End, seg.Format, seg.Open, seg.End
		out[i].Segments++
		out[i].Bytes += seg.Bytes
	}
	return out, s.broken
}

func (s *shelf) Segment(_ context.Context, ref recordings.Ref, _ bool) (recordings.Segment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seg := range s.segs {
		if seg.Ref == ref {
			return seg, s.broken
		}
	}
	return recordings.Segment{}, fmt.Errorf("segment %v: %w", ref, fs.ErrNotExist)
}

func (s *shelf) Segments(_ context.Context, stream recordings.Stream, r recordings.Range, fragments bool, limit int) (out []recordings.Segment, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seg := range s.segs {
		if seg.Stream != stream || !seg.Range().Overlaps(r) || limit > 0 && len(out) >= limit {
			continue
		}
		if !fragments {
			seg.Fragments = nil
		}
		out = append(out, seg)
	}
	return out, s.broken
}

func (s *shelf) Timeline(_ context.Context, stream recordings.Stream, r recordings.Range, resolution time.Duration) (tl recordings.Timeline, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked.resolution = resolution
	for _, seg := range s.segs {
		if seg.Stream == stream && seg.Range().Overlaps(r) {
			tl.Ranges = append(tl.Ranges, seg.Range())
			for _, g := range seg.Gaps {
				g.Stream = stream
				tl.Gaps = append(tl.Gaps, g)
			}
		}
	}
	return tl, s.broken
}

func (s *shelf) Days(_ context.Context, _ string, loc *time.Location, r recordings.Range) ([]recordings.Day, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked.loc, s.asked.span = loc, r
	return []recordings.Day{{Date: r.From.Std().In(loc).Format(time.DateOnly), Recorded: time.Hour, Bytes: 5, Events: 2}}, s.broken
}

func (s *shelf) KeyFrames(_ context.Context, stream recordings.Stream, r recordings.Range, limit int) (out []recordings.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seg := range s.segs {
		for _, f := range seg.Fragments {
			if seg.Stream == stream && f.Key && f.Start >= r.From && f.Start < r.To && len(out) < limit {
				out = append(out, f.Start)
			}
		}
	}
	return out, s.broken
}

func (s *shelf) NearestKey(_ context.Context, stream recordings.Stream, at recordings.Time) (seg recordings.Segment, nearest recordings.Fragment, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	far := func(f recordings.Fragment) time.Duration { return f.Start.Sub(at).Abs() }
	found := false
	for _, o := range s.segs {
		for _, f := range o.Fragments {
			if o.Stream == stream && f.Key && (!found || far(f) < far(nearest)) {
				seg, nearest, found = o, f, true
			}
		}
	}
	if !found {
		return seg, nearest, fs.ErrNotExist
	}
	return seg, nearest, s.broken
}

// shelfMedia is a file up to what was written when it was opened.
type shelfMedia struct {
	*os.File
	size int64
}

func (m shelfMedia) Size() int64 { return m.size }

func (s *shelf) Open(ctx context.Context, ref recordings.Ref) (Media, error) {
	seg, err := s.Segment(ctx, ref, false)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(s.path(ref))
	if err != nil {
		return nil, err
	}
	return shelfMedia{f, seg.Bytes}, nil
}

func (s *shelf) Disks(context.Context) ([]recordings.Disk, error) {
	return []recordings.Disk{
		{ID: "a", Path: "/mnt/a", Usable: true, Total: 100, Free: 50, Used: 40},
		{ID: "b", Path: "/mnt/b", Reason: "/mnt/b was unmounted"},
	}, s.broken
}

func (s *shelf) AddEvent(_ context.Context, e recordings.Event) (recordings.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.ID = rand.Text()
	s.events = append(s.events, e)
	return e, s.broken
}

func (s *shelf) Events(_ context.Context, camera string, r recordings.Range, limit int) (out []recordings.Event, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.Camera == camera && e.From < r.To && max(e.To, e.From+1) > r.From {
			out = append(out, e)
		}
	}
	return out[max(0, len(out)-limit):], s.broken
}

func (s *shelf) AddLock(_ context.Context, l recordings.Lock) (recordings.Lock, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.ID = rand.Text()
	s.locks = append(s.locks, l)
	return l, s.broken
}

func (s *shelf) RemoveLock(_ context.Context, camera, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.locks, func(l recordings.Lock) bool { return l.ID == id && l.Camera == camera })
	if i < 0 {
		return fs.ErrNotExist
	}
	s.locks = slices.Delete(s.locks, i, i+1)
	return s.broken
}

func (s *shelf) Locks(_ context.Context, camera string, r recordings.Range) (out []recordings.Lock, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.locks {
		if l.Camera == camera && l.Overlaps(r) {
			out = append(out, l)
		}
	}
	return out, s.broken
}

func (s *shelf) Pause(_ context.Context, p recordings.Pause) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused[p.Camera] = p
	s.pauses = append(s.pauses, p)
	return s.broken
}

func (s *shelf) Resume(_ context.Context, camera string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.paused, camera)
	return s.broken
}

func (s *shelf) Paused(camera string) (recordings.Pause, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.paused[camera]
	return p, ok
}

func (s *shelf) Pauses(_ context.Context, camera string, _ recordings.Range) (out []recordings.Pause, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pauses {
		if p.Camera == camera {
			out = append(out, p)
		}
	}
	return out, s.broken
}
