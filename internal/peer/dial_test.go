package peer

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/transport/v4/vnet"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/rtppack"
)

// watching is a viewer that Dial made, an endpoint and a camera.
type watching struct {
	wire    *wire
	conn    *Conn
	session *Session
	stream  *testStream
	units   *UnitReader
	seeks   searches

	mu  sync.Mutex
	got []*codecs.Unit
}

// withViewer runs f while a viewer watches a camera with frames to join at.
func withViewer(t *testing.T, delay time.Duration, lose func(vnet.Chunk) bool, f func(w *watching)) {
	t.Helper()
	w := &watching{wire: newWire(t, delay), stream: newTestStream(1), units: NewUnitReader()}
	e, err := Listen(EndpointOptions{Certificate: testCertificate(t), Net: w.wire.camera, Addr: "192.0.2.2:5000"})
	if err != nil {
		t.Fatal(err)
	}
	w.publish(true, 20000)
	signal := func(ctx context.Context, sdp string) (answer string, err error) {
		w.session, answer, err = e.Answer(ctx, Offer{SDP: sdp, Pick: func(_, kind string) Stream {
			if kind == "video" {
				return w.stream
			}
			return nil
		}})
		return answer, err
	}
	if w.conn, err = Dial(t.Context(), DialOptions{
		Net: w.wire.viewer, Certificate: testCertificate(t),
		Video: true, Audio: true, Signal: AnswerOnly(signal), OnTrack: w.units.AddTrack, Logger: slog.New(&w.seeks),
	}); err != nil {
		t.Fatal(err)
	}
	w.wire.lose(lose)
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			_, u, err := w.units.Read(t.Context())
			if err != nil {
				return
			}
			w.mu.Lock()
			w.got = append(w.got, u)
			w.mu.Unlock()
		}
	})
	f(w)
	w.wire.cut()
	if err := w.conn.Close(); err != nil {
		t.Error(err)
	}
	for _, tr := range w.conn.Tracks() {
		if err := drainTrack(tr); !errors.Is(err, io.EOF) {
			t.Errorf("read after the end: %v", err)
		}
	}
	w.units.End()
	reading.Wait()
	if err := w.session.Close(); err != nil {
		t.Error(err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if err := w.wire.router.Stop(); err != nil {
		t.Error(err)
	}
}

func drainTrack(t *RemoteTrack) error {
	for {
		if _, err := t.ReadUnit(context.Background()); err != nil {
			return err
		}
	}
}

// publish adds a frame; key frames begin with parameter sets, as a Unit's do.
func (w *watching) publish(key bool, size int) {
	s := w.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.renditions[0]
	number := len(r.frames)
	u := &codecs.Unit{PTS: int64(number) * 3600, Arrived: time.Now(), Key: key, Payload: [][]byte{stampNAL(number, 0, key, size)}}
	if key {
		u.Payload = append([][]byte{{0x67, 0x42, 0xe0, 0x1f, 0x96}, {0x68, 0xce, 0x3c, 0x80}}, u.Payload...)
		r.key = number
	}
	r.frames = append(r.frames, rtppack.NewFrame(codecs.H264, u))
	for f := range r.feeds {
		notify(f.wake)
	}
}

// play publishes frames 1 to n, with a key frame every 50.
func (w *watching) play(n int) {
	for i := 1; i <= n; i++ {
		elapse(40 * time.Millisecond)
		w.publish(i%50 == 0, 9000)
	}
	elapse(time.Second)
}

// received returns the numbers of the frames that arrived.
func (w *watching) received() []int {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []int
	for _, u := range w.got {
		n, _ := readStampNAL(u.Payload[len(u.Payload)-1])
		out = append(out, n)
	}
	return out
}

func TestDial_FramesArriveFromTheCachedKeyFrameOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		withViewer(t, 20*time.Millisecond, nil, func(w *watching) {
			w.play(60)
			want := make([]int, 61)
			for i := range want {
				want[i] = i
			}
			if diff := cmp.Diff(want, w.received()); diff != "" {
				t.Error(diff)
			}
			s := w.conn.Stats()
			if !s.Direct() || !strings.Contains(s.Remote, "192.0.2.2:5000") || s.RoundTrip < 40*time.Millisecond || s.RoundTrip > 60*time.Millisecond {
				t.Errorf("path %+v", s)
			}
			if len(s.Tracks) != 1 || s.Tracks[0].MID != "0" || s.Tracks[0].Codec != codecs.H264 || s.Tracks[0].Units != 61 || s.Tracks[0].KeyUnits != 2 || s.Tracks[0].Lost != 0 {
				t.Errorf("tracks %+v", s.Tracks)
			}
			if w.stream.requests != 0 {
				t.Errorf("%d key frames asked for without a loss", w.stream.requests)
			}
		})
	})
}

