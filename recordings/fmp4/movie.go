package fmp4

import (
	"fmt"
	"io"
	"slices"

	"github.com/Eyevinn/mp4ff/bits"
	"github.com/Eyevinn/mp4ff/mp4"

	"github.com/sightline-cam/sightline/recordings"
)

// VideoClock is the number of ticks a second of video.
const VideoClock = 90_000

// Movie describes the boxes in front of the fragments of a file: ftyp and moov.
type Movie struct {
	// Start is when the first picture was captured, which players call the file's
	// creation; 0 if that is not known.
	Start recordings.Time
	// Duration in ticks of VideoClock; 0 if it is not known, as while it is being
	// written.
	Duration int64
	// Title is what players show, Writer the program.
	Title, Writer string
	// Tracks have the numbers 1, 2, …; at least one.
	Tracks []MovieTrack
}

// MovieTrack is one track of a Movie.
type MovieTrack struct {
	// Video tells pictures from sound.
	Video bool
	// Clock is the number of ticks a second.
	Clock uint32
	// Width and Height are the size of the picture shown.
	Width, Height int
	// Delay is the media time at which the presentation begins (an edit list, §8.6.6).
	// Pictures that are decoded in another order than shown need it.
	Delay int64
	// Entries are sample entries, whole boxes, at least one (ISO/IEC 14496-12 §8.5.2).
	// The fragments name one by its number, from 1 on.
	Entries [][]byte
}

// AppendType appends the box that names the kind of file (§4.3).
func AppendType(dst []byte) ([]byte, error) {
	// iso6 has signed composition offsets in fragments.
	return appendBox(dst, mp4.NewFtyp("iso6", 0, []string{"iso6", "iso5", "isom", "mp41"}))
}

// AppendMovie appends a moov box.
func AppendMovie(dst []byte, m Movie) ([]byte, error) {
	moov := mp4.NewMoovBox()
	mvhd := mp4.CreateMvhd()
	mvhd.Timescale = VideoClock
	mvhd.NextTrackID = uint32(len(m.Tracks) + 1)
	if m.Start > 0 {
		mvhd.Version = 1 // seconds since 1904 no longer fit 32 bits in 2040
		mvhd.CreationTime = uint64(m.Start.Std().Unix() + mp4.EpochDiffS)
		mvhd.ModificationTime = mvhd.CreationTime
	}
	moov.AddChild(mvhd)
	mvex := mp4.NewMvexBox()
	if m.Duration > 0 {
		mvex.AddChild(&mp4.MehdBox{Version: 1, FragmentDuration: m.Duration})
	}
	for i, t := range m.Tracks {
		id := uint32(i + 1)
		moov.AddChild(t.box(id))
		mvex.AddChild(mp4.CreateTrex(id))
	}
	moov.AddChild(mvex)
	if tags := appendTags(nil, m.Title, m.Writer); tags != nil {
		moov.AddChild(rawBox(tags))
	}
	return appendBox(dst, moov)
}

// box returns the track's trak box.
func (t MovieTrack) box(id uint32) mp4.Box {
	kind, name := "audio", "Sound"
	if t.Video {
		kind, name = "video", "Video"
	}
	trak := mp4.CreateEmptyTrak(id, t.Clock, kind, "und")
	trak.Mdia.Hdlr.Name = name
	if t.Delay > 0 {
		edts := &mp4.EdtsBox{}
		edts.AddChild(&mp4.ElstBox{Entries: []mp4.ElstEntry{{MediaTime: t.Delay, MediaRateInteger: 1}}})
		trak.Edts = edts
		trak.Children = slices.Insert(trak.Children, 1, mp4.Box(edts)) // between tkhd and mdia
	}
	trak.Tkhd.Width, trak.Tkhd.Height = mp4.Fixed32(t.Width<<16), mp4.Fixed32(t.Height<<16)
	stsd := trak.Mdia.Minf.Stbl.Stsd
	for _, e := range t.Entries { // AddChild wants the types it knows
		stsd.Children = append(stsd.Children, rawBox(e))
		stsd.SampleCount++
	}
	return trak
}

// rawBox is a whole box that is written as it is.
type rawBox []byte

var _ mp4.Box = rawBox(nil)

func (b rawBox) Type() string { return string(b[4:8]) }
func (b rawBox) Size() uint64 { return uint64(len(b)) }

func (b rawBox) Encode(w io.Writer) error {
	_, err := w.Write(b)
	return err
}

func (b rawBox) EncodeSW(sw bits.SliceWriter) error {
	sw.WriteBytes(b)
	return sw.AccError()
}

func (b rawBox) Info(io.Writer, string, string, string) error { return nil }

// appendBox appends a box.
func appendBox(dst []byte, b mp4.Box) ([]byte, error) {
	sw := bits.NewFixedSliceWriter(int(b.Size()))
	if err := b.EncodeSW(sw); err != nil {
		return dst, fmt.Errorf("write box %s: %w", b.Type(), err)
	}
	return append(dst, sw.Bytes()...), nil
}
