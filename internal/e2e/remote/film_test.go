package remote

import (
	"encoding/base64"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/rtppack"
	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/internal/lab/rtspcam"
)

// film is a camera that counts its pictures from the start of the test on, whoever
// is connected: what is missing in a recording is missing in the numbers.
type film struct {
	url  string
	stop chan struct{}

	mu       sync.Mutex
	times    []time.Time // by number
	showings []*showing
}

// showing is one connection of a client to the camera.
type showing struct {
	frames      chan frame
	began       bool
	first, last uint32 // numbers of the pictures that were sent
}

type frame struct {
	number  uint32
	at      time.Duration
	key     bool
	packets [][]byte
}

const (
	filmWidth  = 640
	filmHeight = 360
	// filmGOP makes groups short, so that little has to be waited for.
	filmGOP = time.Second
	filmFPS = 25
	// patient is how many pictures wait for a client that was stopped.
	patient = 4096
)

// newFilm starts a camera that ends with the test.
func newFilm(t *testing.T) *film {
	t.Helper()
	e, err := testpattern.New(testpattern.Options{Width: filmWidth, Height: filmHeight, GOP: filmGOP, FPS: filmFPS})
	if err != nil {
		t.Fatal(err)
	}
	sps, pps := e.ParameterSets()
	f := &film{stop: make(chan struct{})}
	fake := &rtspcam.Fake{
		SDP: fmt.Sprintf("m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"+
			"a=fmtp:96 packetization-mode=1;profile-level-id=%x;sprop-parameter-sets=%s,%s\r\n",
			sps[1:4], base64.StdEncoding.EncodeToString(sps), base64.StdEncoding.EncodeToString(pps)),
		NoUDP: true,
		Play:  f.play,
	}
	f.url = fake.Start(t)
	var turning sync.WaitGroup
	turning.Go(func() { f.turn(e) })
	t.Cleanup(func() {
		close(f.stop)
		turning.Wait()
	})
	return f
}

// turn makes the pictures.
func (f *film) turn(e *testpattern.Encoder) {
	start := time.Now()
	tick := time.NewTicker(time.Second / filmFPS)
	defer tick.Stop()
	for n := uint32(0); ; n++ {
		var now time.Time
		select {
		case now = <-tick.C:
		case <-f.stop:
			return
		}
		units := e.Encode(now)
		p := frame{number: n, at: now.Sub(start), key: len(units) > 1, packets: rtppack.Pack(codecs.H264, &codecs.Unit{Payload: units})}
		f.mu.Lock()
		f.times = append(f.times, now)
		for _, s := range f.showings {
			if !s.began && !p.key {
				continue
			}
			s.began = true
			select {
			case s.frames <- p:
			default: // it is gone
			}
		}
		f.mu.Unlock()
	}
}

// play shows the film to one client.
func (f *film) play(to *rtspcam.FakeSender) {
	s := &showing{frames: make(chan frame, patient)}
	f.mu.Lock()
	f.showings = append(f.showings, s)
	f.mu.Unlock()
	sequence := uint16(0)
	for {
		var p frame
		select {
		case p = <-s.frames:
		case <-to.Done:
			return
		case <-f.stop:
			return
		}
		for i, payload := range p.packets {
			sequence++
			if !to.RTP(&rtp.Packet{Payload: payload, Header: rtp.Header{
				Version: 2, PayloadType: 96, SSRC: 1, SequenceNumber: sequence, Marker: i == len(p.packets)-1,
				Timestamp: uint32(p.at.Microseconds() * 9 / 100),
			}}) {
				return
			}
		}
		f.mu.Lock()
		if s.first == 0 {
			s.first = p.number
		}
		s.last = p.number
		f.mu.Unlock()
	}
}

// made is how many pictures there are.
func (f *film) made() uint32 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return uint32(len(f.times))
}

// unseen returns the numbers of the pictures that no client was connected for: in
// each pair, those from the first up to, and without, the second.
func (f *film) unseen() (out [][2]uint32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	last := uint32(0)
	for _, s := range f.showings {
		if s.last == 0 {
			continue
		}
		if last > 0 && s.first > last+1 {
			out = append(out, [2]uint32{last + 1, s.first})
		}
		last = s.last
	}
	return out
}
