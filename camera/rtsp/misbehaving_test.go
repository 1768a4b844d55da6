package rtsp_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/camera/rtsp"
	"github.com/sightline-cam/sightline/codecs/h264"
	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/internal/lab/rtspcam"
)

// pictures returns n pictures of the test pattern, the first a key frame.
func pictures(n int) (pictures [][][]byte) {
	enc, err := testpattern.New(testpattern.Options{Width: 640, Height: 360, FPS: 25})
	if err != nil {
		panic(fmt.Sprintf("the test picture: %v", err))
	}
	now := time.Now()
	for i := range n {
		pictures = append(pictures, enc.Encode(now.Add(time.Duration(i)*40*time.Millisecond)))
	}
	return pictures
}

// sender makes RTP packets of NAL units that fit into one each.
type sender struct {
	*rtspcam.FakeSender
	seq uint16
	ts  uint32
}

// picture sends a picture and waits for the time of the next. Markers are set
// on the last NAL unit, or on every slice.
func (s *sender) picture(units [][]byte, everySlice bool) bool {
	for i, u := range units {
		typ := h264.TypeOf(u)
		marker := i == len(units)-1 || everySlice && (typ == h264.Slice || typ == h264.IDR)
		for _, payload := range fragments(u) {
			last := payload.last && marker
			p := &rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 96, SSRC: 7, SequenceNumber: s.seq, Timestamp: s.ts, Marker: last}, Payload: payload.bytes}
			if !s.RTP(p) {
				return false
			}
			s.seq++
		}
	}
	s.ts += 3600
	select {
	case <-s.Done:
		return false
	case <-time.After(10 * time.Millisecond):
		return true
	}
}

type fragment struct {
	bytes []byte
	last  bool
}

// fragments cuts a NAL unit into FU-A payloads (RFC 6184 §5.8).
func fragments(u []byte) (out []fragment) {
	const size = 1000
	if len(u) <= size {
		return []fragment{{u, true}}
	}
	for rest, first := u[1:], true; len(rest) > 0; first = false {
		n := min(size, len(rest))
		head := u[0] & 0x1f
		if first {
			head |= 0x80
		}
		if n == len(rest) {
			head |= 0x40
		}
		out = append(out, fragment{append([]byte{u[0]&0xe0 | 28, head}, rest[:n]...), n == len(rest)})
		rest = rest[n:]
	}
	return out
}

// plays sends the pictures again and again.
func plays(all [][][]byte) func(*rtspcam.FakeSender) {
	return func(f *rtspcam.FakeSender) {
		s := &sender{FakeSender: f}
		for i := 0; s.picture(all[i%len(all)], false); i++ {
		}
	}
}

func stalls(f *rtspcam.FakeSender) { <-f.Done }

