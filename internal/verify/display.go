package verify

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/Eyevinn/mp4ff/mp4"

	"github.com/sightline-cam/sightline/codecs"
)

// display looks at what the header of the file says of how pictures are shown, and
// which the pictures say themselves. moov and trak are the bodies of the boxes.
func (t *track) display(a *auditor, moov *mp4.MoovBox, raw, trak []byte) {
	const turn = "The file tells players to turn, mirror or stretch the picture; the signature does not cover that."
	if turned(child(trak, "tkhd"), 8) || turned(child(raw, "mvhd"), 28) {
		a.fault(turn)
	}
	if moov.Mvhd == nil || moov.Mvhd.Rate != 1<<16 {
		a.fault("The file tells players to show pictures at another pace; the signature does not cover that.")
	}
	if edited(t.trak.Edts) {
		a.fault("The file tells players to show pictures in another order or pace (an edit list); the signature does not cover that.")
	}
	if vmhd := child(trak, "mdia", "minf", "vmhd"); len(vmhd) < 12 || !bytes.Equal(vmhd[4:12], make([]byte, 8)) {
		a.fault("The file tells players to mix the picture with a colour.")
	}
	if t.trak.Tkhd.Flags&1 == 0 {
		a.fault("The file tells players not to show the video.")
	}
	a.entries(child(trak, "mdia", "minf", "stbl", "stsd"))
	fits, asked := false, t.trak.Tkhd
	for i, b := range t.trak.Mdia.Minf.Stbl.Stsd.Children {
		v, ok := b.(*mp4.VisualSampleEntryBox)
		if !ok {
			a.fault("The file has a sample entry that is no video.")
			continue
		}
		var f format
		known := false
		for _, set := range t.entries[i].sets {
			if f, known = parseFormat(t.entries[i].codec, set); known {
				break
			}
		}
		if !known {
			a.fault("The file's header has no parameter sets that can be read.")
			continue
		}
		f.entry(a, v)
		fits = fits || f.size(int64(asked.Width), int64(asked.Height))
		if !fits && i == 0 {
			t.asked = fmt.Sprintf("The file tells players to show the pictures as %dx%d; the camera sent %dx%d.", asked.Width>>16, asked.Height>>16, f.width, f.height)
		}
	}
	if !fits && t.asked != "" {
		a.fault("%s", t.asked)
	}
}

// size reports whether a size that is asked for, in 1/65536, is that of the pictures.
func (f format) size(width, height int64) bool {
	const one = 1 << 16
	near := func(a, b int64) bool { return a-b <= one && b-a <= one }
	w, h := int64(f.width)*one, int64(f.height)*one
	return width == w && height == h || height == h && near(width, w*int64(f.wide)/int64(f.high))
}

// entry looks at what a sample entry says of pictures that say otherwise.
func (f format) entry(a *auditor, v *mp4.VisualSampleEntryBox) {
	if int(v.Width) != f.width || int(v.Height) != f.height {
		a.fault("The file's header says that the pictures have %dx%d; they have %dx%d.", v.Width, v.Height, f.width, f.height)
	}
	if p := v.Pasp; p != nil && uint64(p.HSpacing)*uint64(f.high) != uint64(p.VSpacing)*uint64(f.wide) {
		a.fault("The file tells players to stretch the pictures; the camera did not.")
	}
	for _, c := range v.Children {
		colour, ok := c.(*mp4.ColrBox)
		if !ok {
			continue
		}
		same := colour.ColorType == "nclx" || colour.ColorType == "nclc"
		asked := [3]int{int(colour.ColorPrimaries), int(colour.TransferCharacteristics), int(colour.MatrixCoefficients)}
		for i, n := range asked {
			same = same && (n == f.colour[i] || n == 2)
		}
		if !same || colour.ColorType == "nclx" && colour.FullRangeFlag != f.full {
			a.fault("The file tells players to show other colours than the camera said.")
		}
	}
}

// turned reports whether the matrix of a movie's or track's header, which ends so
// many bytes before the end of the box, is another than the identity (ISO/IEC
// 14496-12 §8.2.2, §8.3.2).
func turned(head []byte, after int) bool {
	const size = 36
	if len(head) < size+after {
		return true
	}
	matrix := head[len(head)-after-size : len(head)-after]
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
			if shown++; e.MediaTime < 0 && shown == 1 {
				shown = 0 // nothing is shown for a while
			} else if shown > 1 || e.MediaRateInteger != 1 || e.MediaRateFraction != 0 {
				return true
			}
		}
	}
	return false
}

// header looks at the parameter sets of a sample entry: nothing else belongs there.
func (e entry) header(a *auditor) {
	for _, n := range e.sets {
		if e.codec != codecs.Unknown && !isSet(e.codec, n) {
			a.fault("The file's header has messages to players, which no signature covers.")
		}
	}
}

// created returns the times of creation in the headers, in seconds since 1904; 0 is
// none.
func created(moov, trak []byte) (out []uint64) {
	for _, head := range [][]byte{child(moov, "mvhd"), child(trak, "tkhd"), child(trak, "mdia", "mdhd")} {
		switch {
		case len(head) >= 12 && head[0] == 1:
			out = append(out, binary.BigEndian.Uint64(head[4:]))
		case len(head) >= 8:
			out = append(out, uint64(binary.BigEndian.Uint32(head[4:])))
		}
	}
	return out
}
