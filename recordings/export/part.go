package export

import (
	"fmt"
	"slices"

	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/fmp4"
)

// part is what the export takes of one segment.
type part struct {
	seg recordings.Segment // with the fragments taken
	// offset is where its first fragment stands in the export, size what all take;
	// number is how many fragments precede it.
	offset, size int64
	number       int
	// missing is how many fragments are not in the file, which is too short.
	missing int

	// Numbers of tracks and sample entries, from 1 on; soundTrack is 0 without sound.
	pictureTrack, pictureEntry uint32
	soundTrack, soundEntry     uint32
	soundClock                 int64

	// What it covers in the segment's own media time, of which pictures are shown
	// delay later.
	pictures, sound fmp4.Span
	delay           int64
	// begin is when its first picture is shown in the export, in ticks of VideoClock.
	begin int64
	// late is by how much the sound has run behind the pictures at the end of the
	// segment, in ticks of its clock. It is taken back little by little.
	late int64
	// free is where the sound before it ends in the export.
	free int64
}

// bytes returns what of a fragment's bytes is taken, the check in front included.
func (p *part) bytes(f recordings.Fragment) int64 {
	if p.soundTrack == 0 {
		return f.VideoBytes
	}
	return f.Bytes
}

// length is how long its pictures are shown.
func (p *part) length() int64 { return p.pictures.Over - p.pictures.Shown }

// shift is what the export's presentation is later than the segment's.
func (p *part) shift() int64 { return p.begin - (p.pictures.Shown - p.delay) }

// follow sets begin so that it follows another part: its pictures are shown, and
// decoded, after those. The one is not the same as the other if the two delay them
// by different times.
func (p *part) follow(before *part) {
	decoded := before.pictures.End - before.delay + before.shift()
	p.begin = max(before.begin+before.length(), decoded-(p.pictures.Start-p.delay)+(p.pictures.Shown-p.delay))
}

// gapTo returns the time between it and the part that follows; 0 if that goes on
// where this one ends.
func (p *part) gapTo(next *part) recordings.Range {
	r := recordings.Range{From: p.last().End(), To: next.seg.Fragments[0].Start}
	if r.Empty() {
		return recordings.Range{}
	}
	return r
}

func (p *part) last() *recordings.Fragment { return &p.seg.Fragments[len(p.seg.Fragments)-1] }

// soundAt maps a time of the segment's sound to the export, before anything is
// corrected.
func (p *part) soundAt(t int64) int64 {
	return t + p.shift()*p.soundClock/fmp4.VideoClock
}

// edit says what becomes of its fragment with a number; delay is that of the export.
func (p *part) edit(i int, delay int64) fmp4.Edit {
	return fmp4.Edit{
		Sequence: uint32(2*(p.number+i) + 1),
		Video: fmp4.Placement{Track: p.pictureTrack, Description: p.pictureEntry, At: func(t int64) int64 {
			return t + p.shift() + delay - p.delay
		}},
		Audio: fmp4.Placement{Track: p.soundTrack, Description: p.soundEntry, At: p.correctedSoundAt},
	}
}

// correctedSoundAt is soundAt so that sound neither overlaps that of the part before
// nor that of the one after.
func (p *part) correctedSoundAt(t int64) int64 {
	at := p.soundAt(t)
	if p.late > 0 && p.sound.End > 0 {
		at -= t * p.late / p.sound.End
	}
	return max(at, p.free)
}

// load reads what describes the segment, finds out what the part covers, and returns
// the camera's name.
func (p *part) load(m Media, t *tracks, o Options) (name string, err error) {
	file, err := fmp4.Open(m, m.Size())
	if err != nil {
		return "", err
	}
	fragments := p.seg.Fragments
	end := file.InitBytes
	for _, f := range fragments {
		if f.Offset < end || f.VideoBytes <= fmp4.CheckBytes || f.Bytes < f.VideoBytes || f.Bytes > fmp4.MaxFragmentBytes {
			return "", fmt.Errorf("its index contradicts itself at %d; run sightline recordings rebuild", f.Offset)
		}
		end = f.Offset + f.Bytes
	}
	if fragments = p.shorten(m.Size()); len(fragments) == 0 {
		return "", fmt.Errorf("it has %d bytes, of %d in the index; run sightline recordings check: %w", m.Size(), end, fmp4.ErrMalformed)
	}
	p.delay = file.Delay
	p.pictureTrack, p.pictureEntry = t.video(file)
	if file.Audio != nil {
		p.soundClock = int64(file.Audio.ClockRate)
	}
	if err := p.spans(m, file.Audio != nil && !o.NoSound); err != nil {
		return "", err
	}
	if p.sound.End > 0 {
		p.soundTrack, p.soundEntry = t.audio(file)
	}
	for _, f := range fragments {
		p.size += p.bytes(f) - fmp4.CheckBytes
	}
	return file.CameraName, nil
}

// shorten leaves out the fragments that are not in a file of that size, and returns
// the others.
func (p *part) shorten(size int64) []recordings.Fragment {
	all := p.seg.Fragments
	n := len(all)
	for n > 0 && all[n-1].Offset+all[n-1].Bytes > size {
		n--
	}
	p.missing = len(all) - n
	p.seg.Fragments = all[:n:n]
	return p.seg.Fragments
}

// spans reads what the pictures and the sound of the fragments cover.
func (p *part) spans(m Media, sound bool) error {
	first, err := p.span(m, pictureOnly(p.seg.Fragments[0]))
	if err != nil {
		return err
	}
	last, err := p.span(m, pictureOnly(*p.last()))
	if err != nil {
		return err
	}
	p.pictures = fmp4.Span{
		Start: first.video.Start, Shown: first.video.Shown,
		End: last.video.End, Over: max(last.video.Over, first.video.Shown+1),
	}
	heard := func(f recordings.Fragment) bool { return f.Bytes > f.VideoBytes }
	i := slices.IndexFunc(p.seg.Fragments, heard)
	if !sound || i < 0 {
		return nil
	}
	if first, err = p.span(m, p.seg.Fragments[i]); err != nil {
		return err
	}
	for i = len(p.seg.Fragments) - 1; !heard(p.seg.Fragments[i]); i-- { // ends at the first one's
	}
	if last, err = p.span(m, p.seg.Fragments[i]); err != nil {
		return err
	}
	p.sound = fmp4.Span{Start: first.audio.Start, End: max(last.audio.End, first.audio.Start+1)}
	return nil
}

// spans are what the tracks of a fragment cover.
type spans struct{ video, audio fmp4.Span }

// span reads what a fragment covers. Of a damaged one it is what the index says.
func (p *part) span(m Media, f recordings.Fragment) (s spans, err error) {
	s.video, s.audio, err = fmp4.ReadSpans(m, f)
	if !damaged(err) {
		return s, err
	}
	end := f.MediaStart + ticks(f.Duration)
	s.video = fmp4.Span{Start: f.MediaStart, Shown: f.MediaStart + p.delay, End: end, Over: end + p.delay}
	s.audio = fmp4.Span{Start: f.MediaStart * p.soundClock / fmp4.VideoClock, End: end * p.soundClock / fmp4.VideoClock}
	return s, nil
}

// pictureOnly is a fragment without its sound.
func pictureOnly(f recordings.Fragment) recordings.Fragment {
	f.Bytes = f.VideoBytes
	return f
}
