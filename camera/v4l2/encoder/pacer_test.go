package encoder

import (
	"testing"
	"time"
)

func TestPacer_SlowIsMoreThanSeventyPercentOfTwoSeconds(t *testing.T) {
	p := newPacer(25)
	run := func(pictures int, each time.Duration) (verdicts int) {
		for range pictures {
			if _, slow := p.observe(each); slow {
				verdicts++
			}
		}
		return verdicts
	}
	if n := run(500, 27*time.Millisecond); n != 0 {
		t.Errorf("67 %% of the time is too slow, said %d times", n)
	}
	if n := run(49, 29*time.Millisecond); n != 0 {
		t.Errorf("judged before two seconds were over, %d times", n)
	}
	if n := run(1, 29*time.Millisecond); n != 1 {
		t.Errorf("73 %% of two seconds: said %d times to be too slow, want once", n)
	}
	if n := run(100, 29*time.Millisecond); n != 2 {
		t.Errorf("four more seconds: said %d times, want once for each two", n)
	}
	// One picture that takes long is no reason.
	run(1, 300*time.Millisecond)
	if n := run(49, 10*time.Millisecond); n != 0 {
		t.Error("a single slow picture counts")
	}
}

func TestPacer_SlowCamerasAreJudgedToo(t *testing.T) {
	for _, rate := range []float64{0.1, 0.5, 1, 7.5, 1000} {
		p := newPacer(rate)
		slow := false
		for range int(2*rate) + 2 {
			_, now := p.observe(p.interval)
			slow = slow || now
		}
		if !slow {
			t.Errorf("%g pictures a second that take all the time are fast enough", rate)
		}
	}
}
