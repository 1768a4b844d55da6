package verify

import (
	"encoding/binary"
	"fmt"

	"github.com/Eyevinn/mp4ff/mp4"

	"github.com/sightline-cam/sightline/codecs"
)

// track is the video track of an MP4 file.
type track struct {
	id        uint32
	timescale int64
	trak      *mp4.TrakBox
	trex      *mp4.TrexBox
	entries   []entry
	// asked says that the file asks for another size of picture; created are the
	// times of creation in its headers.
	asked   string
	created []uint64
}

// entry is a sample entry: how pictures are coded.
type entry struct {
	codec      codecs.Codec
	lengthSize int
	sets       [][]byte
}

// chooseTrack returns the first video track that can be checked, and what else is in
// the file. raw is the whole moov box.
func chooseTrack(moov *mp4.MoovBox, raw []byte, a *auditor) (t *track, notes []string, err error) {
	raws := traks(raw)
	for i, trak := range moov.Traks {
		if i >= len(raws) || trak.Mdia == nil || trak.Mdia.Hdlr == nil || trak.Tkhd == nil {
			a.fault("The file has a track that does not say what it is.")
			continue
		}
		switch kind := trak.Mdia.Hdlr.HandlerType; {
		case kind == "soun" && sound(trak):
			notes = append(notes, "The sound is not signed: the standard covers pictures only.")
			continue
		case kind != "vide":
			a.fault("The file has a track of another kind than video and sound (%q), which was not checked.", kind)
			continue
		case t != nil:
			a.fault("The file has a second video track, which was not checked.")
			continue
		}
		if t, err = newTrack(moov, trak); err != nil {
			return nil, nil, err
		}
		for _, e := range t.entries {
			e.header(a)
		}
		t.display(a, moov, raw[8:], raws[i])
		t.created = created(raw[8:], raws[i])
	}
	if t == nil {
		return nil, nil, fmt.Errorf("there is no video track: %w", ErrFormat)
	}
	for _, trak := range moov.Traks {
		if trak.Tkhd != nil && trak.Tkhd.TrackID == t.id && trak != t.trak {
			a.fault("The file has two tracks of the same number.")
		}
	}
	return t, notes, nil
}

// sound reports whether a track's sample entries are of no picture.
func sound(trak *mp4.TrakBox) bool {
	if trak.Mdia.Minf == nil || trak.Mdia.Minf.Stbl == nil || trak.Mdia.Minf.Stbl.Stsd == nil {
		return false
	}
	entries := trak.Mdia.Minf.Stbl.Stsd.Children
	for _, b := range entries {
		if _, ok := b.(*mp4.AudioSampleEntryBox); ok {
			continue
		}
		switch b.Type() { // those that the library does not know
		case "ulaw", "alaw", "Opus", "fLaC", "sowt", "twos", "ipcm", "lpcm", ".mp3", "samr", "sawb":
		default:
			return false
		}
	}
	return len(entries) > 0
}

// traks returns the bodies of the tracks' boxes.
func traks(moov []byte) [][]byte {
	var out [][]byte
	for rest := moov[min(8, len(moov)):]; len(rest) >= 8; {
		size := binary.BigEndian.Uint32(rest)
		if size < 8 || int64(size) > int64(len(rest)) {
			break
		}
		if string(rest[4:8]) == "trak" {
			out = append(out, rest[8:size])
		}
		rest = rest[size:]
	}
	return out
}

func newTrack(moov *mp4.MoovBox, trak *mp4.TrakBox) (*track, error) {
	if trak.Mdia.Mdhd == nil || trak.Mdia.Mdhd.Timescale == 0 || trak.Mdia.Minf == nil || trak.Mdia.Minf.Stbl == nil || trak.Mdia.Minf.Stbl.Stsd == nil {
		return nil, fmt.Errorf("the video track is not described: %w", ErrFormat)
	}
	t := &track{id: trak.Tkhd.TrackID, timescale: int64(trak.Mdia.Mdhd.Timescale), trak: trak}
	if moov.Mvex != nil {
		for _, trex := range moov.Mvex.Trexs {
			if trex.TrackID == t.id {
				t.trex = trex
			}
		}
	}
	for _, b := range trak.Mdia.Minf.Stbl.Stsd.Children {
		v, ok := b.(*mp4.VisualSampleEntryBox)
		switch {
		case ok && v.AvcC != nil:
			// The library reads the length's size away: it writes 4 only.
			t.entries = append(t.entries, entry{codecs.H264, 4, append(append([][]byte{}, v.AvcC.SPSnalus...), v.AvcC.PPSnalus...)})
		case ok && v.HvcC != nil:
			e := entry{codec: codecs.H265, lengthSize: int(v.HvcC.LengthSizeMinusOne) + 1}
			for i := range v.HvcC.NaluArrays {
				e.sets = append(e.sets, v.HvcC.NaluArrays[i].Nalus...)
			}
			t.entries = append(t.entries, e)
		default:
			t.entries = append(t.entries, entry{})
		}
	}
	if len(t.entries) == 0 || t.entries[0].codec == codecs.Unknown {
		return nil, fmt.Errorf("the video is neither H.264 nor H.265: %w", ErrFormat)
	}
	return t, nil
}

// entry returns a sample entry by its number, from 1.
func (t *track) entry(n uint32) (entry, error) {
	if n < 1 || int64(n) > int64(len(t.entries)) || t.entries[n-1].codec != t.entries[0].codec {
		return entry{}, fmt.Errorf("pictures of another coding (sample entry %d): %w", n, ErrFormat)
	}
	return t.entries[n-1], nil
}

// ticks converts a time of the track.
func (t *track) ticks(v int64) int64 {
	return v/t.timescale*clock + v%t.timescale*clock/t.timescale
}
