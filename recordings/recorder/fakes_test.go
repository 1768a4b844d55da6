package recorder

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/fmp4"
)

// shelf is a store in memory. The zero value is ready to use. Its fields may be
// changed while nothing is written.
type shelf struct {
	mu       sync.Mutex
	segments []*book
	syncs    int
	events   []recordings.Event
	pauses   map[string]recordings.Pause
	past     map[recordings.Stream]Past

	createErr, appendErr error
	block                chan struct{} // Append waits until it is closed
}

// book is a segment on a shelf: it is a recordings.Writer.
type book struct {
	shelf *shelf
	recordings.Segment
	file    bytes.Buffer
	written []time.Time // when each fragment was
	closed  bool
}

func (s *shelf) Create(_ context.Context, seg recordings.Segment, init []byte) (recordings.Writer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.createErr != nil {
		return nil, s.createErr
	}
	for _, b := range s.segments {
		if b.Ref == seg.Ref {
			return nil, errors.New("there is such a segment")
		}
	}
	seg.InitBytes = int64(len(init))
	b := &book{shelf: s, Segment: seg}
	b.file.Write(init)
	s.segments = append(s.segments, b)
	return b, nil
}

func (b *book) Append(f recordings.Fragment, data []byte) error {
	b.shelf.mu.Lock()
	block := b.shelf.block
	b.shelf.mu.Unlock()
	if block != nil {
		<-block
	}
	b.shelf.mu.Lock()
	defer b.shelf.mu.Unlock()
	switch n := len(b.Fragments); {
	case b.shelf.appendErr != nil:
		return b.shelf.appendErr
	case b.closed:
		return errors.New("closed")
	case f.Offset != int64(b.file.Len()), f.Bytes != int64(len(data)), f.Duration <= 0, n == 0 && f.Start != b.Start,
		n > 0 && f.Start != b.Fragments[n-1].End():
		return errors.New("the fragment does not follow")
	}
	b.file.Write(data)
	b.Fragments = append(b.Fragments, f)
	b.written = append(b.written, time.Now())
	b.End = f.End()
	return nil
}

func (b *book) Close() error {
	b.shelf.mu.Lock()
	defer b.shelf.mu.Unlock()
	b.closed = true
	return nil
}

func (s *shelf) Sync(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.syncs++
	return nil
}

func (s *shelf) Paused(camera string) (recordings.Pause, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.pauses[camera]
	return p, ok
}

func (s *shelf) Events(_ context.Context, camera string, r recordings.Range, _ int) ([]recordings.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []recordings.Event
	for _, e := range s.events {
		if e.Camera == camera && (e.Overlaps(r) || e.From >= r.From && e.From < r.To) {
			found = append(found, e)
		}
	}
	return found, nil
}

func (s *shelf) Past(_ context.Context, stream recordings.Stream) (Past, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.past[stream], nil
}

func (s *shelf) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// books returns what is on the shelf of a stream.
func (s *shelf) books(stream recordings.Stream) []*book {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*book
	for _, b := range s.segments {
		if b.Stream == stream {
			found = append(found, b)
		}
	}
	return found
}

// units reads a book.
func (b *book) units(t *testing.T) (video, sound []*codecs.Unit) {
	t.Helper()
	data := b.file.Bytes()
	f, err := fmp4.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatalf("segment at %v: %v", b.Start, err)
	}
	good, err := f.Scan(0, true, func(fr recordings.Fragment) bool {
		v, a, err := f.Units(data[fr.Offset : fr.Offset+fr.Bytes])
		if err != nil {
			t.Fatalf("fragment at %v: %v", fr.Start, err)
		}
		video, sound = append(video, v...), append(sound, a...)
		return true
	})
	if err != nil || good != int64(len(data)) {
		t.Fatalf("segment at %v: %d of %d bytes are good: %v", b.Start, good, len(data), err)
	}
	return video, sound
}

// frames returns the At of every video unit of a stream's segments, in order.
func (s *shelf) frames(t *testing.T, stream recordings.Stream) (at []int64) {
	t.Helper()
	for _, b := range s.books(stream) {
		video, _ := b.units(t)
		for _, u := range video {
			at = append(at, u.At)
		}
	}
	return at
}