func TestSource_ErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	status := func(method, line string) string {
		return (&rtspcam.Fake{Status: map[string]string{method: line}}).Start(t)
	}
	both := pictures(3)
	tests := map[string]struct {
		url    string
		reason rtsp.Reason
		text   string
	}{
		"nothing listens": {unheard(t), rtsp.Refused, "check the port and that RTSP is enabled"},
		"unknown name":    {"rtsp://camera.invalid/stream", rtsp.Unreachable, "cannot be resolved"},
		"silent":          {rtspcam.StartListener(t, rtspcam.Silent), rtsp.Timeout, "does not answer"},
		"silent TLS":      {strings.Replace(rtspcam.StartListener(t, rtspcam.Silent), "rtsp:", "rtsps:", 1), rtsp.Timeout, "does not answer"},
		"garbage":         {rtspcam.StartListener(t, rtspcam.Garbage), rtsp.Garbage, "does not speak RTSP"},
		"web server": {rtspcam.StartListener(t, func(c net.Conn) {
			_, _ = c.Write([]byte("HTTP/1.0 400 Bad Request\r\n\r\n"))
			rtspcam.Silent(c)
		}), rtsp.Garbage, "it says \"HTTP/1.0 400"},
		"hangs up":          {rtspcam.StartListener(t, rtspcam.Hangup), rtsp.Ended, "before the stream began"},
		"forbidden":         {status("DESCRIBE", "403 Forbidden"), rtsp.Forbidden, "right to view"},
		"busy":              {status("SETUP", "453 Not Enough Bandwidth"), rtsp.Busy, "close other programs"},
		"internal error":    {status("PLAY", "500 Internal Server Error"), rtsp.Ended, "status 500"},
		"no transport":      {(&rtspcam.Fake{NoTCP: true, NoUDP: true}).Start(t), rtsp.NoMedia, "refuses RTP over TCP, and it refuses RTP over UDP"},
		"plays nothing":     {(&rtspcam.Fake{Play: stalls}).Start(t), rtsp.NoMedia, "sends nothing"},
		"no media":          {(&rtspcam.Fake{SDP: "m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\n"}).Start(t), rtsp.NoVideo, "has no video"},
		"odd H.264":         {(&rtspcam.Fake{SDP: "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=2\r\n"}).Start(t), rtsp.NoVideo, "set its video codec"},
		"broken SDP":        {(&rtspcam.Fake{SDP: "m=video\r\n"}).Start(t), rtsp.Garbage, "cannot be read"},
		"closes mid-stream": {closesAfter(t, both), rtsp.Ended, "closed the connection"},
		"stops sending": {(&rtspcam.Fake{Play: func(f *rtspcam.FakeSender) {
			s := &sender{FakeSender: f}
			s.picture(both[0], false)
			<-f.Done
		}}).Start(t), rtsp.Timeout, "stopped sending"},
	}
	soon := map[string]rtsp.Options{ // what nothing but time ends
		"silent":        {SetupTimeout: time.Second},
		"silent TLS":    {SetupTimeout: time.Second},
		"plays nothing": {SilenceTimeout: 500 * time.Millisecond},
		"stops sending": {ReadTimeout: 8 * time.Second}, // which answers have to come within as well
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := soon[name]
			o.URL = tt.url
			err := fail(t, o)
			if err.Reason != tt.reason || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %s: %v\nwant %s: … %s …", err.Reason, err, tt.reason, tt.text)
			}
			if strings.ContainsAny(err.Error(), "\x1b\r\n\x00") {
				t.Errorf("the error holds control characters: %q", err.Error())
			}
		})
	}
}

func TestSource_NoiseBetweenPacketsIsSkipped(t *testing.T) {
	t.Parallel()
	all := pictures(25)
	url := (&rtspcam.Fake{Play: func(f *rtspcam.FakeSender) {
		s := &sender{FakeSender: f}
		for i := 0; s.picture(all[i%len(all)], false); i++ {
			s.Raw([]byte("\x00\x01\x02 what?\r\n\r\n"))
		}
	}}).Start(t)
	watch(t, rtsp.Options{URL: url}, func(c *collector) bool { return len(c.units) >= 30 })
}

