package verify

import (
	"encoding/binary"
	"io"
)

// index is where the boxes at the top of a file are, and where its indexes say that
// fragments are. Players that jump follow those, into boxes that others pass over.
type index struct {
	places map[int64]string
	moofs  []int64
	others []int64
}

func (x *index) box(b box) {
	if x.places == nil {
		x.places = map[int64]string{}
	}
	x.places[b.at] = b.kind
}

// good reports whether all that the indexes name is there.
func (x *index) good() bool {
	for _, at := range x.moofs {
		if x.places[at] != "moof" {
			return false
		}
	}
	for _, at := range x.others {
		switch x.places[at] {
		case "moof", "styp", "prft", "sidx", "emsg", "uuid":
		default:
			return false
		}
	}
	return true
}

// segments reads a segment index (ISO/IEC 14496-12 §8.16.3).
func (x *index) segments(r io.ReaderAt, b box) error {
	data, err := b.load(r, maxFragment)
	if err != nil {
		return err
	}
	data = data[b.header:]
	short := func() error {
		x.moofs = append(x.moofs, -1)
		return nil
	}
	head := 24
	if len(data) > 0 && data[0] != 0 {
		head = 32
	}
	if len(data) < head {
		return short()
	}
	at := b.at + b.size
	if head == 24 {
		at += int64(binary.BigEndian.Uint32(data[16:]))
	} else {
		at += int64(binary.BigEndian.Uint64(data[20:]) & (1<<60 - 1))
	}
	count := int(binary.BigEndian.Uint16(data[head-2:]))
	if len(data) < head+12*count {
		return short()
	}
	for i := range count {
		x.others = append(x.others, at)
		at += int64(binary.BigEndian.Uint32(data[head+12*i:]) & (1<<31 - 1))
	}
	return nil
}

// random reads what a file says at its end of where to jump to (§8.8.9, §8.8.10).
func (x *index) random(r io.ReaderAt, b box) error {
	data, err := b.load(r, maxFragment)
	if err != nil {
		return err
	}
	for rest := data[b.header:]; len(rest) >= 8; {
		size := binary.BigEndian.Uint32(rest)
		if size < 8 || int64(size) > int64(len(rest)) {
			x.moofs = append(x.moofs, -1)
			return nil
		}
		if string(rest[4:8]) == "tfra" {
			x.track(rest[8:size])
		}
		rest = rest[size:]
	}
	return nil
}

// track reads the part of a track.
func (x *index) track(tfra []byte) {
	const head = 16
	if len(tfra) < head {
		x.moofs = append(x.moofs, -1)
		return
	}
	width, lengths := 4, binary.BigEndian.Uint32(tfra[8:])
	if tfra[0] != 0 {
		width = 8
	}
	each := 2*width + int(lengths>>4&3) + int(lengths>>2&3) + int(lengths&3) + 3
	count := int64(binary.BigEndian.Uint32(tfra[12:]))
	if int64(len(tfra)-head) < count*int64(each) {
		x.moofs = append(x.moofs, -1)
		return
	}
	for i := range int(count) {
		place := tfra[head+i*each+width:]
		if width == 4 {
			x.moofs = append(x.moofs, int64(binary.BigEndian.Uint32(place)))
		} else {
			x.moofs = append(x.moofs, int64(binary.BigEndian.Uint64(place)&(1<<60-1)))
		}
	}
}
