package rtppack

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtp"

	"github.com/sightline-cam/sightline/codecs"
)

// sender numbers packets as an RTP sender does.
type sender struct {
	codec    codecs.Codec
	sequence uint16
}

// send returns the packets of a unit.
func (s *sender) send(timestamp uint32, nals ...[]byte) []*rtp.Packet {
	payloads := Pack(s.codec, &codecs.Unit{Payload: nals})
	var out []*rtp.Packet
	for i, p := range payloads {
		out = append(out, &rtp.Packet{
			Header:  rtp.Header{Version: 2, SequenceNumber: s.sequence, Timestamp: timestamp, Marker: s.codec.Video() && i == len(payloads)-1},
			Payload: p,
		})
		s.sequence++
	}
	return out
}

// frames returns the packets of n frames, each of one slice of the given size,
// the first one a key frame.
func (s *sender) frames(n, size int) []*rtp.Packet {
	var out []*rtp.Packet
	for i := range n {
		slice := append([]byte{0x41, 0xe0}, make([]byte, size-2)...)
		if i == 0 {
			slice[0] = 0x65
			out = append(out, s.send(0, []byte{0x67, 0x42, 0xc0, 0x1f}, []byte{0x68, 0xce}, slice)...)
			continue
		}
		out = append(out, s.send(uint32(i)*3600, slice)...)
	}
	return out
}

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant time

// at returns the time after ms milliseconds.
func at(ms int) time.Time { return epoch.Add(time.Duration(ms) * time.Millisecond) }

func pushAll(d *Depacketizer, packets []*rtp.Packet, arrived time.Time) []*codecs.Unit {
	var out []*codecs.Unit
	for _, p := range packets {
		out = append(out, d.Push(p, arrived)...)
	}
	return out
}

func times(units []*codecs.Unit) []int64 {
	var out []int64
	for _, u := range units {
		out = append(out, u.PTS)
	}
	return out
}

func wantStats(t *testing.T, d *Depacketizer, want DepacketizerStats) {
	t.Helper()
	if diff := cmp.Diff(want, d.Stats()); diff != "" {
		t.Error(diff)
	}
}

func TestDepacketizer_ReadsWhatPackMakes(t *testing.T) {
	for _, c := range []codecs.Codec{codecs.H264, codecs.H265} {
		t.Run(c.String(), func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, uint64(c)))
			s, d := &sender{codec: c, sequence: 65_000}, NewDepacketizer(c, 90_000)
			first := []byte{0x41, 0x80, 1} // enters the stream at the beginning of a unit
			if c == codecs.H265 {
				first = []byte{2, 1, 0x80}
			}
			pushAll(d, s.send(0, first), at(0))
			for i := range 100 {
				nals := randomNALs(r, c)
				packets := s.send(uint32(i+1)*3600, nals...)
				var got []*codecs.Unit
				// In any order, and some of them twice.
				for j, k := range r.Perm(len(packets)) {
					got = append(got, d.Push(packets[k], at(i))...)
					if j%7 == 0 {
						got = append(got, d.Push(packets[k], at(i))...)
					}
				}
				if len(got) != 1 {
					t.Fatalf("unit %d: got %d units, %+v", i, len(got), d.Stats())
				}
				if got[0].PTS != int64(i+1)*3600 || !bytes.Equal(annexB(nals), annexB(got[0].Payload)) {
					t.Fatalf("unit %d of sizes %v came back changed, sizes %v", i, sizes(nals), sizes(got[0].Payload))
				}
			}
		})
	}
}