func TestDial_LossIsMended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		withViewer(t, 40*time.Millisecond, everyNth(20), func(w *watching) {
			const frames = 1000
			w.play(frames)
			got := w.received()
			if !slices.IsSorted(got) || len(got) < frames*999/1000 {
				t.Errorf("%d of %d frames arrived, sorted %v", len(got), frames, slices.IsSorted(got))
			}
			s := w.conn.Stats().Tracks[0]
			if s.Recovered == 0 || s.Requested < s.Recovered || s.Requested > s.Recovered*2 {
				t.Errorf("%d requests for %d packets", s.Requested, s.Recovered)
			}
		})
	})
}

func TestDial_AsksForAKeyFrameAfterAGapItCannotMend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		withViewer(t, 20*time.Millisecond, nil, func(w *watching) {
			w.play(20)
			w.wire.cut()
			w.play(10)
			elapse(2 * time.Second)
			w.wire.lose(nil)
			w.play(10)
			elapse(3 * time.Second)
			s := w.conn.Stats().Tracks[0]
			if s.KeyFrameRequests == 0 || s.KeyFrameRequests > 12 {
				t.Errorf("%d requests for a key frame", s.KeyFrameRequests)
			}
			w.play(50)
			before := w.conn.Stats().Tracks[0].KeyFrameRequests
			w.play(20)
			if after := w.conn.Stats().Tracks[0].KeyFrameRequests; after != before {
				t.Error("still asks for a key frame after it has come")
			}
		})
	})
}

func TestDial_SlowReaderSkipsToAKeyFrame(t *testing.T) {
	tr := &RemoteTrack{ready: make(chan struct{}, 1), ended: make(chan struct{})}
	for i := range trackQueue + 150 {
		tr.enqueue(&codecs.Unit{PTS: int64(i), Key: i%100 == 0})
	}
	u, err := tr.ReadUnit(t.Context())
	if err != nil || !u.Key || u.PTS < trackQueue {
		t.Errorf("after the overflow comes %+v, %v", u, err)
	}
	if s := tr.stats; s.Dropped != uint64(u.PTS) {
		t.Errorf("%d units counted as dropped, %d were", s.Dropped, u.PTS)
	}
}

func TestDial_EndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := Dial(ctx, DialOptions{Net: w.viewer, Video: true, Signal: AnswerOnly(func(ctx context.Context, _ string) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		})})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("dial: %v", err)
		}
		_ = w.router.Stop()
	})
}

// The path is not asked about before there is one: the race detector sees it.
func TestDial_WaitsForAPublisherThatTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, time.Millisecond)
		e, err := Listen(EndpointOptions{Certificate: testCertificate(t), Net: w.camera, Addr: "192.0.2.2:5000"})
		if err != nil {
			t.Fatal(err)
		}
		var session *Session
		conn, err := Dial(t.Context(), DialOptions{
			Net: w.viewer, Certificate: testCertificate(t),
			Signal: AnswerOnly(func(ctx context.Context, sdp string) (answer string, err error) {
				time.Sleep(2500 * time.Millisecond) //nolint:forbidigo // virtual time
				session, answer, err = e.Answer(ctx, Offer{SDP: sdp})
				return answer, err
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, closer := range []io.Closer{conn, session, e} {
			if err := closer.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := w.router.Stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestDial_SaysThatThereIsNoRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, time.Millisecond)
		w.cut()
		camera := newAnswerer(t, w.camera)
		_, err := Dial(t.Context(), DialOptions{Net: w.viewer, Signal: AnswerOnly(camera.signal)})
		if !errors.Is(err, ErrNoRoute) {
			t.Errorf("dial: %v", err)
		}
		camera.close()
		_ = w.router.Stop()
	})
}

func TestDial_RefusesAnswerThatIsNoSDP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, time.Millisecond)
		for _, answer := range []string{"", "v=0", "hello", strings.Repeat("a=x\r\n", 1000)} {
			_, err := Dial(t.Context(), DialOptions{Net: w.viewer, Video: true, Signal: AnswerOnly(func(context.Context, string) (string, error) {
				return answer, nil
			})})
			if err == nil {
				t.Errorf("answer %.10q was taken", answer)
			}
		}
		_ = w.router.Stop()
	})
}

func TestSections_CamerasInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, time.Millisecond)
		stop := errors.New("seen enough")
		_, err := Dial(t.Context(), DialOptions{Net: w.viewer, Video: true, Audio: true, Cameras: 2, Signal: AnswerOnly(func(_ context.Context, sdp string) (string, error) {
			got, err := Sections(sdp)
			if err != nil {
				t.Error(err)
			}
			want := []Section{{"0", "video"}, {"1", "audio"}, {"2", "video"}, {"3", "audio"}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			return "", stop
		})})
		if !errors.Is(err, stop) {
			t.Errorf("dial: %v", err)
		}
		_ = w.router.Stop()
	})
}