// unheard returns an address at which nothing listens, nor can while the test runs: it
// is the near end of a connection.
func unheard(t *testing.T) string {
	t.Helper()
	far := rtspcam.StartListener(t, rtspcam.Silent)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimSuffix(strings.TrimPrefix(far, "rtsp://"), "/stream"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return "rtsp://" + conn.LocalAddr().String() + "/stream"
}

func closesAfter(t *testing.T, all [][][]byte) string {
	return (&rtspcam.Fake{Play: func(f *rtspcam.FakeSender) {
		s := &sender{FakeSender: f}
		for _, p := range all {
			s.picture(p, false)
		}
	}}).Start(t)
}

func TestSource_FallsBackToTheOtherTransportAndRemembersIt(t *testing.T) {
	t.Parallel()
	all := pictures(25)
	silentOver := func(udp bool) func(*rtspcam.FakeSender) {
		return func(f *rtspcam.FakeSender) {
			if f.UDP == udp {
				stalls(f)
				return
			}
			plays(all)(f)
		}
	}
	tests := map[string]struct {
		fake *rtspcam.Fake
		want rtsp.Transport
	}{
		"works over TCP":       {&rtspcam.Fake{Play: plays(all)}, rtsp.TCP},
		"refuses TCP":          {&rtspcam.Fake{NoTCP: true, Play: plays(all)}, rtsp.UDP},
		"silent over TCP":      {&rtspcam.Fake{Play: silentOver(false)}, rtsp.UDP},
		"UDP refused later":    {&rtspcam.Fake{NoUDP: true, Play: plays(all)}, rtsp.TCP},
		"UDP silent, TCP good": {&rtspcam.Fake{Play: silentOver(true)}, rtsp.TCP},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var l log
			o := rtsp.Options{URL: tt.fake.Start(t), Logger: l.logger()}
			if name == "silent over TCP" {
				o.SilenceTimeout = 5 * time.Second // which UDP has to begin within as well
			}
			c, src := watch(t, o, func(c *collector) bool { return len(c.units) >= 10 })
			if got := src.Transport(); got != tt.want {
				t.Errorf("the next connection begins with %s, want %s", got, tt.want)
			}
			if !c.units[0].Key {
				t.Error("the first unit is not the key frame sent first")
			}
			if n := strings.Count(l.String(), "trying the other RTSP transport"); (n == 1) != (tt.want == rtsp.UDP) {
				t.Errorf("%d fallbacks:\n%s", n, l.String())
			}
		})
	}
}

func TestSource_UDPThatWorkedGivesWayToTCPWhenItStopsWorking(t *testing.T) {
	t.Parallel()
	all := pictures(25)
	var blocked bool // read and written between runs only
	fake := &rtspcam.Fake{NoTCP: true, Play: plays(all)}
	url := fake.Start(t)
	src := newSource(t, rtsp.Options{URL: url})
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		c := &collector{done: cancel, enough: func(c *collector) bool { return len(c.units) >= 5 }}
		if err := src.Run(ctx, c); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		cancel()
		if !blocked {
			if src.Transport() != rtsp.UDP {
				t.Fatalf("transport %s, want udp", src.Transport())
			}
			fake.NoTCP, fake.NoUDP, blocked = false, true, true
		}
	}
	if src.Transport() != rtsp.TCP {
		t.Errorf("transport %s, want tcp", src.Transport())
	}
}

func TestSource_VLCOverUDP(t *testing.T) {
	t.Parallel()
	url := rtspcam.StartVLC(t)
	var l log
	c, src := watch(t, rtsp.Options{URL: url, Logger: l.logger()}, func(c *collector) bool { return c.keys(0) >= 2 })
	if src.Transport() != rtsp.UDP {
		t.Errorf("transport %s, want udp", src.Transport())
	}
	if !strings.Contains(l.String(), "it refuses RTP over TCP") {
		t.Errorf("the log does not say why:\n%s", l.String())
	}
	for _, u := range c.units {
		if u.Key && h264.TypeOf(u.Payload[0]) != h264.SPS {
			t.Error("a key unit does not begin with its SPS")
		}
	}
}

func TestSource_MarkerOnEverySliceMakesOneUnit(t *testing.T) {
	t.Parallel()
	var all [][][]byte
	for _, p := range pictures(12) {
		last := p[len(p)-1]
		// What a slice decodes to does not matter here, only that it is one.
		all = append(all, append(p, last, last))
	}
	url := (&rtspcam.Fake{Play: func(f *rtspcam.FakeSender) {
		s := &sender{FakeSender: f}
		for i := 0; s.picture(all[i%len(all)], true); i++ {
		}
	}}).Start(t)
	c, _ := watch(t, rtsp.Options{URL: url}, func(c *collector) bool { return len(c.units) >= 80 })
	for i, u := range c.units {
		slices := 0
		for _, n := range u.Payload {
			if typ := h264.TypeOf(n); typ == h264.Slice || typ == h264.IDR {
				slices++
			}
		}
		if slices != countSlices(all[i%len(all)]) {
			t.Fatalf("unit %d has %d slices", i, slices)
		}
	}
}

