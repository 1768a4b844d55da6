package h264

import "github.com/sightline-cam/sightline/codecs/nal"

// NALType is a NAL unit type (ITU-T H.264 Table 7-1).
type NALType uint8

// NAL unit types.
const (
	Slice              NALType = 1 // of a picture that is not IDR
	PartitionA         NALType = 2
	PartitionB         NALType = 3
	PartitionC         NALType = 4
	IDR                NALType = 5
	SEI                NALType = 6
	SPS                NALType = 7
	PPS                NALType = 8
	AccessUnitDelim    NALType = 9
	EndOfSequence      NALType = 10
	EndOfStream        NALType = 11
	Filler             NALType = 12
	SPSExtension       NALType = 13
	Prefix             NALType = 14 // SVC, MVC
	SubsetSPS          NALType = 15 // SVC, MVC
	AuxiliarySlice     NALType = 19
	SliceExtension     NALType = 20 // SVC, MVC
	SliceExtensionView NALType = 21 // MVC with depth
)

// TypeOf returns the type of a NAL unit; 0, which is no type, if it is empty.
func TypeOf(unit []byte) NALType {
	if len(unit) == 0 {
		return 0
	}
	return NALType(unit[0] & 0x1f)
}

// VCL reports whether NAL units of the type hold a part of a primary picture.
func (t NALType) VCL() bool { return t >= Slice && t <= IDR }

// RefIDC returns nal_ref_idc, 0 to 3: 0 marks what no other picture refers to.
func RefIDC(unit []byte) int {
	if len(unit) == 0 {
		return 0
	}
	return int(unit[0] >> 5 & 3)
}

// IsKey reports whether an access unit is an IDR picture. An intra picture with
// a recovery point is none: see nal.AccessUnit.RecoveryPoint.
func IsKey(units [][]byte) bool {
	for _, u := range units {
		if t := TypeOf(u); t.VCL() {
			return t == IDR
		}
	}
	return false
}

// IsDiscardable reports whether no other picture refers to an access unit: it
// has slices, none is IDR, and nal_ref_idc of all of them is 0.
func IsDiscardable(units [][]byte) bool {
	found := false
	for _, u := range units {
		if TypeOf(u).VCL() {
			if !discardable(u) {
				return false
			}
			found = true
		}
	}
	return found
}

// discardable reports whether no other picture refers to a slice's picture. An
// IDR picture marked so is against the standard (§7.4.1) and decodes all the same.
func discardable(slice []byte) bool { return RefIDC(slice) == 0 && TypeOf(slice) != IDR }

// SplitAnnexB is nal.SplitAnnexB.
func SplitAnnexB(stream []byte) ([][]byte, error) { return nal.SplitAnnexB(stream) }

// SplitAVCC is nal.SplitLengthPrefixed.
func SplitAVCC(sample []byte, lengthSize int) ([][]byte, error) {
	return nal.SplitLengthPrefixed(sample, lengthSize)
}
