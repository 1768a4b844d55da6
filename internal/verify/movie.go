package verify

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"github.com/Eyevinn/mp4ff/mp4"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/nal"
)

// movie is the stream of an MP4 file: of its tables, then of its fragments (ISO/IEC
// 14496-12 §8.8).
type movie struct {
	// Constant after openMovie.
	r        io.ReaderAt
	size     int64
	track    *track
	know     []string
	progress func(done, size int64)

	audit *auditor
	index index

	// The walk.
	yield   func(u *codecs.Unit, shown int64, sets [][]byte) error
	entryNo uint32
	current entry
	news    bool  // current is not announced yet
	changed bool  // current is another one than before
	decode  int64 // time of the next sample, in the track's ticks
	read    int64 // bytes of samples
	// reference is a time on the wall and the media time it belongs to.
	reference *wall
}

// wall is a time on the wall in microseconds and the media time it belongs to.
type wall struct{ at, media int64 }

// openMovie looks for the description of the tracks.
func openMovie(r io.ReaderAt, size int64, progress func(done, size int64)) (*movie, error) {
	for at := int64(0); at < size; {
		b, err := readBox(r, at, size)
		if err != nil {
			return nil, err
		}
		if b.kind != "moov" {
			at += b.size
			continue
		}
		if b.header != 8 {
			return nil, fmt.Errorf("the moov box is too long: %w", ErrFormat)
		}
		data, err := b.load(r, maxMovie)
		if err != nil {
			return nil, err
		}
		binary.BigEndian.PutUint32(data, uint32(len(data))) // 0 means up to the end
		parsed, err := decode(data, at)
		if err != nil {
			return nil, err
		}
		moov, ok := parsed.(*mp4.MoovBox)
		if !ok {
			return nil, fmt.Errorf("the moov box is none: %w", ErrFormat)
		}
		m := &movie{r: r, size: size, progress: progress, audit: newAuditor()}
		m.audit.walk("moov", data[8:])
		if m.track, m.know, err = chooseTrack(moov, data, m.audit); err != nil {
			return nil, err
		}
		return m, nil
	}
	return nil, fmt.Errorf("there is no moov box: %w", ErrFormat)
}

func (m *movie) codec() codecs.Codec { return m.track.entries[0].codec }
func (m *movie) timed() bool         { return true }
func (m *movie) faults() []string    { return m.audit.faults }
func (m *movie) notes() []string     { return m.know }
func (m *movie) created() []uint64   { return m.track.created }

func (m *movie) headers() (all [][]byte) {
	for _, e := range m.track.entries {
		all = append(all, e.sets...)
	}
	return all
}

func (m *movie) units(ctx context.Context, yield func(u *codecs.Unit, shown int64, sets [][]byte) error) error {
	m.yield = yield
	if err := m.table(ctx); err != nil {
		return err
	}
	seen := map[string]int{}
	for at := int64(0); at < m.size; {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("check the file: %w", err)
		}
		b, err := readBox(m.r, at, m.size)
		if err != nil {
			return err
		}
		if m.progress != nil {
			m.progress(at, m.size)
		}
		m.audit.box("file", b.kind, seen)
		m.index.box(b)
		switch b.kind {
		case "uuid":
			err = m.own(b)
		case "sidx":
			err = m.index.segments(m.r, b)
		case "mfra":
			err = m.index.random(m.r, b)
		case "prft":
			err = m.producer(b)
		case "moof":
			if seen["moov"] == 0 {
				m.audit.fault("The file has pictures before their description; players differ in what they make of them.")
			}
			err = m.fragment(ctx, b)
		}
		if err != nil {
			return err
		}
		at += b.size
	}
	if !m.index.good() {
		m.audit.fault("The file's index leads players to pictures that are not where the others are.")
	}
	return nil
}

// own looks at a box of somebody's own.
func (m *movie) own(b box) error {
	name := make([]byte, min(16, b.size-b.header))
	if _, err := m.r.ReadAt(name, b.at+b.header); err != nil {
		return fmt.Errorf("read the box at %d: %w", b.at, orFormat(err))
	}
	m.audit.name("file", name)
	return nil
}

// producer reads a producer reference time (§8.16.5): it is about the next fragment.
func (m *movie) producer(b box) error {
	data, err := b.load(m.r, 64)
	if err != nil {
		return err
	}
	if b.header != 8 {
		return nil
	}
	parsed, err := decode(data, b.at)
	if err != nil {
		return err
	}
	p, ok := parsed.(*mp4.PrftBox)
	if !ok || p.ReferenceTrackID != m.track.id || p.MediaTime > 1<<60 {
		return nil
	}
	const since1900 = 2_208_988_800
	stamp := uint64(p.NTPTimestamp)
	m.reference = &wall{
		at:    (int64(stamp>>32)-since1900)*1_000_000 + int64((stamp&0xffffffff)*1_000_000>>32),
		media: int64(p.MediaTime),
	}
	return nil
}

