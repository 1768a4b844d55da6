package fmp4

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/Eyevinn/mp4ff/avc"
	"github.com/Eyevinn/mp4ff/hevc"
	"github.com/Eyevinn/mp4ff/mp4"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/h264"
	"github.com/sightline-cam/sightline/codecs/h265"
	"github.com/sightline-cam/sightline/recordings"
)

// maxParameterSet is the largest parameter set that a sample entry holds.
const maxParameterSet = 0xffff

// videoEntry makes the sample entry of a video track, avc1 or hvc1 (ISO/IEC
// 14496-15 §5.4.2, §8.4.1), and sets what of the format it says.
func videoEntry(t codecs.Track, f *recordings.Format) (entry []byte, r reordering, err error) {
	for _, set := range [][]byte{t.VPS, t.SPS, t.PPS} {
		if len(set) > maxParameterSet {
			return nil, r, fmt.Errorf("a parameter set of %d bytes", len(set))
		}
	}
	if t.ClockRate != 0 && t.ClockRate != VideoClock {
		return nil, r, fmt.Errorf("video with a clock of %d Hz; it has to be %d", t.ClockRate, VideoClock)
	}
	if len(t.SPS) == 0 || len(t.PPS) == 0 || len(t.VPS) == 0 && t.Codec == codecs.H265 {
		return nil, r, errors.New("the video's parameter sets are not known; wait for a key frame")
	}
	var name string
	var config mp4.Box
	switch t.Codec {
	case codecs.H264:
		name = "avc1"
		config, r, err = avcConfig(t, f)
	case codecs.H265:
		name = "hvc1"
		config, r, err = hevcConfig(t, f)
	default:
		err = fmt.Errorf("a segment cannot hold video coded as %v", t.Codec)
	}
	if err != nil {
		return nil, r, err
	}
	box := mp4.CreateVisualSampleEntryBox(name, uint16(f.Width), uint16(f.Height), config)
	box.CompressorName = ""
	entry, err = appendBox(nil, box)
	return entry, r, err
}

// avcConfig makes the avcC box (ISO/IEC 14496-15 §5.3.3.1).
func avcConfig(t codecs.Track, f *recordings.Format) (mp4.Box, reordering, error) {
	info, err := h264.ParseSPS(t.SPS)
	if err != nil {
		return nil, reordering{}, fmt.Errorf("describe H.264: %w", err)
	}
	f.Video, f.Width, f.Height = "avc1."+info.ProfileLevelID(), info.Width, info.Height
	record := avc.DecConfRec{
		AVCProfileIndication: info.Profile,
		ProfileCompatibility: info.Constraints,
		AVCLevelIndication:   info.Level,
		SPSnalus:             [][]byte{t.SPS},
		PPSnalus:             [][]byte{t.PPS},
		ChromaFormat:         info.ChromaFormat,
		BitDepthLumaMinus1:   info.BitDepth - 8, // mp4ff's names are wrong by 7
		BitDepthChromaMinus1: info.BitDepth - 8,
	}
	switch info.Profile {
	case 100, 110, 122: // the profiles for which mp4ff writes what follows the parameter sets
	default:
		record.NoTrailingInfo = true
	}
	return &mp4.AvcCBox{DecConfRec: record}, newReordering(info.MaxReorder, info.FrameRate), nil
}

// hevcConfig makes the hvcC box (ISO/IEC 14496-15 §8.3.3.1).
func hevcConfig(t codecs.Track, f *recordings.Format) (mp4.Box, reordering, error) {
	info, err := h265.ParseSPS(t.SPS)
	if err != nil {
		return nil, reordering{}, fmt.Errorf("describe H.265: %w", err)
	}
	record, err := profileTierLevel(t.SPS)
	if err != nil {
		return nil, reordering{}, fmt.Errorf("describe H.265: %w", err)
	}
	record.ConfigurationVersion = 1
	record.ChromaFormatIDC = info.ChromaFormat
	record.BitDepthLumaMinus8 = info.BitDepth - 8
	record.BitDepthChromaMinus8 = info.BitDepth - 8
	record.LengthSizeMinusOne = nalLength - 1
	record.NaluArrays = []hevc.NaluArray{
		hevc.NewNaluArray(true, hevc.NALU_VPS, [][]byte{t.VPS}),
		hevc.NewNaluArray(true, hevc.NALU_SPS, [][]byte{t.SPS}),
		hevc.NewNaluArray(true, hevc.NALU_PPS, [][]byte{t.PPS}),
	}
	f.Video = hevc.CodecString("hvc1", &hevc.SPS{ProfileTierLevel: hevc.ProfileTierLevel{
		GeneralProfileSpace:              record.GeneralProfileSpace,
		GeneralTierFlag:                  record.GeneralTierFlag,
		GeneralProfileIDC:                record.GeneralProfileIDC,
		GeneralProfileCompatibilityFlags: record.GeneralProfileCompatibilityFlags,
		GeneralConstraintIndicatorFlags:  record.GeneralConstraintIndicatorFlags,
		GeneralLevelIDC:                  record.GeneralLevelIDC,
	}})
	f.Width, f.Height = info.Width, info.Height
	return &mp4.HvcCBox{DecConfRec: record}, newReordering(info.MaxReorder, info.FrameRate), nil
}

