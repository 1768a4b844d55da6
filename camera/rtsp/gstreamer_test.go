package rtsp_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/camera/rtsp"
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/h264"
	"github.com/sightline-cam/sightline/codecs/h265"
	"github.com/sightline-cam/sightline/internal/lab/rtspcam"
)

// longGOP is how many pictures the camera "longgop" sends from one key frame to the next
// unless it is asked for one.
const longGOP = 900

// TestSource_GStreamer takes media from cameras of many kinds.
func TestSource_GStreamer(t *testing.T) {
	t.Parallel()
	g := rtspcam.StartGStreamer(t)
	t.Run("streams", func(t *testing.T) { streams(t, g) })
	t.Run("access", func(t *testing.T) { access(t, g) })
	t.Run("special", func(t *testing.T) { special(t, g) })
}

func streams(t *testing.T, g *rtspcam.GStreamer) {
	video := []codecs.Codec{codecs.H264}
	tests := []struct {
		mount  string
		codecs []codecs.Codec
	}{
		{"baseline", video},
		{"main", video},
		{"high", video},
		{"slices", video},
		{"bigpackets", video},
		{"smallpackets", video},
		{"outofband", video},
		{"h265", []codecs.Codec{codecs.H265}},
		{"pcmu", []codecs.Codec{codecs.H264, codecs.PCMU}},
		{"pcma", []codecs.Codec{codecs.H264, codecs.PCMA}},
		{"opus", []codecs.Codec{codecs.H264, codecs.Opus}},
		{"aac", []codecs.Codec{codecs.H264, codecs.AAC}},
		{"latm", []codecs.Codec{codecs.H264, codecs.AAC}},
	}
	for _, transport := range []rtsp.Transport{rtsp.TCP, rtsp.UDP} {
		for _, tt := range tests {
			if transport == rtsp.UDP && !slices.Contains([]string{"slices", "smallpackets", "h265", "pcmu", "aac"}, tt.mount) {
				continue // what differs by transport is in these; bigpackets would not fit into datagrams
			}
			t.Run(string(transport)+"/"+tt.mount, func(t *testing.T) {
				t.Parallel()
				var l log
				o := rtsp.Options{URL: g.URL(rtspcam.Open, tt.mount), Transport: transport, Logger: l.logger()}
				c, _ := watch(t, o, func(c *collector) bool {
					return c.keys(0) >= 3 && len(c.of(0)) >= 35 && (len(tt.codecs) == 1 || len(c.of(1)) >= 20)
				})
				// Datagrams get lost where nobody reads them for a while.
				lossy := transport == rtsp.UDP && strings.Contains(l.String(), "lost packets")
				checkTracks(t, c, tt.codecs)
				checkVideo(t, c, tt.codecs[0], lossy)
				if len(tt.codecs) > 1 {
					checkAudio(t, c, tt.codecs[1], lossy)
				}
				if tt.mount == "slices" {
					checkSlices(t, c, 4)
				}
				for kind, text := range c.warned {
					if text != "" {
						t.Errorf("warning %s: %s", kind, text)
					}
				}
				// A viewer that joins a shared stream of GStreamer's may miss its
				// first packets even over TCP; what comes can always be read.
				if strings.Contains(l.String(), "unreadable") {
					t.Errorf("defects logged:\n%s", l.String())
				}
			})
		}
	}
}

