package testsrc

import (
	"time"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/testpattern"
)

const (
	// maxLag is how late a frame may be made.
	maxLag = 200 * time.Millisecond
	// clockStep is by how much the wall clock must differ from what is
	// expected for it to have been set: more than a timer is ever late between
	// two readings of the clock, and less than a person sees.
	clockStep = 50 * time.Millisecond
	// keyDistance is the least time between key frames that are asked for.
	keyDistance = 500 * time.Millisecond

	videoTrack = 0
	audioTrack = 1
)

// producer makes what is due in one Run. All its times but those of stamps are
// on a time line that begins at the wall clock's time and runs evenly.
type producer struct {
	// Constant.
	source *Source
	out    camera.Output
	start  time.Time
	sound  sound

	frame   grid // of the next video frame
	block   grid // of the next audio unit
	lastKey time.Time
	// shift is what to add to get the wall clock's time, when that was set
	// since the start.
	shift time.Duration
}

// newProducer returns the producer of a Run that starts at start.
func newProducer(s *Source, start time.Time, out camera.Output) *producer {
	if start.Unix() < 0 {
		start = time.Unix(0, 0)
	}
	p := &producer{source: s, out: out, start: start, sound: newSound()}
	p.frame = gridAfter(start, int64(s.options.Picture.FPS))
	p.block = gridAfter(start, blocksASecond)
	return p
}

// advance makes everything due when elapsed has passed since the start and the
// wall clock shows wall. It returns the time since the start at which the next
// thing is due.
func (p *producer) advance(elapsed time.Duration, wall time.Time) (next time.Duration) {
	now := p.start.Add(elapsed)
	if d := wall.Sub(now) - p.shift; d > clockStep || d < -clockStep {
		p.source.options.Logger.Info("the clock was set, stamps follow it", "by", d)
		p.shift += d
	}
	p.skipLate(now)
	for {
		due := p.frame.time()
		// A block of sound is whole at its end; of two things due at once
		// the sound was captured first.
		if end := p.block.end(); p.source.options.Audio && !end.After(due) {
			if end.After(now) {
				return end.Sub(p.start)
			}
			p.writeBlock()
			continue
		}
		if due.After(now) {
			return due.Sub(p.start)
		}
		p.writeFrame(due)
	}
}

// skipLate leaves out what would be too late.
func (p *producer) skipLate(now time.Time) {
	if now.Sub(p.frame.time()) > maxLag {
		n := p.frame.moveTo(now)
		p.source.missed.Add(uint64(n))
		p.source.options.Logger.Warn("test picture: frames left out, the computer is too slow or was asleep", "frames", n)
	}
	if now.Sub(p.block.end()) > maxLag {
		p.block.moveTo(now)
	}
}

// writeFrame makes the video frame of an instant.
func (p *producer) writeFrame(due time.Time) {
	s := p.source
	if due.Sub(p.lastKey) >= keyDistance && s.wantKey.Swap(false) {
		s.encoder.ForceKey()
	}
	capture := testpattern.StampTime(due.Add(p.shift))
	nals := s.encoder.Encode(capture)
	key := len(nals) > 1
	if key {
		p.lastKey = due
	}
	p.out.WriteUnit(&codecs.Unit{
		Track: videoTrack, PTS: videoPTS(due), Wall: capture, Arrived: time.Now(), Key: key, Payload: nals,
	})
	p.frame.index++
}

// writeBlock makes the next unit of sound.
func (p *producer) writeBlock() {
	begin := p.block.time()
	p.out.WriteUnit(&codecs.Unit{
		Track: audioTrack, PTS: p.block.index * blockSamples, Wall: begin.Add(p.shift), Arrived: time.Now(), Key: true,
		Payload: [][]byte{p.sound.block(begin.Add(p.shift))},
	})
	p.block.index++
}

// videoPTS returns the PTS of an instant: its stamp's time in ticks of 90 kHz.
func videoPTS(t time.Time) int64 {
	const ticks = 90_000 * int64(testpattern.StampResolution) / int64(time.Second)
	return testpattern.StampTime(t).UnixMicro() / testpattern.StampResolution.Microseconds() * ticks
}