func TestDepacketizer_Audio(t *testing.T) {
	for _, c := range []codecs.Codec{codecs.Opus, codecs.PCMU, codecs.PCMA} {
		s, d := &sender{codec: c}, NewDepacketizer(c, 8000)
		packets := append(s.send(160, []byte("one")), s.send(320, []byte("two"))...)
		got := pushAll(d, packets, at(5))
		packets[0].Payload[0] = 'x' // the packet may be reused
		want := []*codecs.Unit{
			{PTS: 160, Arrived: at(5), Key: true, Payload: [][]byte{[]byte("one")}},
			{PTS: 320, Arrived: at(5), Key: true, Payload: [][]byte{[]byte("two")}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestDepacketizer_FlagsUnits(t *testing.T) {
	tests := []struct {
		name             string
		codec            codecs.Codec
		nals             [][]byte
		key, discardable bool
	}{
		{"key", codecs.H264, [][]byte{{0x67, 1}, {0x68, 1}, {0x65, 0x88}}, true, false},
		{"IDR without parameter sets", codecs.H264, [][]byte{{0x65, 0x88}}, false, false},
		{"not referred to", codecs.H264, [][]byte{{0x01, 0xe0}}, false, true},
		{"H.265 key", codecs.H265, [][]byte{{64, 1, 1}, {66, 1, 1}, {68, 1, 1}, {40, 1, 0x80}}, true, false},
		{"H.265 referred to", codecs.H265, [][]byte{{2, 1, 0x80}}, false, false},
		{"H.265 not referred to", codecs.H265, [][]byte{{0, 1, 0x80}}, false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, d := &sender{codec: tt.codec}, NewDepacketizer(tt.codec, 90_000)
			if tt.codec == codecs.H265 { // one temporal sub-layer
				pushAll(d, s.send(0, []byte{66, 1, 1}, []byte{40, 1, 0x80}), at(0))
			} else {
				pushAll(d, s.send(0, []byte{0x41, 0x80}), at(0))
			}
			got := pushAll(d, s.send(1, tt.nals...), at(0))
			if len(got) != 1 || got[0].Key != tt.key || got[0].Discardable != tt.discardable {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestDepacketizer_RetransmissionFillsTheGap(t *testing.T) {
	s, d := &sender{codec: codecs.H264}, NewDepacketizer(codecs.H264, 90_000)
	packets := s.frames(4, 3000) // 4 + 3 + 3 + 3 packets
	late := packets[5]
	got := pushAll(d, packets[:5], at(0))
	got = append(got, pushAll(d, packets[6:], at(40))...)
	if diff := cmp.Diff([]int64{0}, times(got)); diff != "" {
		t.Errorf("before the retransmission: %s", diff)
	}
	if deadline, ok := d.Deadline(); !ok || !deadline.Equal(at(240)) {
		t.Errorf("deadline %v, %v", deadline, ok)
	}
	got = d.Push(late, at(239))
	if diff := cmp.Diff([]int64{3600, 7200, 10800}, times(got)); diff != "" {
		t.Error(diff)
	}
	if !got[0].Arrived.Equal(at(239)) || !got[1].Arrived.Equal(at(40)) {
		t.Errorf("arrived at %v and %v", got[0].Arrived, got[1].Arrived)
	}
	if _, ok := d.Deadline(); ok {
		t.Error("still waits")
	}
	wantStats(t, d, DepacketizerStats{Packets: 13, Units: 4})
}

func TestDepacketizer_LossBreaksOneUnit(t *testing.T) {
	tests := []struct {
		name string
		lost []int // 4 + 3 + 3 + 3 packets
		want []int64
		stat DepacketizerStats
	}{
		{"the first packet of a unit", []int{4}, []int64{0, 7200, 10800}, DepacketizerStats{Packets: 12, Lost: 1, Units: 3, Broken: 1}},
		{"one in the middle", []int{5}, []int64{0, 7200, 10800}, DepacketizerStats{Packets: 12, Lost: 1, Units: 3, Broken: 1}},
		{"the last one", []int{6}, []int64{0, 7200, 10800}, DepacketizerStats{Packets: 12, Lost: 1, Units: 3, Broken: 1}},
		{"a whole unit", []int{4, 5, 6}, []int64{0, 7200, 10800}, DepacketizerStats{Packets: 10, Lost: 3, Units: 3}},
		{"the end of one and the beginning of the next", []int{6, 7}, []int64{0, 10800}, DepacketizerStats{Packets: 11, Lost: 2, Units: 2, Broken: 2}},
		{"two of different units", []int{5, 8}, []int64{0, 10800}, DepacketizerStats{Packets: 11, Lost: 2, Units: 2, Broken: 2}},
		{"a part of the key unit", []int{2}, []int64{3600, 7200, 10800}, DepacketizerStats{Packets: 12, Lost: 1, Units: 3, Broken: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, d := &sender{codec: codecs.H264, sequence: 65_530}, NewDepacketizer(codecs.H264, 90_000)
			packets := s.frames(4, 3000)
			for _, i := range tt.lost {
				packets[i] = nil
			}
			var got []*codecs.Unit
			for _, p := range packets {
				if p != nil {
					got = append(got, d.Push(p, at(0))...)
				}
			}
			got = append(got, d.Flush(at(199))...)
			if len(got) == len(tt.want) {
				t.Error("did not wait")
			}
			got = append(got, d.Flush(at(200))...)
			if diff := cmp.Diff(tt.want, times(got)); diff != "" {
				t.Error(diff)
			}
			for _, u := range got {
				if len(u.Payload[len(u.Payload)-1]) != 3000 {
					t.Error("a part is missing")
				}
			}
			wantStats(t, d, tt.stat)
		})
	}
}

func TestDepacketizer_KeyUnitWithoutItsParameterSetsIsBroken(t *testing.T) {
	s, d := &sender{codec: codecs.H264}, NewDepacketizer(codecs.H264, 90_000)
	pushAll(d, s.frames(1, 100), at(0))
	d.Wait = 0
	got := pushAll(d, s.frames(1, 3000)[1:], at(0)) // its first packet holds the parameter sets
	if len(got) != 0 || d.Stats().Broken != 1 {
		t.Errorf("got %d units, %+v", len(got), d.Stats())
	}
}

func TestDepacketizer_WaitsOnceForAllThatIsMissing(t *testing.T) {
	s, d := &sender{codec: codecs.H264}, NewDepacketizer(codecs.H264, 90_000)
	packets := s.frames(6, 1000) // one packet each
	d.Push(packets[0], at(0))
	d.Push(packets[5], at(10))
	for i, p := range []*rtp.Packet{packets[4], packets[3], packets[2]} {
		d.Push(p, at(100+i*50)) // each comes just before the missing one
	}
	if diff := cmp.Diff([]int64{7200, 10800, 14400, 18000}, times(d.Flush(at(210)))); diff != "" {
		t.Error(diff)
	}
}

func TestDepacketizer_TimeStampChangeEndsUnit(t *testing.T) {
	s, d := &sender{codec: codecs.H264}, NewDepacketizer(codecs.H264, 90_000)
	packets := s.frames(3, 2000)
	for _, p := range packets {
		p.Marker = false
	}
	if diff := cmp.Diff([]int64{0, 3600}, times(pushAll(d, packets, at(0)))); diff != "" {
		t.Error(diff)
	}
}

func TestDepacketizer_EnteringInTheMiddleIsNotBroken(t *testing.T) {
	s, d := &sender{codec: codecs.H264}, NewDepacketizer(codecs.H264, 90_000)
	if diff := cmp.Diff([]int64{3600}, times(pushAll(d, s.frames(2, 3000)[2:], at(0)))); diff != "" {
		t.Error(diff)
	}
	wantStats(t, d, DepacketizerStats{Packets: 5, Units: 1})
}

func TestDepacketizer_UnwrapsTimeStamps(t *testing.T) {
	s, d := &sender{codec: codecs.H264}, NewDepacketizer(codecs.H264, 90_000)
	var got []*codecs.Unit
	for i := range 4 {
		got = append(got, pushAll(d, s.send(uint32(1<<32-5000+i*3600), []byte{0x41, 0x80}), at(0))...)
	}
	if diff := cmp.Diff([]int64{1<<32 - 5000, 1<<32 - 1400, 1<<32 + 2200, 1<<32 + 5800}, times(got)); diff != "" {
		t.Error(diff)
	}
}

func TestDepacketizer_PaddingIsNoPartOfAUnit(t *testing.T) {
	s, d := &sender{codec: codecs.H264}, NewDepacketizer(codecs.H264, 90_000)
	packets := s.frames(2, 3000)
	for _, p := range packets[4:] {
		p.SequenceNumber++
	}
	probe := &rtp.Packet{Header: rtp.Header{SequenceNumber: 4, Timestamp: 77}}
	got := pushAll(d, append(append(packets[:4:4], probe), packets[4:]...), at(0))
	if diff := cmp.Diff([]int64{0, 3600}, times(got)); diff != "" {
		t.Error(diff)
	}
}

func TestDepacketizer_GoesOnAfterAnOutage(t *testing.T) {
	for name, jump := range map[string]uint16{"ahead": 10_000, "so far that it looks behind": 40_000} {
		t.Run(name, func(t *testing.T) {
			s, d := &sender{codec: codecs.H264, sequence: 60_000}, NewDepacketizer(codecs.H264, 90_000)
			pushAll(d, s.frames(3, 3000), at(0))
			s.sequence += jump
			got := pushAll(d, s.frames(3, 3000), at(0))
			if n := len(got); n < 2 {
				t.Errorf("%d units, %+v", n, d.Stats())
			}
		})
	}
}

func TestDepacketizer_WhatItHoldsIsBounded(t *testing.T) {
	d := NewDepacketizer(codecs.H264, 90_000)
	d.Push(&rtp.Packet{Header: rtp.Header{SequenceNumber: 1}, Payload: []byte{0x41, 0x80}}, at(0))
	n := 0
	for i := range 2 * maxHeldPackets {
		p := &rtp.Packet{Header: rtp.Header{SequenceNumber: uint16(2 + 2*i), Timestamp: uint32(i), Marker: true}, Payload: make([]byte, 5000)}
		p.Payload[0], p.Payload[1] = 0x41, 0x80
		p.SequenceNumber++ // the one before never comes
		n += len(d.Push(p, at(0)))
		if len(d.held) > maxHeldPackets || d.bytes > maxHeldBytes {
			t.Fatalf("holds %d packets of %d bytes", len(d.held), d.bytes)
		}
	}
	if n == 0 {
		t.Error("no unit came out")
	}
}

func TestDepacketizer_SenderReportGivesWallTime(t *testing.T) {
	s, d := &sender{codec: codecs.H264}, NewDepacketizer(codecs.H264, 90_000)
	if got := pushAll(d, s.send(90_000, []byte{0x41, 0x80}), at(0)); !got[0].Wall.IsZero() {
		t.Error("a wall time without a report")
	}
	d.SenderReport(at(5000), 180_000)
	got := pushAll(d, append(s.send(90_000+45_000, []byte{0x41, 0x80}), s.send(270_000, []byte{0x41, 0x80})...), at(0))
	if !got[0].Wall.Equal(at(4500)) || !got[1].Wall.Equal(at(6000)) {
		t.Errorf("wall times %v and %v", got[0].Wall, got[1].Wall)
	}
}

func TestDepacketizer_MalformedPayloadsBreakTheirUnit(t *testing.T) {
	tests := []struct {
		name    string
		codec   codecs.Codec
		payload []byte
	}{
		{"STAP-A cut off", codecs.H264, []byte{0x18, 0, 9, 0x41}},
		{"STAP-A with half a length", codecs.H264, []byte{0x18, 0, 1, 0x41, 0}},
		{"STAP-A with nothing in it", codecs.H264, []byte{0x18}},
		{"STAP-A in a STAP-A", codecs.H264, []byte{0x18, 0, 2, 0x18, 0}},
		{"FU-A without a beginning", codecs.H264, []byte{0x5c, 0x41, 1}},
		{"FU-A without an end", codecs.H264, []byte{0x5c, 0x81, 0x80}},
		{"FU-A without data", codecs.H264, []byte{0x5c, 0xc1}},
		{"FU-A of an FU-A", codecs.H264, []byte{0x5c, 0xdc, 0x80}},
		{"FU-B", codecs.H264, []byte{0x5d, 0xc1, 0, 0, 0x80}},
		{"reserved", codecs.H264, []byte{0x1f, 1}},
		{"H.265 PACI", codecs.H265, []byte{50 << 1, 1, 0, 0, 0}},
		{"H.265 AP cut off", codecs.H265, []byte{48 << 1, 1, 0, 9, 2, 1, 0x80}},
		{"H.265 FU without a beginning", codecs.H265, []byte{49 << 1, 1, 0x41, 1}},
		{"H.265 too short", codecs.H265, []byte{2, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, d := &sender{codec: tt.codec}, NewDepacketizer(tt.codec, 90_000)
			slice := map[codecs.Codec][]byte{codecs.H264: {0x41, 0x80}, codecs.H265: {2, 1, 0x80}}[tt.codec]
			packets := s.send(0, slice)
			packets = append(packets, &rtp.Packet{Header: rtp.Header{SequenceNumber: s.sequence, Timestamp: 1, Marker: true}, Payload: tt.payload})
			s.sequence++
			packets = append(packets, s.send(2, slice)...)
			if diff := cmp.Diff([]int64{0, 2}, times(pushAll(d, packets, at(0)))); diff != "" {
				t.Error(diff)
			}
			wantStats(t, d, DepacketizerStats{Packets: 3, Units: 2, Broken: 1})
		})
	}
}

// fuzzDepacketizer reads packets as: sequence number (relative), time stamp
// (relative), flags, length, payload.
func fuzzDepacketizer(f *testing.F, c codecs.Codec) {
	f.Helper()
	encode := func(packets []*rtp.Packet) (b []byte) {
		for _, p := range packets {
			flags := byte(0)
			if p.Marker {
				flags = 1
			}
			b = append(b, 1, byte(p.Timestamp/3600), flags, byte(len(p.Payload)))
			b = append(b, p.Payload...)
		}
		return b
	}
	s := &sender{codec: c}
	f.Add(encode(s.frames(3, 100)))
	f.Add(append(encode(s.frames(2, 60)), 3, 0, 0, 4, 0x7c, 0x85, 1, 2, 0xff, 0, 1, 3, 0x7c, 0x45, 9))
	f.Add(encode(s.send(9, []byte{64, 1, 1}, []byte{66, 1, 1}, []byte{40, 1, 0x80})))
	f.Add([]byte{1, 0, 0, 4, 49 << 1, 1, 0x93, 0x80, 1, 0, 1, 4, 49 << 1, 1, 0x53, 7})
	f.Fuzz(func(t *testing.T, data []byte) {
		d := NewDepacketizer(c, 90_000)
		var p rtp.Packet
		for ms := 0; len(data) >= 4; ms++ {
			p.SequenceNumber += uint16(int8(data[0]))
			p.Timestamp = 3600 * uint32(data[1])
			p.Marker = data[2]&1 != 0
			if data[2]&2 != 0 {
				ms += 100
			}
			n := min(int(data[3]), len(data)-4)
			p.Payload, data = data[4:4+n], data[4+n:]
			checkUnits(t, c, d.Push(&p, at(ms)))
		}
		checkUnits(t, c, d.Flush(at(1<<30)))
		if _, ok := d.Deadline(); ok {
			t.Fatal("holds something after all")
		}
		if s := d.Stats(); s.Units+s.Broken+s.Late > s.Packets {
			t.Fatalf("%+v", s)
		}
	})
}

func checkUnits(t *testing.T, c codecs.Codec, units []*codecs.Unit) {
	t.Helper()
	for _, u := range units {
		if len(u.Payload) == 0 || u.Key && u.Discardable {
			t.Fatalf("%+v", u)
		}
		for _, n := range u.Payload {
			if c == codecs.H264 && !(h264Layout{}).carries(n) || c == codecs.H265 && !(h265Layout{}).carries(n) {
				t.Fatalf("NAL unit %x", n)
			}
		}
	}
}

func FuzzDepacketizerH264(f *testing.F) { fuzzDepacketizer(f, codecs.H264) }

func FuzzDepacketizerH265(f *testing.F) { fuzzDepacketizer(f, codecs.H265) }

func BenchmarkDepacketizer(b *testing.B) {
	s := &sender{codec: codecs.H264}
	packets := s.frames(50, 10_000)
	d := NewDepacketizer(codecs.H264, 90_000)
	b.ReportAllocs()
	for b.Loop() {
		for _, p := range packets {
			p.SequenceNumber += uint16(len(packets))
			d.Push(p, epoch)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(packets)), "ns/packet")
}