// fragment reads the video of a movie fragment.
func (m *movie) fragment(ctx context.Context, b box) error {
	data, err := b.load(m.r, maxFragment)
	if err != nil {
		return err
	}
	if b.header != 8 {
		return fmt.Errorf("the moof box at %d is too long: %w", b.at, ErrFormat)
	}
	parsed, err := decode(data, b.at)
	if err != nil {
		return err
	}
	moof, ok := parsed.(*mp4.MoofBox)
	if !ok {
		return fmt.Errorf("the moof box at %d is none: %w", b.at, ErrFormat)
	}
	m.audit.walk("moof", data[8:])
	const several = "The file has several runs of pictures in one fragment; players differ in where they look for them."
	for i, traf := range moof.Trafs {
		if traf.Tfhd == nil {
			m.audit.fault("The file has a fragment that does not say of which track it is.")
			continue
		}
		if traf.Tfhd.TrackID != m.track.id {
			continue
		}
		if slices.ContainsFunc(moof.Trafs[:i], func(t *mp4.TrafBox) bool { return t.Tfhd != nil && t.Tfhd.TrackID == m.track.id }) {
			m.audit.fault(several)
		}
		m.base(traf, i, b.at)
		if err := m.run(ctx, traf, b.at); err != nil {
			return err
		}
		m.reference = nil
	}
	return nil
}

// base looks at where the data of a track fragment begins (ISO/IEC 14496-12 §8.8.7):
// where the fragment does. Neither flag means that only for the first track in the
// fragment; for those after it, it is where the data of the one before ends.
func (m *movie) base(traf *mp4.TrafBox, n int, moof int64) {
	const own, isMoof = 0x1, 0x20000
	flags, doubt := traf.Tfhd.Flags&(own|isMoof), false
	switch flags {
	case 0:
		doubt = n > 0
	case own:
		doubt = traf.Tfhd.BaseDataOffset != uint64(moof)
	case own | isMoof:
		doubt = true
	}
	if doubt || len(traf.Truns) > 0 && !traf.Truns[0].HasDataOffset() {
		m.audit.fault("The file does not say clearly where the data of its fragments is; players differ in where they look for it.")
	}
	if traf.Tfdt == nil {
		m.audit.fault("The file has a fragment without a time.")
	}
}

// run reads the samples of a track fragment.
func (m *movie) run(ctx context.Context, traf *mp4.TrafBox, moof int64) error {
	head := traf.Tfhd
	number := uint32(1)
	if m.track.trex != nil {
		number = m.track.trex.DefaultSampleDescriptionIndex
	} else {
		m.audit.fault("The file has fragments, and no defaults for them.")
	}
	if head.HasSampleDescriptionIndex() {
		number = head.SampleDescriptionIndex
	}
	if err := m.use(number); err != nil {
		return err
	}
	if traf.Tfdt != nil {
		m.decode = int64(min(traf.Tfdt.BaseMediaDecodeTime(), 1<<60))
	}
	at := moof
	for _, trun := range traf.Truns {
		if trun.HasDataOffset() {
			at = moof + int64(trun.DataOffset)
		}
		trun.AddSampleDefaultValues(head, m.track.trex)
		for _, s := range trun.Samples {
			if err := m.sample(ctx, at, int64(s.Size), int64(s.CompositionTimeOffset), int64(s.Dur)); err != nil {
				return err
			}
			at += int64(s.Size)
			m.decode += int64(s.Dur)
		}
	}
	return nil
}

// use makes a sample entry that of the samples that follow.
func (m *movie) use(number uint32) error {
	if number == m.entryNo {
		return nil
	}
	e, err := m.track.entry(number)
	if err != nil {
		return err
	}
	m.changed = m.entryNo != 0
	m.entryNo, m.current, m.news = number, e, true
	return nil
}

// sample reads one sample and hands it on.
func (m *movie) sample(ctx context.Context, at, size, offset, duration int64) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("check the file: %w", err)
	}
	if at < 0 || size < 0 || size > maxSample || at > m.size-size {
		return fmt.Errorf("a picture of %d bytes at %d is not in the file: %w", size, at, ErrFormat)
	}
	if m.read += size + 1; m.read > 2*m.size { // samples do not overlap
		return fmt.Errorf("the pictures are longer than the file: %w", ErrFormat)
	}
	data := make([]byte, size)
	if _, err := m.r.ReadAt(data, at); err != nil {
		return fmt.Errorf("read the picture at %d: %w", at, orFormat(err))
	}
	units, err := nal.SplitLengthPrefixed(data, m.current.lengthSize)
	if err != nil {
		return fmt.Errorf("the picture at %d: %w: %w", at, err, ErrFormat)
	}
	u := &codecs.Unit{PTS: m.track.ticks(m.decode + offset), Payload: units}
	if w := m.reference; w != nil {
		u.At = w.at + (u.PTS-m.track.ticks(w.media))*1_000_000/clock
	}
	var sets [][]byte
	if m.news {
		if m.changed && !keyed(m.codec(), units) {
			m.audit.fault("The file's header changes within a group of pictures; the signature does not cover that.")
		}
		sets, m.news = m.current.sets, false
	}
	return m.yield(u, m.track.ticks(duration), sets)
}
