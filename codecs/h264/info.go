package h264

import (
	"fmt"
	"math"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"github.com/sightline-cam/sightline/codecs/nal"
)

// Info is what a sequence parameter set says about a stream.
type Info struct {
	// Width and Height are the size of the picture shown, in luma samples.
	Width, Height int
	// Profile is profile_idc (66 Baseline, 77 Main, 100 High, …).
	Profile uint8
	// Constraints holds constraint_set0_flag (most significant bit) to
	// constraint_set5_flag and two zero bits.
	Constraints uint8
	// Level is level_idc: ten times the level, 31 is level 3.1.
	Level uint8
	// FrameRate is the number of frames a second by the VUI's timing; 0 if
	// it says nothing plausible.
	FrameRate float64
	// Interlaced says that pictures may be fields.
	Interlaced bool
	// ChromaFormat is chroma_format_idc: 1 for 4:2:0.
	ChromaFormat uint8
	// BitDepth is the number of bits of a luma sample.
	BitDepth uint8
	// MaxReorder is how many frames at most come before a frame in sending
	// order and after it in showing order; -1 if the stream does not say.
	MaxReorder int
}

// Largest values taken for real.
const (
	maxSide       = 16_384
	maxFrameRate  = 1_000
	maxDPBFrames  = 16
	maxBitDepth   = 14
	pocTypeInSend = 2 // output order is decoding order (§8.2.1.3)
)

// ProfileLevelID returns the profile-level-id of SDP (RFC 6184 §8.1), six
// hexadecimal digits such as "42e01f". With "avc1." before, it is the codec
// parameter of a media type (RFC 6381 §3.3).
func (i Info) ProfileLevelID() string {
	return fmt.Sprintf("%02x%02x%02x", i.Profile, i.Constraints, i.Level)
}

// BFramesPossible reports whether the stream may have frames sent in another
// order than they are shown in. Most encoders do not say that they have none;
// nal.BFrameDetector finds out whether they have any.
func (i Info) BFramesPossible() bool { return i.MaxReorder != 0 }

// ParseSPS parses a sequence parameter set (ITU-T H.264 §7.3.2.1.1). A video
// usability information (Annex E) that is cut off counts as absent. The error
// wraps nal.ErrMalformed.
func ParseSPS(unit []byte) (Info, error) {
	var s h264.SPS
	if err := s.Unmarshal(unit); err != nil {
		if s.VUI == nil {
			return Info{}, fmt.Errorf("parse SPS: %w: %w", err, nal.ErrMalformed)
		}
		s.VUI = nil
	}
	if s.ChromaFormatIdc > 3 || s.BitDepthLumaMinus8 > maxBitDepth-8 {
		return Info{}, fmt.Errorf("parse SPS: chroma format %d, bit depth %d: %w",
			s.ChromaFormatIdc, uint64(s.BitDepthLumaMinus8)+8, nal.ErrMalformed)
	}
	w, h := size(&s)
	if w < 1 || w > maxSide || h < 1 || h > maxSide {
		return Info{}, fmt.Errorf("parse SPS: picture of %d x %d: %w", w, h, nal.ErrMalformed)
	}
	return Info{
		Width:        int(w),
		Height:       int(h),
		Profile:      s.ProfileIdc,
		Constraints:  constraints(&s),
		Level:        s.LevelIdc,
		FrameRate:    frameRate(s.FPS()),
		Interlaced:   !s.FrameMbsOnlyFlag,
		ChromaFormat: uint8(s.ChromaFormatIdc),
		BitDepth:     uint8(s.BitDepthLumaMinus8 + 8),
		MaxReorder:   maxReorder(&s),
	}, nil
}

// size returns the size of the picture after cropping (§7.4.2.1.1).
func size(s *h264.SPS) (w, h int64) {
	fields := int64(1)
	if !s.FrameMbsOnlyFlag {
		fields = 2
	}
	w = 16 * (int64(s.PicWidthInMbsMinus1) + 1)
	h = 16 * (int64(s.PicHeightInMapUnitsMinus1) + 1) * fields
	if c := s.FrameCropping; c != nil {
		unitX, unitY := int64(1), fields
		if !s.SeparateColourPlaneFlag {
			if s.ChromaFormatIdc == 1 || s.ChromaFormatIdc == 2 {
				unitX = 2
			}
			if s.ChromaFormatIdc == 1 {
				unitY *= 2
			}
		}
		w -= unitX * (int64(c.LeftOffset) + int64(c.RightOffset))
		h -= unitY * (int64(c.TopOffset) + int64(c.BottomOffset))
	}
	return w, h
}

func constraints(s *h264.SPS) (b uint8) {
	for i, set := range []bool{
		s.ConstraintSet0Flag, s.ConstraintSet1Flag, s.ConstraintSet2Flag,
		s.ConstraintSet3Flag, s.ConstraintSet4Flag, s.ConstraintSet5Flag,
	} {
		if set {
			b |= 0x80 >> i
		}
	}
	return b
}

func frameRate(fps float64) float64 {
	if math.IsNaN(fps) || fps <= 0 || fps > maxFrameRate {
		return 0
	}
	return fps
}

// maxReorder returns max_num_reorder_frames, said or implied (§E.2.1).
func maxReorder(s *h264.SPS) int {
	if s.PicOrderCntType == pocTypeInSend || s.ProfileIdc == 66 {
		return 0 // the Baseline profile has no B slices
	}
	if s.VUI != nil && s.VUI.BitstreamRestriction != nil && s.VUI.BitstreamRestriction.MaxNumReorderFrames <= maxDPBFrames {
		return int(s.VUI.BitstreamRestriction.MaxNumReorderFrames)
	}
	switch s.ProfileIdc {
	case 44, 86, 100, 110, 122, 244:
		if s.ConstraintSet3Flag {
			return 0 // intra pictures only
		}
	}
	return -1
}
