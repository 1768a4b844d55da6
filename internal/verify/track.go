package verify

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/Eyevinn/mp4ff/mp4"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/h264"
	"github.com/sightline-cam/sightline/codecs/h265"
)

// track is the video track of an MP4 file.
type track struct {
	id        uint32
	timescale int64
	trak      *mp4.TrakBox
	trex      *mp4.TrexBox
	entries   []entry
}

// entry is a sample entry: how pictures are coded.
type entry struct {
	codec      codecs.Codec
	lengthSize int
	sets       [][]byte
}

// chooseTrack returns the first video track that can be checked, what of the file
// changes what is shown, and what else is in it. raw is the whole moov box.
func chooseTrack(moov *mp4.MoovBox, raw []byte) (t *track, faults, notes []string, err error) {
	raws := traks(raw)
	for i, trak := range moov.Traks {
		if trak.Mdia == nil || trak.Mdia.Hdlr == nil || trak.Tkhd == nil {
			continue
		}
		switch trak.Mdia.Hdlr.HandlerType {
		case "soun":
			notes = append(notes, "The sound is not signed: the standard covers pictures only.")
			continue
		case "vide":
		default:
			continue
		}
		if t != nil {
			faults = append(faults, "The file has a second video track, which was not checked.")
			continue
		}
		if t, err = newTrack(moov, trak); err != nil {
			return nil, nil, nil, err
		}
		if i < len(raws) && turned(child(raws[i], "tkhd")) {
			faults = append(faults, "The file tells players to turn, mirror or stretch the picture; the signature does not cover that.")
		}
		if text := t.stretched(); text != "" {
			notes = append(notes, text)
		}
		if edited(trak.Edts) {
			faults = append(faults, "The file tells players to show pictures in another order or pace (an edit list); the signature does not cover that.")
		}
	}
	if t == nil {
		return nil, nil, nil, fmt.Errorf("there is no video track: %w", ErrFormat)
	}
	return t, faults, notes, nil
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

// turned reports whether the matrix of a track header is another than the identity
// (ISO/IEC 14496-12 §8.3.2).
func turned(tkhd []byte) bool {
	const size, fromEnd = 36, 44
	if len(tkhd) < fromEnd {
		return false
	}
	matrix := tkhd[len(tkhd)-fromEnd : len(tkhd)-fromEnd+size]
	identity := make([]byte, size)
	identity[1], identity[17], identity[32] = 1, 1, 0x40
	return !bytes.Equal(matrix, identity)
}

// edited reports whether an edit list does more than begin at some picture.
func edited(edts *mp4.EdtsBox) bool {
	if edts == nil {
		return false
	}
	shown := 0
	for _, list := range edts.Elst {
		for _, e := range list.Entries {
			if e.MediaTime < 0 {
				continue // nothing is shown for a while
			}
			if shown++; shown > 1 || e.MediaRateInteger != 1 || e.MediaRateFraction != 0 {
				return true
			}
		}
	}
	return false
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

// stretched says if the file asks for another size of picture than the camera sent.
func (t *track) stretched() string {
	asked := t.trak.Tkhd
	for _, set := range t.entries[0].sets {
		var width, height int
		if info, err := h264.ParseSPS(set); t.entries[0].codec == codecs.H264 && h264.TypeOf(set) == h264.SPS && err == nil {
			width, height = info.Width, info.Height
		} else if info, err := h265.ParseSPS(set); t.entries[0].codec == codecs.H265 && h265.TypeOf(set) == h265.SPS && err == nil {
			width, height = info.Width, info.Height
		} else {
			continue
		}
		if w, h := int(asked.Width>>16), int(asked.Height>>16); w != width || h != height {
			return fmt.Sprintf("The file tells players to show the pictures as %dx%d; the camera sent %dx%d.", w, h, width, height)
		}
		break
	}
	return ""
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