func countSlices(units [][]byte) (n int) {
	for _, u := range units {
		if typ := h264.TypeOf(u); typ == h264.Slice || typ == h264.IDR {
			n++
		}
	}
	return n
}

func TestSource_KeyFrameIsAskedForByPLIAtMostOnceASecond(t *testing.T) {
	t.Parallel()
	all := pictures(25)
	got := make(chan rtcp.Packet, 64)
	url := (&rtspcam.Fake{Play: func(f *rtspcam.FakeSender) {
		s := &sender{FakeSender: f}
		for i := 0; s.picture(all[i%len(all)], false); i++ {
			select {
			case p := <-f.Feedback:
				select {
				case got <- p:
				default: // far too many
				}
			default:
			}
		}
	}}).Start(t)
	src := newSource(t, rtsp.Options{URL: url})
	src.RequestKeyFrame() // harmless without a connection
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := &collector{done: cancel, enough: func(c *collector) bool {
		if len(c.units) > 3 {
			src.RequestKeyFrame()
		}
		return len(c.units) >= 100 && len(got) > 0
	}}
	begin := time.Now()
	if err := src.Run(ctx, c); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	elapsed := time.Since(begin)
	if n := len(got); n < 1 || n > int(elapsed/time.Second)+1 {
		t.Fatalf("%d packets of feedback in %v", n, elapsed)
	}
	pli, ok := (<-got).(*rtcp.PictureLossIndication)
	if !ok || pli.MediaSSRC != 7 {
		t.Errorf("feedback %+v, want a picture loss indication for the camera's stream", pli)
	}
}

func TestSource_WithSupervisorCameraWithoutKeyFrameIsOffline(t *testing.T) {
	t.Parallel()
	all := pictures(25)[1:]
	url := (&rtspcam.Fake{Play: plays(all)}).Start(t)
	s := camera.NewSupervisor(newSource(t, rtsp.Options{URL: url}), &collector{}, camera.SupervisorOptions{KeyFrameTimeout: 2 * time.Second})
	statuses, stop := s.Watch()
	defer stop()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	context.AfterFunc(ctx, stop)
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Run(ctx) }()
	offline := false
	for st := range statuses {
		if st.State == camera.Live {
			t.Error("live without a key frame")
		}
		if offline = st.State == camera.Offline; offline {
			if !strings.Contains(st.Reason, "no key frame for 2s") {
				t.Errorf("reason %q", st.Reason)
			}
			break
		}
	}
	if !offline {
		t.Error("never offline")
	}
	cancel()
	<-done
}

func TestSource_CancelEndsEveryStage(t *testing.T) {
	t.Parallel()
	asked := func(ended func()) string { // a camera that is silent after the first byte of a request
		return rtspcam.StartListener(t, func(c net.Conn) {
			if _, err := c.Read(make([]byte, 1)); err == nil {
				ended()
			}
			rtspcam.Silent(c)
		})
	}
	tests := map[string]func(cancel func()) (url string){
		"silent":     asked,
		"silent TLS": func(cancel func()) string { return strings.Replace(asked(cancel), "rtsp:", "rtsps:", 1) },
		"playing":    func(func()) string { return (&rtspcam.Fake{Play: plays(pictures(25))}).Start(t) },
	}
	for name, start := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			c := &collector{done: cancel, enough: func(c *collector) bool { return len(c.units) >= 3 }}
			ended := make(chan error, 1)
			src := newSource(t, rtsp.Options{URL: start(cancel)})
			go func() { ended <- src.Run(ctx, c) }()
			select {
			case err := <-ended:
				if !errors.Is(err, context.Canceled) {
					t.Errorf("Run returned %v, want the context's error", err)
				}
			case <-time.After(patience / 2): // nothing else would end it by then
				t.Error("Run does not end")
			}
		})
	}
}
