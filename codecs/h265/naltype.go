package h265

import "github.com/sightline-cam/sightline/codecs/nal"

// NALType is a NAL unit type (ITU-T H.265 Table 7-1).
type NALType uint8

// NAL unit types. Of the types below 16, which are not for random access, even
// ones (…N) mark sub-layer non-reference pictures.
const (
	TrailN          NALType = 0
	TrailR          NALType = 1
	TSAN            NALType = 2
	TSAR            NALType = 3
	STSAN           NALType = 4
	STSAR           NALType = 5
	RADLN           NALType = 6
	RADLR           NALType = 7
	RASLN           NALType = 8
	RASLR           NALType = 9
	BLAWLP          NALType = 16
	BLAWRADL        NALType = 17
	BLANLP          NALType = 18
	IDRWRADL        NALType = 19
	IDRNLP          NALType = 20
	CRA             NALType = 21
	VPS             NALType = 32
	SPS             NALType = 33
	PPS             NALType = 34
	AccessUnitDelim NALType = 35
	EndOfSequence   NALType = 36
	EndOfBitstream  NALType = 37
	Filler          NALType = 38
	PrefixSEI       NALType = 39
	SuffixSEI       NALType = 40
)

// invalid is a value that no NAL unit has.
const invalid NALType = 0xff

// headerSize is the length of a NAL unit header in bytes (§7.3.1.2).
const headerSize = 2

// TypeOf returns the type of a NAL unit; 255, which is no type, if it is too
// short for its header.
func TypeOf(unit []byte) NALType {
	if len(unit) < headerSize {
		return invalid
	}
	return NALType(unit[0] >> 1 & 0x3f)
}

// VCL reports whether NAL units of the type hold a part of a picture.
func (t NALType) VCL() bool { return t <= RASLR || t.IRAP() }

// IRAP reports whether NAL units of the type belong to a picture at which
// decoding can start.
func (t NALType) IRAP() bool { return t >= BLAWLP && t <= CRA }

// Leading reports whether NAL units of the type belong to a picture that is sent
// after an IRAP picture and shown before it.
func (t NALType) Leading() bool { return t >= RADLN && t <= RASLR }

// subLayerNonReference reports whether no picture of the same temporal sub-layer
// refers to it.
func (t NALType) subLayerNonReference() bool { return t <= RASLR && t%2 == 0 }

// layerID returns nuh_layer_id; 0 is the base layer.
func layerID(unit []byte) byte { return unit[0]&1<<5 | unit[1]>>3 }

// temporalID returns TemporalId, the number of the temporal sub-layer.
func temporalID(unit []byte) int { return int(unit[1]&7) - 1 }

// HighestTemporalID returns the number of the highest temporal sub-layer that a
// sequence parameter set allows: what IsDiscardable needs. It is 6, the highest
// there is, for what is no SPS.
func HighestTemporalID(sps []byte) int {
	if TypeOf(sps) != SPS || len(sps) <= headerSize {
		return 6
	}
	return int(sps[headerSize] >> 1 & 7)
}

// IsKey reports whether an access unit is an IRAP picture.
func IsKey(units [][]byte) bool {
	for _, u := range units {
		if t := TypeOf(u); t.VCL() {
			return t.IRAP()
		}
	}
	return false
}

// IsDiscardable reports whether no other picture refers to an access unit: it
// has slices, all of them are sub-layer non-reference pictures, and their
// sub-layer is the highest, so that no picture of a higher one can refer to
// them (§3, sub-layer non-reference picture).
func IsDiscardable(units [][]byte, highestTemporalID int) bool {
	found := false
	for _, u := range units {
		t := TypeOf(u)
		if !t.VCL() {
			continue
		}
		if !t.subLayerNonReference() || temporalID(u) < highestTemporalID {
			return false
		}
		found = true
	}
	return found
}

// SplitAnnexB is nal.SplitAnnexB.
func SplitAnnexB(stream []byte) ([][]byte, error) { return nal.SplitAnnexB(stream) }

// SplitHVCC is nal.SplitLengthPrefixed.
func SplitHVCC(sample []byte, lengthSize int) ([][]byte, error) {
	return nal.SplitLengthPrefixed(sample, lengthSize)
}
