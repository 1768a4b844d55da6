package rtppack

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/h264"
	"github.com/sightline-cam/sightline/codecs/h265"
	"github.com/sightline-cam/sightline/codecs/nal"
)

// maxUnitBytes is the size above which an access unit counts as broken, several
// times the largest key frame of a 4K camera.
const maxUnitBytes = 16 << 20

// maxKeptBytes is how much memory a unitBuilder keeps between access units.
const maxKeptBytes = 1 << 20

// unitBuilder collects the payloads of one access unit.
type unitBuilder struct {
	codec codecs.Codec

	active    bool
	timestamp uint32
	arrived   time.Time
	data      []byte // NAL units one after the other; the memory is reused
	starts    []int  // where in data they start
	fragment  bool   // the last one is not complete

	broken bool // something is missing or malformed
	// unproven says that packets just before the first one were not seen, so
	// that it has to show that it is the first of its access unit.
	unproven bool
	// uncounted says that the stream was entered in the middle of this unit.
	uncounted bool
	// entered is false until the first packet.
	entered bool

	highestTemporalID int // of the newest H.265 SPS
}

// abandon drops what was collected and prepares for entering a stream.
func (b *unitBuilder) abandon() {
	b.active, b.entered = false, false
	b.highestTemporalID = h265.HighestTemporalID(nil)
}

// begin starts an access unit. gap says that packets before it were lost.
func (b *unitBuilder) begin(timestamp uint32, gap bool) {
	b.active, b.timestamp = true, timestamp
	b.arrived = time.Time{}
	b.clear()
	b.fragment, b.broken = false, false
	b.unproven = gap || !b.entered
	b.uncounted = !b.entered
	b.entered = true
}

// finish ends the access unit and returns it, or nil if it is broken. broken
// says that it is to be counted as such.
func (b *unitBuilder) finish() (u *codecs.Unit, broken bool) {
	b.active = false
	if b.broken || b.fragment || len(b.starts) == 0 {
		return nil, !b.uncounted
	}
	payload := b.payload()
	u = &codecs.Unit{Arrived: b.arrived, Payload: payload}
	switch b.codec {
	case codecs.H264:
		key := h264.IsKey(payload)
		u.Key = key && h264.TypeOf(payload[0]) == h264.SPS
		u.Discardable = h264.IsDiscardable(payload)
		broken = key && !u.Key && b.unproven
	case codecs.H265:
		key := h265.IsKey(payload)
		first := h265.TypeOf(payload[0])
		u.Key = key && (first == h265.VPS || first == h265.SPS)
		b.learn(payload)
		u.Discardable = h265.IsDiscardable(payload, b.highestTemporalID)
		broken = key && !u.Key && b.unproven
	case codecs.Opus, codecs.PCMU, codecs.PCMA:
		u.Key = true
	case codecs.AAC, codecs.Unknown:
		broken = true
	}
	if broken {
		return nil, !b.uncounted
	}
	return u, false
}

// payload returns a copy of what was collected.
func (b *unitBuilder) payload() [][]byte {
	data := bytes.Clone(b.data)
	list := make([][]byte, len(b.starts))
	end := len(data)
	for i := len(b.starts) - 1; i >= 0; i-- {
		list[i] = data[b.starts[i]:end:end]
		end = b.starts[i]
	}
	return list
}

// clear forgets what was collected, and the memory for it if it is much.
func (b *unitBuilder) clear() {
	b.data, b.starts = b.data[:0], b.starts[:0]
	if cap(b.data) > maxKeptBytes {
		b.data = nil
	}
}

// learn remembers the number of sub-layers of an SPS.
func (b *unitBuilder) learn(payload [][]byte) {
	for _, u := range payload {
		if h265.TypeOf(u) == h265.SPS {
			b.highestTemporalID = h265.HighestTemporalID(u)
		}
	}
}

// addFrame adds a packet that is a whole audio frame.
func (b *unitBuilder) addFrame(k *packet) {
	b.arrived = k.arrived
	b.append(k.payload)
}

