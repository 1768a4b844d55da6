package export

import (
	"bytes"

	"github.com/sightline-cam/sightline/recordings/fmp4"
)

// track is a track of the exported file. Everything that is coded by one codec with
// one clock goes into one: players know how to change the format in a track, but not
// the codec.
type track struct {
	fmp4.MovieTrack
	// kind is that of its sample entries.
	kind string
	// channels of sound.
	channels int
	// end is where the last fragment so far ends, in ticks of its clock.
	end int64
}

// kindOf returns the kind of a sample entry: avc1, mp4a, …
func kindOf(entry []byte) string { return string(entry[4:8]) }

// tracks are the tracks of the exported file, in the order of their numbers.
type tracks []*track

// video returns the number of the track that the segment's pictures belong to, and
// that of their sample entry in it, both from 1 on.
func (t *tracks) video(f *fmp4.File) (number, entry uint32) {
	kind := kindOf(f.VideoEntry)
	for i, tr := range *t {
		if tr.Video && tr.kind == kind {
			tr.Width, tr.Height = max(tr.Width, f.Format.Width), max(tr.Height, f.Format.Height)
			tr.Delay = max(tr.Delay, f.Delay)
			return uint32(i + 1), tr.entry(f.VideoEntry)
		}
	}
	*t = append(*t, &track{kind: kind, MovieTrack: fmp4.MovieTrack{
		Video: true, Clock: fmp4.VideoClock, Width: f.Format.Width, Height: f.Format.Height, Delay: f.Delay,
	}})
	return uint32(len(*t)), (*t)[len(*t)-1].entry(f.VideoEntry)
}

// audio is video for the sound.
func (t *tracks) audio(f *fmp4.File) (number, entry uint32) {
	kind, clock, channels := kindOf(f.AudioEntry), uint32(f.Audio.ClockRate), f.Audio.Channels
	for i, tr := range *t {
		if tr.kind == kind && tr.Clock == clock && tr.channels == channels {
			return uint32(i + 1), tr.entry(f.AudioEntry)
		}
	}
	*t = append(*t, &track{kind: kind, channels: channels, MovieTrack: fmp4.MovieTrack{Clock: clock}})
	return uint32(len(*t)), (*t)[len(*t)-1].entry(f.AudioEntry)
}

// entry returns the number of a sample entry.
func (t *track) entry(b []byte) uint32 {
	for i, e := range t.Entries {
		if bytes.Equal(e, b) {
			return uint32(i + 1)
		}
	}
	t.Entries = append(t.Entries, b)
	return uint32(len(t.Entries))
}
