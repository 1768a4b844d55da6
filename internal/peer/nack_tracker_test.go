package peer

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func tracker(now time.Time, seqs ...uint16) *nackTracker {
	n := &nackTracker{patience: 500 * time.Millisecond}
	for _, s := range seqs {
		n.arrived(now, s)
	}
	return n
}

func TestNackTracker_AsksAgainAfterARoundTrip(t *testing.T) {
	start := time.Unix(1000, 0)
	n := tracker(start, 65533, 65534, 1)
	const rtt = 80 * time.Millisecond
	asked := map[time.Duration][]uint16{}
	for at := time.Duration(0); at < 200*time.Millisecond; at += time.Millisecond {
		if seqs := n.requests(start.Add(at), rtt); seqs != nil {
			asked[at] = seqs
		}
	}
	want := map[time.Duration][]uint16{
		5 * time.Millisecond:   {65535, 0},
		105 * time.Millisecond: {65535, 0},
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Error(diff)
	}
	n.arrived(start, 65535)
	if got := n.requests(start.Add(300*time.Millisecond), rtt); !slices.Equal(got, []uint16{0}) || n.recovered != 1 {
		t.Errorf("asked for %v after %d recovered", got, n.recovered)
	}
}

func TestNackTracker_ReorderedPacketIsNotAskedFor(t *testing.T) {
	start := time.Unix(1000, 0)
	n := tracker(start, 1, 3)
	n.requests(start.Add(reorderGrace-1), 0)
	n.arrived(start.Add(reorderGrace-1), 2)
	if got := n.requests(start.Add(time.Second/10), 0); got != nil || n.waiting() || n.recovered != 0 {
		t.Errorf("asked for %v, recovered %d", got, n.recovered)
	}
}

func TestNackTracker_GivesUpAfterItsPatience(t *testing.T) {
	start := time.Unix(1000, 0)
	n := tracker(start, 1, 3)
	if got := n.requests(start.Add(500*time.Millisecond), 0); got != nil || n.waiting() {
		t.Errorf("still asks for %v", got)
	}
}

func TestNackTracker_LongStepIsANewStream(t *testing.T) {
	start := time.Unix(1000, 0)
	n := tracker(start, 1, 3, 40000, 40002)
	if got := n.requests(start.Add(time.Second/10), 0); !slices.Equal(got, []uint16{40001}) {
		t.Errorf("asks for %v", got)
	}
}

// TestNackTracker_AsksForExactlyWhatIsMissing compares with a plain set.
func TestNackTracker_AsksForExactlyWhatIsMissing(t *testing.T) {
	for seed := range uint64(100) {
		rng := rand.New(rand.NewPCG(seed, 1))
		now := time.Unix(1000, 0)
		n := &nackTracker{patience: time.Hour}
		missing := map[uint16]bool{}
		seq := uint16(rng.Uint32())
		n.arrived(now, seq)
		for range 1000 {
			seq++
			if rng.IntN(10) == 0 {
				missing[seq] = true
				continue
			}
			n.arrived(now, seq)
			for s := range missing {
				if rng.IntN(20) == 0 && s-seq > 1<<15 { // only what is past counts as missing
					delete(missing, s)
					n.arrived(now, s)
				}
			}
		}
		n.arrived(now, seq+1)
		var got []uint16
		for at := now.Add(time.Second); ; {
			seqs := n.requests(at, 0)
			if seqs == nil {
				break
			}
			got = append(got, seqs...)
		}
		if len(got) != len(missing) {
			t.Fatalf("seed %d: asks for %d packets, %d are missing", seed, len(got), len(missing))
		}
		for _, s := range got {
			if !missing[s] {
				t.Fatalf("seed %d: asks for %d, which is not missing", seed, s)
			}
		}
	}
}
