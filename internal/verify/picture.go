package verify

import (
	"github.com/Eyevinn/mp4ff/avc"
	"github.com/Eyevinn/mp4ff/hevc"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/h264"
	"github.com/sightline-cam/sightline/codecs/h265"
)

// format is what a sequence parameter set says of how pictures are shown (ITU-T
// H.264 §7.4.2.1, Annex E; H.265 §7.4.3.2, Annex E).
type format struct {
	width, height int
	// wide and high are the shape of a sample.
	wide, high int
	// colour are primaries, transfer and matrix; 2 means that it does not say. full
	// is the range.
	colour [3]int
	full   bool
	// reorder is how many pictures at most are decoded before one that is shown
	// before them.
	reorder int
}

// mostReordered is the most that either standard allows.
const mostReordered = 16

// parseFormat reads a parameter set. ok is false if it is no SPS that can be read.
func parseFormat(c codecs.Codec, set []byte) (f format, ok bool) {
	defer func() {
		if recover() != nil { // what the library does not expect
			f, ok = format{}, false
		}
	}()
	f = format{wide: 1, high: 1, colour: [3]int{2, 2, 2}, reorder: mostReordered}
	switch {
	case c == codecs.H264 && h264.TypeOf(set) == h264.SPS:
		info, err := h264.ParseSPS(set)
		if err != nil {
			return f, false
		}
		f.width, f.height = info.Width, info.Height
		if s, err := avc.ParseSPSNALUnit(set, true); err == nil {
			f.of264(s)
		}
	case c == codecs.H265 && h265.TypeOf(set) == h265.SPS:
		info, err := h265.ParseSPS(set)
		if err != nil {
			return f, false
		}
		f.width, f.height = info.Width, info.Height
		if s, err := hevc.ParseSPSNALUnit(set); err == nil {
			f.of265(s)
		}
	default:
		return f, false
	}
	return f, true
}

func (f *format) of264(s *avc.SPS) {
	f.reorder = min(int(s.NumRefFrames), mostReordered)
	if s.PicOrderCntType == 2 {
		f.reorder = 0
	}
	v := s.VUI
	if v == nil {
		return
	}
	if v.BitstreamRestrictionFlag {
		f.reorder = min(f.reorder, int(v.MaxNumReorderFrames))
	}
	f.shape(v.SampleAspectRatioWidth, v.SampleAspectRatioHeight)
	f.full = v.VideoSignalTypePresentFlag && v.VideoFullRangeFlag
	if v.ColourDescriptionFlag {
		f.colour = [3]int{int(v.ColourPrimaries), int(v.TransferCharacteristics), int(v.MatrixCoefficients)}
	}
}

func (f *format) of265(s *hevc.SPS) {
	f.reorder = 0
	for _, l := range s.SubLayeringOrderingInfos {
		f.reorder = max(f.reorder, min(int(l.MaxNumReorderPics), mostReordered))
	}
	v := s.VUI
	if v == nil {
		return
	}
	f.shape(v.SampleAspectRatioWidth, v.SampleAspectRatioHeight)
	f.full = v.VideoSignalTypePresentFlag && v.VideoFullRangeFlag
	if v.ColourDescriptionFlag {
		f.colour = [3]int{int(v.ColourPrimaries), int(v.TransferCharacteristics), int(v.MatrixCoefficients)}
	}
}

func (f *format) shape(wide, high uint) {
	if wide > 0 && high > 0 && wide < 1<<16 && high < 1<<16 {
		f.wide, f.high = int(wide), int(high)
	}
}

// reordered reports whether a slice may be of a picture that is shown before one
// that is decoded before it: a B slice. H.265 has those in pictures shown in order,
// so there it says nothing.
func reordered(c codecs.Codec, slice []byte) bool {
	if c == codecs.H265 {
		return true
	}
	t, err := avc.GetSliceTypeFromNALU(slice)
	return err == nil && t == avc.SLICE_B
}

// covered reports whether a NAL unit is of a kind that signatures cover, or says
// nothing: delimiters, ends, filler. In what is of no kind a file of another format
// could be hidden, or pictures for players that know more than the standard.
func covered(c codecs.Codec, n []byte) bool {
	filler := func(header int) bool {
		for i, b := range n[min(header, len(n)):] {
			if b != 0xff && (b != 0x80 || header+i != len(n)-1) {
				return false
			}
		}
		return true
	}
	if len(n) == 0 {
		return true
	}
	if c == codecs.H265 {
		const vps, suffixSEI, delimiter, endOfStream, fill = 32, 40, 35, 37, 38
		switch t := int(n[0]>>1) & 0x3f; {
		case h265.TypeOf(n).VCL(), t >= vps && t < delimiter, t == suffixSEI-1, t == suffixSEI:
			return true
		case t >= delimiter && t <= endOfStream:
			return len(n) <= 3
		default:
			return t == fill && filler(2)
		}
	}
	const sei, pps, delimiter, endOfStream, fill, extension, prefix, subset = 6, 8, 9, 11, 12, 13, 14, 15
	switch t := int(n[0] & 0x1f); {
	case h264.TypeOf(n).VCL(), t >= sei && t <= pps, t == extension, t == subset:
		return true
	case t >= delimiter && t <= endOfStream:
		return len(n) <= 2
	case t == prefix: // of cameras with several layers; it says nothing to other decoders
		return len(n) <= 16
	default:
		return t == fill && filler(1)
	}
}