// gaps returns what the segments of a stream say about the times between them, and
// checks that they do not overlap within a generation.
func (s *shelf) gaps(t *testing.T, stream recordings.Stream) (gaps []recordings.Gap) {
	t.Helper()
	var before *book
	for _, b := range s.books(stream) {
		for _, g := range b.Gaps {
			if g.To > b.Start || g.Stream != stream {
				t.Errorf("segment at %v names a gap %+v", b.Start, g)
			}
		}
		if before != nil && before.Generation == b.Generation && b.Start < before.End {
			t.Errorf("the segment at %v begins before the one at %v ends, %v", b.Start, before.Start, before.End)
		}
		switch {
		case len(b.Gaps) > 0:
			gaps = append(gaps, b.Gaps...)
		case b.Before != "" && before != nil:
			gaps = append(gaps, recordings.Gap{Stream: stream, Range: recordings.Range{From: before.End, To: b.Start}, Cause: b.Before})
		case b.Before != "":
			gaps = append(gaps, recordings.Gap{Stream: stream, Range: recordings.Range{To: b.Start}, Cause: b.Before})
		}
		before = b
	}
	return gaps
}

// causes returns those of gaps.
func causes(gaps []recordings.Gap) (c []recordings.Cause) {
	for _, g := range gaps {
		c = append(c, g.Cause)
	}
	return c
}

// film makes units that nobody can decode, of a camera with 25 frames and a key
// frame each second. The zero value begins at PTS 0.
type film struct {
	vps, sps, pps []byte // with a VPS it is H.265
	n             int64  // frames so far
	at            recordings.Time
	gop           int64
	size          int   // of each frame
	interval      int64 // µs
}

func newFilm(t testing.TB, at time.Time) *film {
	t.Helper()
	e, err := testpattern.New(testpattern.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sps, pps := e.ParameterSets()
	return &film{sps: sps, pps: pps, at: recordings.TimeOf(at), gop: 25, size: 1000, interval: 40_000}
}

func (f *film) track() codecs.Track {
	return codecs.Track{Codec: f.codec(), ClockRate: 90_000, VPS: f.vps, SPS: f.sps, PPS: f.pps}
}

func (f *film) codec() codecs.Codec {
	if f.vps != nil {
		return codecs.H265
	}
	return codecs.H264
}

// toH265 lets the film go on in another codec, 1280 x 720.
func (f *film) toH265(t *testing.T) {
	t.Helper()
	for set, text := range map[*[]byte]string{
		&f.vps: "40010c01ffff01600000030090000003000003005d928090",
		&f.sps: "42010101600000030090000003000003005da00280802d16592a4932bc05a02000000300200000030321",
		&f.pps: "4401c172b46240",
	} {
		unit, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		*set = unit
	}
}

// next returns the next frame.
func (f *film) next() *codecs.Unit {
	u := &codecs.Unit{
		PTS: f.n * f.interval * 9 / 100, At: int64(f.at) + f.n*f.interval, Key: f.n%f.gop == 0, Arrived: time.Now(),
	}
	slice := make([]byte, f.size)
	u.Payload = [][]byte{slice}
	switch {
	case f.vps != nil && u.Key:
		slice[0], slice[1] = 19<<1, 1
		u.Payload = [][]byte{f.vps, f.sps, f.pps, slice}
	case f.vps != nil:
		slice[0], slice[1] = 1<<1, 1
	case u.Key:
		slice[0] = 0x65
		u.Payload = [][]byte{f.sps, f.pps, slice}
	default:
		slice[0] = 0x41
	}
	f.n++
	return u
}

func (f *film) frames(n int) (units []*codecs.Unit) {
	for range n {
		units = append(units, f.next())
	}
	return units
}

// skip leaves frames out.
func (f *film) skip(n int64) { f.n += n }

// music makes sound of 20 ms a unit.
type music struct {
	n  int64
	at recordings.Time
}

func (m *music) track() *codecs.Track {
	return &codecs.Track{Codec: codecs.PCMU, ClockRate: 8000, Channels: 1}
}

func (m *music) frames(n int) (units []*codecs.Unit) {
	for range n {
		units = append(units, &codecs.Unit{
			Track: 1, PTS: m.n * 160, At: int64(m.at) + m.n*20_000, Key: true, Arrived: time.Now(), Payload: [][]byte{make([]byte, 160)},
		})
		m.n++
	}
	return units
}

func front() recordings.Stream { return recordings.Stream{Camera: "front", Rendition: recordings.Main} }

func wantCauses(t *testing.T, got []recordings.Gap, want ...recordings.Cause) {
	t.Helper()
	if !slices.Equal(causes(got), want) {
		t.Fatalf("gaps %+v, want causes %v", got, want)
	}
}