func checkTracks(t *testing.T, c *collector, want []codecs.Codec) {
	t.Helper()
	last := c.tracks[len(c.tracks)-1]
	var got []codecs.Codec
	for _, tr := range last {
		got = append(got, tr.Codec)
		if tr.ClockRate == 0 || tr.Codec.Audio() && tr.Channels == 0 {
			t.Errorf("track %+v lacks clock rate or channels", tr)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("tracks %v, want %v", got, want)
	}
	if last[0].SPS == nil || last[0].PPS == nil {
		t.Error("the video track has no parameter sets")
	}
}

// checkVideo checks the units of the video track. lossy allows for gaps.
func checkVideo(t *testing.T, c *collector, codec codecs.Codec, lossy bool) {
	t.Helper()
	units := c.of(0)
	for i, u := range units {
		if i > 0 {
			if step := u.PTS - units[i-1].PTS; step <= 0 || step > 90000 && !lossy {
				t.Errorf("PTS step %d at unit %d", step, i)
			}
		}
		if u.Arrived.IsZero() || u.Size() == 0 {
			t.Errorf("unit %d: %+v", i, u)
		}
		if u.Key {
			checkKey(t, u, codec)
		}
	}
	for _, u := range units {
		if u.Wall.IsZero() {
			continue // no sender report yet
		}
		// A sender report's NTP time and its RTP time belong together to
		// within what a busy machine needs from one end of the pipeline to the other.
		if d := u.Arrived.Sub(u.Wall); d < -time.Second || d > busy {
			t.Errorf("captured %v before it arrived", d)
		}
	}
}

// busy is how late the cameras' pictures or sound may be on a machine that has other
// things to do. Mistaken clocks and units are further away.
const busy = 9 * time.Second

func checkKey(t *testing.T, u *codecs.Unit, codec codecs.Codec) {
	t.Helper()
	if codec == codecs.H265 {
		if h265.TypeOf(u.Payload[0]) != h265.VPS || h265.TypeOf(u.Payload[1]) != h265.SPS || h265.TypeOf(u.Payload[2]) != h265.PPS {
			t.Errorf("a key unit does not begin with VPS, SPS and PPS")
		}
		return
	}
	if h264.TypeOf(u.Payload[0]) != h264.SPS || h264.TypeOf(u.Payload[1]) != h264.PPS {
		t.Errorf("a key unit does not begin with SPS and PPS")
	}
	if !slices.ContainsFunc(u.Payload, func(n []byte) bool { return h264.TypeOf(n) == h264.IDR }) {
		t.Errorf("a key unit has no IDR picture")
	}
}

func checkAudio(t *testing.T, c *collector, codec codecs.Codec, lossy bool) {
	t.Helper()
	units := c.of(1)
	clock := int64(c.tracks[0][1].ClockRate)
	for i, u := range units {
		if !u.Key || len(u.Payload) != 1 || len(u.Payload[0]) == 0 {
			t.Errorf("%v unit %d: %+v", codec, i, u)
		}
		if i > 0 {
			if step := u.PTS - units[i-1].PTS; step <= 0 || step > clock/2 && !lossy {
				t.Errorf("%v: PTS step %d at unit %d", codec, step, i)
			}
		}
	}
	if codec == codecs.AAC && len(c.tracks[0][1].AudioConfig) < 2 {
		t.Error("the AAC track has no AudioSpecificConfig")
	}
	// Sound and picture count from one instant.
	video := c.of(0)
	v := float64(video[len(video)-1].PTS)/90000 - float64(units[len(units)-1].PTS)/float64(clock)
	if d := video[len(video)-1].Arrived.Sub(units[len(units)-1].Arrived).Seconds() - v; math.Abs(d) > busy.Seconds() {
		t.Errorf("sound is %.2f s away from the picture", d)
	}
}

func checkSlices(t *testing.T, c *collector, want int) {
	t.Helper()
	for i, u := range c.of(0) {
		n := 0
		for _, nalu := range u.Payload {
			if typ := h264.TypeOf(nalu); typ == h264.Slice || typ == h264.IDR {
				n++
			}
		}
		if n != want {
			t.Errorf("unit %d has %d slices, want %d", i, n, want)
		}
	}
}

func access(t *testing.T, g *rtspcam.GStreamer) {
	two := func(c *collector) bool { return c.keys(0) >= 2 }
	ok := map[string]rtsp.Options{
		"basic, password in URL":     {URL: g.URLWithPassword(rtspcam.Basic, "baseline")},
		"digest, password in URL":    {URL: g.URLWithPassword(rtspcam.Digest, "baseline")},
		"digest, password apart":     {URL: g.URL(rtspcam.Digest, "baseline"), Username: rtspcam.User, Password: rtspcam.Password},
		"digest over UDP":            {URL: g.URLWithPassword(rtspcam.Digest, "baseline"), Transport: rtsp.UDP},
		"TLS, fingerprint":           {URL: g.URLWithPassword(rtspcam.TLS, "baseline"), Fingerprint: colons(g.Fingerprint)},
		"TLS, insecure":              {URL: g.URLWithPassword(rtspcam.TLS, "baseline"), Insecure: true},
		"TLS, sound and fingerprint": {URL: g.URLWithPassword(rtspcam.TLS, "pcmu"), Fingerprint: g.Fingerprint},
	}
	for name, o := range ok {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			watch(t, o, two)
		})
	}
	other := sha256.Sum256(nil)
	bad := map[string]struct {
		o      rtsp.Options
		reason rtsp.Reason
		text   string
	}{
		"basic, no password":     {rtsp.Options{URL: g.URL(rtspcam.Basic, "baseline")}, rtsp.WrongPassword, "asks for a user name and password"},
		"basic, wrong password":  {rtsp.Options{URL: g.URL(rtspcam.Basic, "baseline"), Username: "cam", Password: "wrong"}, rtsp.WrongPassword, "refuses the user name or the password"},
		"digest, wrong password": {rtsp.Options{URL: g.URL(rtspcam.Digest, "baseline"), Username: "cam", Password: "wrong"}, rtsp.WrongPassword, "refuses the user name or the password"},
		"digest, no such stream": {rtsp.Options{URL: g.URLWithPassword(rtspcam.Digest, "nowhere")}, rtsp.NotFound, "has no stream at"},
		"open, no such stream":   {rtsp.Options{URL: g.URL(rtspcam.Open, "nowhere")}, rtsp.NotFound, "has no stream at"},
		"TLS, system roots":      {rtsp.Options{URL: g.URLWithPassword(rtspcam.TLS, "baseline")}, rtsp.TLSFailed, g.Fingerprint},
		"TLS, other fingerprint": {rtsp.Options{URL: g.URLWithPassword(rtspcam.TLS, "baseline"), Fingerprint: hex.EncodeToString(other[:])}, rtsp.TLSFailed, "not the one expected"},
		"TLS to a plain port":    {rtsp.Options{URL: strings.Replace(g.URL(rtspcam.Open, "baseline"), "rtsp:", "rtsps:", 1)}, rtsp.TLSFailed, "does not speak TLS"},
		"MJPEG only":             {rtsp.Options{URL: g.URL(rtspcam.Open, "mjpeg")}, rtsp.NoVideo, "sends MJPEG, which cannot be carried; set its video codec to H.264"},
		"sound only":             {rtsp.Options{URL: g.URL(rtspcam.Open, "audioonly")}, rtsp.NoVideo, "has no video"},
	}
	for name, tt := range bad {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := fail(t, tt.o)
			if err.Reason != tt.reason || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %s: %v\nwant %s: … %s …", err.Reason, err, tt.reason, tt.text)
			}
			if (err.RetryAfter() > 0) != (tt.reason == rtsp.WrongPassword) {
				t.Errorf("retry after %v", err.RetryAfter())
			}
		})
	}
}

