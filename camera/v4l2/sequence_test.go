package v4l2

import "testing"

func TestSequence_CountsWhatIsMissing(t *testing.T) {
	for _, c := range []struct {
		name    string
		numbers func(i uint32) uint32
		want    uint32
	}{
		{"all there", func(i uint32) uint32 { return i + 7 }, 0},
		{"three missing, at two places", func(i uint32) uint32 { return i + i/40*2 - i/80 }, 3},
		{"never set", func(uint32) uint32 { return 0 }, 0},
		{"counts in twos", func(i uint32) uint32 { return 2 * i }, 0},
		{"wraps around", func(i uint32) uint32 { return i - 50 }, 0},
		{"starts over", func(i uint32) uint32 { return i % 60 }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s sequence
			var lost uint32
			for i := range uint32(100) {
				lost += s.lost(c.numbers(i))
			}
			if lost != c.want {
				t.Errorf("%d lost, want %d", lost, c.want)
			}
		})
	}
}
