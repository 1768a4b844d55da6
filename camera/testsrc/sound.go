package testsrc

import (
	"math"
	"math/bits"
	"time"
)

const (
	audioRate     = 8000
	blocksASecond = 50
	blockSamples  = audioRate / blocksASecond
	tickSamples   = audioRate / 20 // 50 ms
	silence       = 0xFF           // G.711 µ-law
)

// sound is a soft tick at the start of each second.
type sound struct{ tick [tickSamples]byte }

func newSound() sound {
	var s sound
	for i := range s.tick {
		t := float64(i) / audioRate
		attack := math.Min(t/0.002, 1)
		s.tick[i] = muLaw(int(6000 * attack * math.Exp(-t*90) * math.Sin(2*math.Pi*1000*t)))
	}
	return s
}

// block returns the samples of 20 ms from an instant on.
func (s *sound) block(from time.Time) []byte {
	out := make([]byte, blockSamples)
	at := from.Nanosecond() / (int(time.Second) / audioRate)
	for i := range out {
		if k := (at + i) % audioRate; k < tickSamples {
			out[i] = s.tick[k]
		} else {
			out[i] = silence
		}
	}
	return out
}

// muLaw encodes a 16-bit sample (ITU-T G.711 table 2a).
func muLaw(v int) byte {
	sign := byte(0)
	if v < 0 {
		v, sign = -v, 0x80
	}
	v = min(v, 32_635) + 132 // the bias makes each segment begin at a power of two
	segment := bits.Len(uint(v)) - 8
	return ^(sign | byte(segment)<<4 | byte(v>>(segment+3))&0x0F)
}
