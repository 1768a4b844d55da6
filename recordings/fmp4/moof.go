package fmp4

import (
	"encoding/binary"
)

// The numbers of the tracks in a segment.
const (
	videoTrack = 1
	audioTrack = 2
)

// Flags of tfhd (§8.8.7) and trun (§8.8.8).
const (
	tfhdDescription = 0x02
	tfhdDuration    = 0x08
	tfhdSize        = 0x10
	tfhdFlags       = 0x20
	tfhdBaseIsMoof  = 0x020000
	// tfhdAll are the ones written, always: then every box has one size but trun.
	tfhdAll = tfhdBaseIsMoof | tfhdDescription | tfhdDuration | tfhdSize | tfhdFlags

	trunDataOffset = 0x001
	trunFirstFlags = 0x004
	trunDuration   = 0x100
	trunSize       = 0x200
	trunFlags      = 0x400
	trunOffset     = 0x800
)

// moof is what a movie fragment box of one track says.
type moof struct {
	sequence, track uint32
	time            int64 // tfdt
	clock           int
	samples         []sample
	times           times
}

// columns returns the flags of the trun that the samples take.
func columns(samples []sample) (flags uint32) {
	first, second := samples[0], samples[0]
	if len(samples) > 1 {
		second = samples[1]
	}
	if first.flags != second.flags {
		flags |= trunFirstFlags
	}
	for i, s := range samples {
		if s.duration != first.duration {
			flags |= trunDuration
		}
		if s.size != first.size {
			flags |= trunSize
		}
		if i > 0 && s.flags != second.flags {
			flags |= trunFlags
		}
		if s.offset != 0 {
			flags |= trunOffset
		}
	}
	if flags&trunFlags != 0 {
		flags &^= trunFirstFlags
	}
	return flags | trunDataOffset
}

// moofBytes is more than a moof takes besides its samples and times, with the
// header of the mdat behind it.
const moofBytes = 256

// sampleBytes is the most that a sample takes in trun.
const sampleBytes = 16

// append appends the box. The media follow in an mdat box directly behind it.
func (m *moof) append(dst []byte) []byte {
	be := binary.BigEndian
	dst, moofAt := openBox(dst, "moof")

	dst = be.AppendUint32(dst, boxHeader+8)
	dst = append(dst, "mfhd"...)
	dst = be.AppendUint32(dst, 0)
	dst = be.AppendUint32(dst, m.sequence)

	dst, trafAt := openBox(dst, "traf")
	others := m.samples[min(1, len(m.samples)-1)]
	dst, at := openBox(dst, "tfhd")
	dst = be.AppendUint32(dst, tfhdAll)
	dst = be.AppendUint32(dst, m.track)
	dst = be.AppendUint32(dst, 1) // sample description
	dst = be.AppendUint32(dst, m.samples[0].duration)
	dst = be.AppendUint32(dst, m.samples[0].size)
	dst = be.AppendUint32(dst, others.flags)
	closeBox(dst, at)

	dst, at = openBox(dst, "tfdt")
	dst = be.AppendUint32(dst, 1<<24)
	dst = be.AppendUint64(dst, uint64(m.time))
	closeBox(dst, at)

	flags := columns(m.samples)
	dst, at = openBox(dst, "trun")
	dst = be.AppendUint32(dst, 1<<24|flags) // version 1: offsets have a sign
	dst = be.AppendUint32(dst, uint32(len(m.samples)))
	offsetAt := len(dst)
	dst = be.AppendUint32(dst, 0)
	if flags&trunFirstFlags != 0 {
		dst = be.AppendUint32(dst, m.samples[0].flags)
	}
	dst = appendSamples(dst, m.samples, flags)
	closeBox(dst, at)

	dst, at = openBox(dst, "uuid")
	dst = append(dst, timesUUID...)
	dst = m.times.append(dst, m.clock)
	closeBox(dst, at)

	closeBox(dst, trafAt)
	closeBox(dst, moofAt)
	be.PutUint32(dst[offsetAt:], uint32(len(dst)-moofAt+boxHeader))
	return dst
}

func appendSamples(dst []byte, samples []sample, flags uint32) []byte {
	be := binary.BigEndian
	for _, s := range samples {
		if flags&trunDuration != 0 {
			dst = be.AppendUint32(dst, s.duration)
		}
		if flags&trunSize != 0 {
			dst = be.AppendUint32(dst, s.size)
		}
		if flags&trunFlags != 0 {
			dst = be.AppendUint32(dst, s.flags)
		}
		if flags&trunOffset != 0 {
			dst = be.AppendUint32(dst, uint32(s.offset))
		}
	}
	return dst
}