// colons writes a fingerprint the way cameras and browsers show it.
func colons(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i += 2 {
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteString(strings.ToUpper(s[i : i+2]))
	}
	return b.String()
}

func special(t *testing.T, g *rtspcam.GStreamer) {
	t.Run("B-frames are named", func(t *testing.T) {
		t.Parallel()
		c, _ := watch(t, rtsp.Options{URL: g.URL(rtspcam.Open, "bframes")}, func(c *collector) bool {
			return c.warned["b-frames"] != "" && len(c.of(0)) > 10
		})
		if text := c.warned["b-frames"]; !strings.Contains(text, "number of B-frames (GOP structure) to 0") {
			t.Errorf("the warning does not name the setting: %q", text)
		}
	})
	t.Run("the capture time is known after a sender report", func(t *testing.T) {
		t.Parallel()
		c, _ := watch(t, rtsp.Options{URL: g.URL(rtspcam.Open, "pcmu")}, func(c *collector) bool {
			video, audio := c.of(0), c.of(1)
			if len(video) == 0 || len(audio) == 0 {
				return false
			}
			v, a := video[len(video)-1], audio[len(audio)-1]
			if v.Wall.IsZero() || a.Wall.IsZero() {
				return false
			}
			// They agree as soon as the camera keeps up with both.
			apart := v.Arrived.Sub(a.Arrived) - v.Wall.Sub(a.Wall)
			return apart.Abs() < 500*time.Millisecond
		})
		checkVideo(t, c, codecs.H264, false)
	})
	t.Run("sound that cannot be carried is named", func(t *testing.T) {
		t.Parallel()
		c, _ := watch(t, rtsp.Options{URL: g.URL(rtspcam.Open, "l16")}, func(c *collector) bool { return c.keys(0) >= 1 })
		if text := c.warned["audio"]; !strings.Contains(text, "set its audio codec to G.711 or Opus") {
			t.Errorf("warning %q", text)
		}
	})
	t.Run("a new resolution is announced before its key frame", func(t *testing.T) {
		t.Parallel()
		c, _ := watch(t, rtsp.Options{URL: g.URL(rtspcam.Open, "resize")}, func(c *collector) bool {
			return len(c.tracks) >= 3 && len(c.units) > max(60, c.before[len(c.before)-1])
		})
		var widths []int
		for _, tracks := range c.tracks {
			info, err := h264.ParseSPS(tracks[0].SPS)
			if err != nil {
				t.Fatal(err)
			}
			widths = append(widths, info.Width)
		}
		if !slices.Contains(widths, 320) || !slices.Contains(widths, 640) {
			t.Errorf("widths %v, want 320 and 640", widths)
		}
		for i, tracks := range c.tracks[1:] { // the first ones are those of the SDP
			if next := c.units[c.before[i+1]]; !next.Key || !bytes.Equal(next.Payload[0], tracks[0].SPS) {
				t.Errorf("track %d, announced after %d units, is not that of a key frame after it", i+1, c.before[i+1])
			}
		}
	})
	t.Run("a key frame comes when asked for", func(t *testing.T) {
		t.Parallel()
		src := newSource(t, rtsp.Options{URL: g.URL(rtspcam.Open, "longgop")})
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		c := &collector{done: cancel, enough: func(c *collector) bool {
			if len(c.units) > 10 {
				src.RequestKeyFrame()
				src.RequestKeyFrame()
			}
			return c.keys(0) >= 2 || len(c.units) >= longGOP
		}}
		err := src.Run(ctx, c)
		if c.keys(0) < 2 || len(c.units) >= longGOP {
			t.Fatalf("no key frame before the next of a GOP of %d pictures: %v, %d units", longGOP, err, len(c.units))
		}
	})
}
