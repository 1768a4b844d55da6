package h265

import (
	"fmt"
	"math"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"

	"github.com/sightline-cam/sightline/codecs/nal"
)

// Info is what a sequence parameter set says about a stream.
type Info struct {
	// Width and Height are the size of the picture shown, in luma samples.
	Width, Height int
	// Profile is general_profile_idc: 1 Main, 2 Main 10, …
	Profile uint8
	// HighTier is general_tier_flag.
	HighTier bool
	// Level is general_level_idc: thirty times the level, 93 is level 3.1.
	Level uint8
	// FrameRate is the number of pictures a second by the VUI's timing; 0 if
	// it says nothing plausible.
	FrameRate float64
	// ChromaFormat is chroma_format_idc: 1 for 4:2:0.
	ChromaFormat uint8
	// BitDepth is the number of bits of a luma sample.
	BitDepth uint8
	// MaxReorder is how many pictures at most come before a picture in
	// sending order and after it in showing order
	// (sps_max_num_reorder_pics of the highest sub-layer).
	MaxReorder int
}

// Largest values taken for real.
const (
	maxSide      = 16_384
	maxFrameRate = 1_000
	maxDPB       = 16
	maxBitDepth  = 16
)

// BFramesPossible reports whether the stream may have pictures sent in another
// order than they are shown in. nal.BFrameDetector finds out whether it has any.
func (i Info) BFramesPossible() bool { return i.MaxReorder != 0 }

// ParseSPS parses a sequence parameter set (ITU-T H.265 §7.3.2.2.1). A video
// usability information (Annex E) that is cut off counts as absent. The error
// wraps nal.ErrMalformed.
func ParseSPS(unit []byte) (Info, error) {
	if len(unit) <= headerSize {
		return Info{}, fmt.Errorf("parse SPS: %d bytes: %w", len(unit), nal.ErrMalformed)
	}
	var s h265.SPS
	if err := s.Unmarshal(unit); err != nil {
		// What stands before the long-term pictures and the VUI is enough.
		if s.VUI == nil && !s.LongTermRefPicsPresentFlag {
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
	info := Info{
		Width:        int(w),
		Height:       int(h),
		Profile:      s.ProfileTierLevel.GeneralProfileIdc,
		HighTier:     s.ProfileTierLevel.GeneralTierFlag != 0,
		Level:        s.ProfileTierLevel.GeneralLevelIdc,
		FrameRate:    frameRate(s.FPS()),
		ChromaFormat: uint8(s.ChromaFormatIdc),
		BitDepth:     uint8(s.BitDepthLumaMinus8 + 8),
	}
	if n := len(s.MaxNumReorderPics); n > 0 {
		info.MaxReorder = int(min(s.MaxNumReorderPics[n-1], maxDPB))
	}
	return info, nil
}

// size returns the size of the picture inside the conformance window
// (§7.4.3.2.1).
func size(s *h265.SPS) (w, h int64) {
	w, h = int64(s.PicWidthInLumaSamples), int64(s.PicHeightInLumaSamples)
	if c := s.ConformanceWindow; c != nil {
		unitX, unitY := int64(1), int64(1)
		if s.ChromaFormatIdc == 1 || s.ChromaFormatIdc == 2 {
			unitX = 2
		}
		if s.ChromaFormatIdc == 1 {
			unitY = 2
		}
		w -= unitX * (int64(c.LeftOffset) + int64(c.RightOffset))
		h -= unitY * (int64(c.TopOffset) + int64(c.BottomOffset))
	}
	return w, h
}

func frameRate(fps float64) float64 {
	if math.IsNaN(fps) || fps <= 0 || fps > maxFrameRate {
		return 0
	}
	return fps
}
