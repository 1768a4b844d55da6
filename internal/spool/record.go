package spool

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"sync"

	"github.com/sightline-cam/sightline/internal/fragment"
)

// record is a fragment in a spool.
type record struct {
	// Constant after construction.
	rendition int
	seq       uint64
	headBytes int
	bytes     int

	describing sync.Mutex // guards what follows
	entry      fragment.Entry
	described  bool

	// Guarded by the spool's mutex.
	memory []byte   // the encoded fragment; nil if it is only on disk
	file   *logFile // nil if it is only in memory
	offset int64    // of the record in the file
}

// describe returns the entry; encoded is the fragment. Digests take a while, and
// are of use only to a recorder or on disk, so they are made when needed first.
func (r *record) describe(encoded []byte) fragment.Entry {
	r.describing.Lock()
	defer r.describing.Unlock()
	if !r.described {
		f, err := fragment.Decode(encoded)
		if err != nil {
			panic("spool: what was encoded cannot be decoded: " + err.Error())
		}
		r.entry, r.described = fragment.EntryOf(r.seq, f, encoded), true
	}
	return r.entry
}

// Sizes on disk.
const (
	fileMagic   = "SLSPOOL\x01"
	recordMagic = "SLSR"
	// fileHeader: magic, epoch, number of the file, lowest number of a record, CRC.
	fileHeader   = 8 + epochSize + 8 + 8 + 4
	recordHeader = 132
	epochSize    = 16
)

var (
	errTorn = errors.New("a record is not whole")
	errFile = errors.New("this is no file of a spool")
)

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// appendFileHeader appends what a file begins with.
func appendFileHeader(b []byte, epoch [epochSize]byte, number, base uint64) []byte {
	at := len(b)
	b = append(b, fileMagic...)
	b = append(b, epoch[:]...)
	b = binary.BigEndian.AppendUint64(b, number)
	b = binary.BigEndian.AppendUint64(b, base)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b[at:], castagnoli()))
}

// parseFileHeader is its inverse.
func parseFileHeader(b []byte) (epoch [epochSize]byte, number, base uint64, err error) {
	if len(b) < fileHeader || string(b[:len(fileMagic)]) != fileMagic ||
		crc32.Checksum(b[:fileHeader-4], castagnoli()) != binary.BigEndian.Uint32(b[fileHeader-4:]) {
		return epoch, 0, 0, errFile
	}
	copy(epoch[:], b[len(fileMagic):])
	b = b[len(fileMagic)+epochSize:]
	return epoch, binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:]), nil
}

// appendHeader appends what stands before the record's fragment. It has to be
// described.
func (r *record) appendHeader(b, encoded []byte) []byte {
	at := len(b)
	e := r.entry
	b = append(b, recordMagic...)
	cut := byte(0)
	if e.Cut {
		cut = 1
	}
	b = append(b, byte(r.rendition), jointOf(e.After), cut, 0)
	b = binary.BigEndian.AppendUint64(b, r.seq)
	b = binary.BigEndian.AppendUint64(b, uint64(e.StartUs))
	b = binary.BigEndian.AppendUint64(b, uint64(e.DurationUs))
	for _, n := range []int{e.Frames, r.headBytes, len(encoded)} {
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	b = append(b, e.Digest[:]...)
	sound := fragment.Sound{}
	if e.Sound != nil {
		sound = *e.Sound
	}
	b = binary.BigEndian.AppendUint32(b, uint32(sound.Frames))
	b = binary.BigEndian.AppendUint32(b, uint32(sound.Bytes))
	b = append(b, sound.Digest[:]...)
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(encoded, castagnoli()))
	b = append(b, make([]byte, recordHeader-4-(len(b)-at))...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b[at:], castagnoli()))
}

func jointOf(after string) byte {
	for _, j := range []fragment.Joint{fragment.Interruption, fragment.Restart} {
		if j.String() == after {
			return byte(j)
		}
	}
	return byte(fragment.Direct)
}

// parseHeader is the inverse of appendHeader. sum is the CRC of the fragment.
func parseHeader(b []byte) (r *record, sum uint32, err error) {
	if len(b) < recordHeader || string(b[:len(recordMagic)]) != recordMagic ||
		crc32.Checksum(b[:recordHeader-4], castagnoli()) != binary.BigEndian.Uint32(b[recordHeader-4:]) {
		return nil, 0, errTorn
	}
	r = &record{rendition: int(b[4]), described: true}
	e := &r.entry
	e.After, e.Cut = fragment.Joint(b[5]).String(), b[6] != 0
	b = b[8:]
	r.seq = binary.BigEndian.Uint64(b)
	e.Seq, e.StartUs, e.DurationUs = r.seq, int64(binary.BigEndian.Uint64(b[8:])), int64(binary.BigEndian.Uint64(b[16:]))
	b = b[24:]
	e.Frames, r.headBytes, r.bytes = int(binary.BigEndian.Uint32(b)), int(binary.BigEndian.Uint32(b[4:])), int(binary.BigEndian.Uint32(b[8:]))
	e.Bytes = r.bytes
	b = b[12:]
	copy(e.Digest[:], b)
	b = b[len(e.Digest):]
	if n := binary.BigEndian.Uint32(b); n > 0 {
		e.Sound = &fragment.Sound{Frames: int(n), Bytes: int(binary.BigEndian.Uint32(b[4:]))}
		copy(e.Sound.Digest[:], b[8:])
	}
	b = b[8+len(e.Digest):]
	if r.rendition >= len(Renditions()) || r.headBytes > r.bytes || r.bytes > maxEncoded {
		return nil, 0, errTorn
	}
	return r, binary.BigEndian.Uint32(b), nil
}

// maxEncoded bounds what an encoded fragment takes: payload and head.
const maxEncoded = fragment.MaxBytes + 2<<20
