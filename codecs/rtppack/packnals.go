package rtppack

import "encoding/binary"

// layout is what differs between the RTP payload formats of H.264 and H.265,
// which are built alike: an aggregation packet is a payload header as long as a
// NAL unit header followed by 16-bit lengths and NAL units; a fragment is such
// a header plus one byte, followed by a piece of the NAL unit without its header.
type layout interface {
	// headerSize is the length of a NAL unit header in bytes.
	headerSize() int
	// carries reports whether the NAL unit can be sent.
	carries(nal []byte) bool
	// putAggregate writes the payload header of an aggregate of NAL units.
	putAggregate(dst []byte, nals [][]byte)
	// putFragment writes the payload header and the fragment header.
	putFragment(dst, nal []byte, first, last bool)
}

// lengthSize is the length of the size field before each NAL unit of an
// aggregation packet.
const lengthSize = 2

// packNALs packetizes the NAL units of one access unit. It allocates twice: the
// list of payloads, and one buffer for everything that has to be composed.
func packNALs[L layout](l L, nals [][]byte) [][]byte {
	count, size := measure(l, nals)
	if count == 0 {
		return nil
	}
	out := make([][]byte, 0, count)
	buf := make([]byte, size)
	for i := 0; i < len(nals); {
		if !l.carries(nals[i]) {
			i++
			continue
		}
		n, aggregate := group(l, nals[i:])
		switch {
		case n > 1:
			var p []byte
			p, buf = buf[:aggregate:aggregate], buf[aggregate:]
			fillAggregate(l, p, nals[i:i+n])
			out = append(out, p)
		case len(nals[i]) <= MaxPayload:
			out = append(out, nals[i][:len(nals[i]):len(nals[i])])
		default:
			out, buf = fragment(l, out, buf, nals[i])
		}
		i += n
	}
	return out
}

// group returns how many of the first NAL units go into one packet together and
// how long that packet is; 1 if the first travels alone or is to be fragmented.
func group[L layout](l L, nals [][]byte) (n, size int) {
	size = l.headerSize()
	for _, nal := range nals {
		if !l.carries(nal) || size+lengthSize+len(nal) > MaxPayload {
			break
		}
		size += lengthSize + len(nal)
		n++
	}
	return max(n, 1), size
}

// measure returns the number of payloads and how many bytes of them have to be
// composed.
func measure[L layout](l L, nals [][]byte) (count, size int) {
	piece := MaxPayload - l.headerSize() - 1
	for i := 0; i < len(nals); {
		if !l.carries(nals[i]) {
			i++
			continue
		}
		n, aggregate := group(l, nals[i:])
		switch {
		case n > 1:
			count++
			size += aggregate
		case len(nals[i]) <= MaxPayload:
			count++
		default:
			rest := len(nals[i]) - l.headerSize()
			pieces := (rest + piece - 1) / piece
			count += pieces
			size += rest + pieces*(l.headerSize()+1)
		}
		i += n
	}
	return count, size
}

// fillAggregate writes an aggregation packet into p, which has its length.
func fillAggregate[L layout](l L, p []byte, nals [][]byte) {
	l.putAggregate(p, nals)
	p = p[l.headerSize():]
	for _, nal := range nals {
		binary.BigEndian.PutUint16(p, uint16(len(nal)))
		p = p[lengthSize+copy(p[lengthSize:], nal):]
	}
}

// fragment appends the fragments of a NAL unit, taken from buf, to out and
// returns both.
func fragment[L layout](l L, out [][]byte, buf, nal []byte) (payloads [][]byte, rest []byte) {
	header := l.headerSize() + 1
	data := nal[l.headerSize():]
	for first := true; len(data) > 0; first = false {
		n := min(len(data), MaxPayload-header)
		p := buf[: header+n : header+n]
		l.putFragment(p, nal, first, n == len(data))
		copy(p[header:], data)
		out = append(out, p)
		data, buf = data[n:], buf[header+n:]
	}
	return out, buf
}
