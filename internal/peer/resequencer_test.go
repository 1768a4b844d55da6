package peer

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtp"
)

func numbered(seqs ...uint16) []*rtp.Packet {
	var out []*rtp.Packet
	for _, s := range seqs {
		out = append(out, &rtp.Packet{Header: rtp.Header{SequenceNumber: s}})
	}
	return out
}

func numbers(packets []*rtp.Packet) []uint16 {
	var out []uint16
	for _, p := range packets {
		out = append(out, p.SequenceNumber)
	}
	return out
}

func TestResequencer_PutsPacketsInOrder(t *testing.T) {
	r := newResequencer(time.Second)
	now := time.Unix(1000, 0)
	var got []uint16
	for _, p := range numbered(65533, 65535, 65534, 1, 0, 0, 2, 65534) {
		out, gap := r.push(now, p)
		if gap {
			t.Error("a gap where nothing is lost")
		}
		got = append(got, numbers(out)...)
	}
	if diff := cmp.Diff([]uint16{65533, 65534, 65535, 0, 1, 2}, got); diff != "" {
		t.Error(diff)
	}
	if r.duplicates != 2 || r.lost != 0 || r.waiting() {
		t.Errorf("%d duplicates, %d lost, waiting %v", r.duplicates, r.lost, r.waiting())
	}
}

func TestResequencer_AsksAgainAfterARoundTrip(t *testing.T) {
	r := newResequencer(time.Second)
	start := time.Unix(1000, 0)
	for _, p := range numbered(1, 2, 5) {
		r.push(start, p)
	}
	const rtt = 80 * time.Millisecond
	asked := map[time.Duration][]uint16{}
	for at := time.Duration(0); at <= 200*time.Millisecond; at += time.Millisecond {
		if seqs := r.requests(start.Add(at), rtt); seqs != nil {
			asked[at] = seqs
		}
	}
	want := map[time.Duration][]uint16{
		5 * time.Millisecond:   {3, 4},
		105 * time.Millisecond: {3, 4},
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Error(diff)
	}
	out, gap := r.push(start.Add(201*time.Millisecond), numbered(3)[0])
	if diff := cmp.Diff([]uint16{3}, numbers(out)); diff != "" || gap || r.recovered != 1 {
		t.Errorf("recovered %d, gap %v, %s", r.recovered, gap, diff)
	}
	if seqs := r.requests(start.Add(400*time.Millisecond), rtt); !slices.Equal(seqs, []uint16{4}) {
		t.Errorf("asked for %v", seqs)
	}
}

func TestResequencer_GivesUpAfterItsPatience(t *testing.T) {
	r := newResequencer(500 * time.Millisecond)
	start := time.Unix(1000, 0)
	for _, p := range numbered(1, 3, 4, 6) {
		r.push(start, p)
	}
	if out, gap := r.expire(start.Add(499 * time.Millisecond)); out != nil || gap {
		t.Errorf("gave up early: %v", numbers(out))
	}
	out, gap := r.expire(start.Add(500 * time.Millisecond))
	if diff := cmp.Diff([]uint16{3, 4, 6}, numbers(out)); diff != "" || !gap || r.lost != 2 {
		t.Errorf("gap %v, lost %d, %s", gap, r.lost, diff)
	}
	if out, _ := r.push(start, numbered(2)[0]); out != nil {
		t.Error("a packet came out after it was given up")
	}
}

func TestResequencer_LongGapIsANewStream(t *testing.T) {
	r := newResequencer(time.Second)
	now := time.Unix(1000, 0)
	r.push(now, numbered(10)[0])
	out, gap := r.push(now, numbered(30000)[0])
	if diff := cmp.Diff([]uint16{30000}, numbers(out)); diff != "" || !gap {
		t.Errorf("gap %v, %s", gap, diff)
	}
	if out, gap := r.push(now, numbered(30001)[0]); len(out) != 1 || gap {
		t.Error("the new stream does not go on")
	}
}

// TestResequencer_AnyOrder checks what holds whatever arrives.
func TestResequencer_AnyOrder(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		r := newResequencer(50 * time.Millisecond)
		now := time.Unix(1000, 0)
		last, first := uint16(0), true
		check := func(out []*rtp.Packet, gap bool) {
			for i, p := range out {
				step := p.SequenceNumber - last
				if !first && (step == 0 || step >= 1<<15) && !gap {
					t.Fatalf("seed %d: %d after %d", seed, p.SequenceNumber, last)
				}
				if !first && step != 1 && !gap {
					t.Fatalf("seed %d: a gap that was not told: %d after %d (%d)", seed, p.SequenceNumber, last, i)
				}
				last, first = p.SequenceNumber, false
			}
		}
		base := uint16(rng.Uint32())
		for range 3000 {
			now = now.Add(time.Duration(rng.IntN(5)) * time.Millisecond)
			if rng.IntN(500) == 0 {
				base += uint16(rng.IntN(5000))
			}
			base += uint16(rng.IntN(3))
			check(r.push(now, numbered(base - uint16(rng.IntN(6)))[0]))
			check(r.expire(now))
			r.requests(now, 10*time.Millisecond)
		}
	}
}
