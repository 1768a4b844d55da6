package fmp4_test

import (
	"bytes"
	"testing"

	"github.com/Eyevinn/mp4ff/mp4"
)

// checkStructure reads a segment with a library, which checks the sizes of all
// boxes, and holds it against the rules of ISO/IEC 14496-12: sequence numbers rise,
// no fragment of a track begins before the one before has ended, and the samples
// are exactly what is in mdat.
func checkStructure(t *testing.T, data []byte) {
	t.Helper()
	file, err := mp4.DecodeFile(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	ends := map[uint32]uint64{}
	sequence := uint32(0)
	var moof *mp4.MoofBox
	for _, box := range file.Children {
		switch b := box.(type) {
		case *mp4.MoofBox:
			moof = b
		case *mp4.MdatBox:
			if n := moof.Mfhd.SequenceNumber; n <= sequence {
				t.Errorf("moof %d after %d", n, sequence)
			} else {
				sequence = n
			}
			traf := moof.Traf
			id, at := traf.Tfhd.TrackID, traf.Tfdt.BaseMediaDecodeTime()
			if at < ends[id] {
				t.Errorf("moof %d: track %d at %d, before the end of its predecessor at %d", sequence, id, at, ends[id])
			}
			traf.Trun.AddSampleDefaultValues(traf.Tfhd, nil)
			size := uint64(0)
			for i, s := range traf.Trun.Samples {
				if s.Dur == 0 {
					t.Errorf("moof %d: sample %d has no duration", sequence, i)
				}
				at += uint64(s.Dur)
				size += uint64(s.Size)
			}
			ends[id] = at
			if size != b.DataLength() || int64(traf.Trun.DataOffset) != int64(moof.Size())+8 {
				t.Errorf("moof %d: samples of %d bytes in mdat of %d, %d after a moof of %d",
					sequence, size, b.DataLength(), traf.Trun.DataOffset, moof.Size())
			}
		}
	}
}