// add adds a packet of a video unit.
func (b *unitBuilder) add(k *packet) {
	if k.arrived.After(b.arrived) {
		b.arrived = k.arrived
	}
	if b.broken {
		return
	}
	first := len(b.starts) == 0
	ok := false
	switch b.codec {
	case codecs.H264:
		ok = b.addH264(k.payload)
	case codecs.H265:
		ok = b.addH265(k.payload)
	case codecs.Opus, codecs.PCMU, codecs.PCMA, codecs.AAC, codecs.Unknown:
	}
	if first && b.unproven {
		ok = ok && b.startsUnit()
		b.uncounted = b.uncounted && !ok
	}
	if !ok || len(b.data) > maxUnitBytes || len(b.starts) > nal.MaxUnits {
		b.broken = true
		b.clear()
	}
}

// startsUnit reports whether what was collected up to now can only be the
// beginning of an access unit: parameter sets, supplemental enhancement
// information, or a picture's first slice, whose header begins with a 1 in both
// codecs (first_mb_in_slice 0, first_slice_segment_in_pic_flag).
func (b *unitBuilder) startsUnit() bool {
	if len(b.starts) == 0 {
		return false
	}
	header, vcl, before := 1, h264.TypeOf(b.data).VCL(), false
	if b.codec == codecs.H265 {
		header, vcl = 2, h265.TypeOf(b.data).VCL()
		t := h265.TypeOf(b.data)
		before = t >= h265.VPS && t <= h265.AccessUnitDelim || t == h265.PrefixSEI
	} else {
		t := h264.TypeOf(b.data)
		before = t >= h264.SEI && t <= h264.AccessUnitDelim
	}
	return before || vcl && len(b.data) > header && b.data[header]&0x80 != 0
}

// append adds bytes that begin a NAL unit.
func (b *unitBuilder) append(data ...[]byte) {
	b.starts = append(b.starts, len(b.data))
	for _, p := range data {
		b.data = append(b.data, p...)
	}
}

// addH264 adds a payload of RFC 6184 §5.2 and reports whether it is well-formed.
func (b *unitBuilder) addH264(p []byte) bool {
	switch t := p[0] & 0x1f; {
	case t == h264FUA:
		if len(p) < 3 || p[1]&0x1f == 0 || p[1]&0x1f >= h264STAPA {
			return false
		}
		return b.addFragment(p[1], []byte{p[0]&0xe0 | p[1]&0x1f}, p[2:])
	case b.fragment:
		return false
	case t == h264STAPA:
		return b.addAggregate(h264Layout{}, p[1:])
	case h264Layout{}.carries(p):
		b.append(p)
		return true
	}
	return false
}

// addH265 adds a payload of RFC 7798 §4.4 and reports whether it is well-formed.
func (b *unitBuilder) addH265(p []byte) bool {
	if len(p) < 3 {
		return false
	}
	switch t := p[0] >> 1 & 0x3f; {
	case t == h265FU:
		if len(p) < 4 || p[2]&0x3f >= h265AP {
			return false
		}
		return b.addFragment(p[2], []byte{p[0]&0x81 | p[2]&0x3f<<1, p[1]}, p[3:])
	case b.fragment:
		return false
	case t == h265AP:
		return b.addAggregate(h265Layout{}, p[2:])
	case h265Layout{}.carries(p):
		b.append(p)
		return true
	}
	return false
}

// addAggregate adds the NAL units of an aggregation packet.
func (b *unitBuilder) addAggregate(l layout, p []byte) bool {
	for len(p) > 0 {
		if len(p) < lengthSize {
			return false
		}
		n := int(binary.BigEndian.Uint16(p))
		p = p[lengthSize:]
		if n > len(p) || !l.carries(p[:n]) {
			return false
		}
		b.append(p[:n])
		p = p[n:]
	}
	return true
}

// addFragment adds a fragment of a NAL unit with the given header.
func (b *unitBuilder) addFragment(flags byte, header, data []byte) bool {
	first, last := flags&0x80 != 0, flags&0x40 != 0
	if first == b.fragment {
		return false // a beginning inside, or no beginning
	}
	if first {
		b.append(header, data)
	} else {
		b.data = append(b.data, data...)
	}
	b.fragment = !last
	return true
}
