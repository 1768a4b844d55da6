package peer

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/rtppack"
)

func TestSender_ShowsTheMainStreamWhenTheSubStreamIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, bedOptions{oneWay: 10 * time.Millisecond, sub: true, preroll: 30, away: [2]bool{false, true}})
		b.play(4 * time.Second)
		n := b.session.Stats().Frames
		b.close()
		if n < 20 {
			t.Fatalf("%d frames of a camera whose sub stream is away", n)
		}
	})
}

func TestSender_ShowsTheSubStreamWhileTheMainStreamIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, bedOptions{oneWay: 10 * time.Millisecond, sub: true, preroll: 30})
		b.play(10 * time.Second) // rises to the main stream
		if b.session.Stats().Rungs[0] != 0 {
			t.Fatal("not on the main stream")
		}
		b.away[0] = true
		b.play(10 * time.Second)
		lost := time.Now()
		b.play(4 * time.Second)
		b.away[0] = false
		back := time.Now()
		b.play(10 * time.Second)
		end := time.Now()
		b.close()
		if n := len(b.between(lost, back)); n < 90 {
			t.Fatalf("%d frames in 4 s while only the sub stream is there", n)
		}
		last := b.between(end.Add(-time.Second), end)
		if len(last) < 20 || last[len(last)-1].rendition != 0 {
			t.Fatalf("%d frames in the last second, not of the main stream that is back", len(last))
		}
	})
}

// otherMain is a camera whose main stream is of a codec no test viewer takes.
type otherMain struct{ *testStream }

func (s otherMain) Track(r int) (codecs.Track, bool) {
	if r == 0 {
		return codecs.Track{Codec: codecs.AAC, ClockRate: 90000}, true
	}
	return s.testStream.Track(r)
}

func (s otherMain) Open(r int) Feed {
	f := s.testStream.Open(r)
	if r == 0 {
		return otherFeed{f}
	}
	return f
}

type otherFeed struct{ Feed }

func (f otherFeed) Next() (*rtppack.Frame, int, bool) {
	fr, skipped, ok := f.Feed.Next()
	if fr != nil {
		fr = rtppack.NewFrame(codecs.AAC, fr.Unit)
	}
	return fr, skipped, ok
}

func TestSender_ShowsTheSubStreamToAViewerWhoCannotPlayTheMainStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, bedOptions{oneWay: 10 * time.Millisecond, sub: true, preroll: 30})
		b.viewer.reoffer(t, b.session, func(string, string) Stream { return otherMain{b.stream} })
		b.play(30 * time.Second)
		end := time.Now()
		b.close()
		if n := len(b.between(end.Add(-20*time.Second), end)); n < 480 {
			t.Fatalf("%d of 500 frames in 20 s", n)
		}
	})
}

func TestSender_AFloodOfKeyFrameRequestsIsAnsweredEverMoreSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, bedOptions{oneWay: 5 * time.Millisecond, gop: 250, preroll: 200})
		b.play(time.Second)
		b.session.mu.Lock()
		v := b.session.tracks["0"].video
		b.session.mu.Unlock()
		b.session.near.Store(int32(sameNetwork)) // no reason to go easy on the path
		before := b.session.Stats().Frames
		for range 200 {
			select {
			case v.pli <- struct{}{}:
			default:
			}
			b.play(100 * time.Millisecond)
		}
		sent := b.session.Stats().Frames - before
		b.close()
		if sent > 8*500 {
			t.Fatalf("%d frames sent in 20 s of 500", sent)
		}
	})
}