// profileTierLevel reads the beginning of an SPS (ITU-T H.265 §7.3.2.2.1, §7.3.3).
func profileTierLevel(sps []byte) (r hevc.DecConfRec, err error) {
	const header, size = 2, 13
	var b []byte
	for zeros, i := 0, header; i < len(sps) && len(b) < size; i++ {
		if zeros >= 2 && sps[i] == 3 { // against start codes (§7.4.2)
			zeros = 0
			continue
		}
		if b = append(b, sps[i]); sps[i] == 0 {
			zeros++
		} else {
			zeros = 0
		}
	}
	if len(b) < size {
		return r, fmt.Errorf("an SPS of %d bytes: %w", len(sps), ErrMalformed)
	}
	r.NumTemporalLayers = b[0]>>1&7 + 1
	r.TemporalIDNested = b[0] & 1
	r.GeneralProfileSpace = b[1] >> 6
	r.GeneralTierFlag = b[1]>>5&1 == 1
	r.GeneralProfileIDC = b[1] & 0x1f
	r.GeneralProfileCompatibilityFlags = binary.BigEndian.Uint32(b[2:])
	r.GeneralConstraintIndicatorFlags = uint64(binary.BigEndian.Uint32(b[6:]))<<16 | uint64(binary.BigEndian.Uint16(b[10:]))
	r.GeneralLevelIDC = b[12]
	return r, nil
}

// visualFixed is what precedes the boxes in a video sample entry (ISO/IEC 14496-12
// §12.1.3).
const visualFixed = 78

// parseVideoEntry is the inverse of videoEntry.
func parseVideoEntry(kind string, body []byte, f *recordings.Format) (t codecs.Track, err error) {
	if len(body) < visualFixed {
		return t, fmt.Errorf("sample entry %s of %d bytes: %w", kind, len(body), ErrMalformed)
	}
	t.ClockRate = VideoClock
	var config []byte
	switch kind {
	case "avc1":
		t.Codec = codecs.H264
		if config, err = child(body[visualFixed:], "avcC"); err == nil {
			err = parseAVCConfig(config, &t)
		}
	case "hvc1":
		t.Codec = codecs.H265
		if config, err = child(body[visualFixed:], "hvcC"); err == nil {
			err = parseHEVCConfig(config, &t)
		}
	default:
		err = fmt.Errorf("sample entry %q: %w", kind, ErrMalformed)
	}
	if err != nil {
		return t, err
	}
	// The format is what the parameter sets say, so that it cannot contradict them.
	if _, _, err = videoEntry(t, f); err != nil {
		return t, fmt.Errorf("%w: %w", err, ErrMalformed)
	}
	return t, nil
}

// parseAVCConfig reads one SPS and one PPS, which is what avcConfig writes.
func parseAVCConfig(b []byte, t *codecs.Track) error {
	if len(b) < 6 || b[0] != 1 || b[4]&3 != nalLength-1 {
		return fmt.Errorf("avcC of %d bytes: %w", len(b), ErrMalformed)
	}
	var err error
	if t.SPS, b, err = firstSet(b[5:], 0x1f, 1); err == nil {
		t.PPS, _, err = firstSet(b, 0xff, 1)
	}
	return err
}

// parseHEVCConfig reads one VPS, SPS and PPS.
func parseHEVCConfig(b []byte, t *codecs.Track) error {
	const fixed = 22
	if len(b) <= fixed || b[0] != 1 || b[21]&3 != nalLength-1 {
		return fmt.Errorf("hvcC of %d bytes: %w", len(b), ErrMalformed)
	}
	arrays := int(b[fixed])
	b = b[fixed+1:]
	for range arrays {
		if len(b) == 0 {
			return fmt.Errorf("hvcC is cut off: %w", ErrMalformed)
		}
		kind := h265.NALType(b[0] & 0x3f)
		set, rest, err := firstSet(b[1:], 0xffff, 2)
		if err != nil {
			return err
		}
		switch b = rest; kind {
		case h265.VPS:
			t.VPS = set
		case h265.SPS:
			t.SPS = set
		case h265.PPS:
			t.PPS = set
		default: // what else may stand there is not needed
		}
	}
	return nil
}

// firstSet reads a list of parameter sets whose number stands in the first bytes,
// and returns a copy of the first.
func firstSet(b []byte, mask uint16, numberBytes int) (set, rest []byte, err error) {
	if len(b) < numberBytes {
		return nil, nil, fmt.Errorf("a list of parameter sets is cut off: %w", ErrMalformed)
	}
	n := uint16(b[0])
	if numberBytes == 2 {
		n = binary.BigEndian.Uint16(b)
	}
	b = b[numberBytes:]
	for i := range n & mask {
		if len(b) < 2 || len(b)-2 < int(binary.BigEndian.Uint16(b)) {
			return nil, nil, fmt.Errorf("a parameter set is cut off: %w", ErrMalformed)
		}
		end := 2 + int(binary.BigEndian.Uint16(b))
		if i == 0 {
			set = bytes.Clone(b[2:end])
		}
		b = b[end:]
	}
	return set, b, nil
}
