package rtsp

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/camera/defects"
	"github.com/sightline-cam/sightline/codecs"
)

// udpBuffer is the socket buffer wanted for a UDP stream, in bytes: room for
// several big key frames.
const udpBuffer = 1 << 20

// session is one connection over one transport. It implements sink.
type session struct {
	source    *Source // constant
	transport Transport
	out       camera.Output
	began     time.Time

	stage   atomic.Int32  // of type stage
	arrived chan struct{} // closed with the first packet

	// conn is the connection to the camera; nil before there is one.
	conn atomic.Pointer[quietConn]

	// feedback is where key frames are asked for; nil until playing.
	feedback atomic.Pointer[feedback]

	// With UDP every media has a goroutine of its own: mu makes the receivers
	// and out see one packet at a time. Nothing that blocks is done under it.
	mu      sync.Mutex
	tracks  []codecs.Track
	started bool
	warning string
	defects *defects.Log
}

// feedback is what is needed to write to the camera.
type feedback struct {
	client *gortsplib.Client
	media  *description.Media
	ssrc   atomic.Uint32 // of the camera's video
}

func newSession(s *Source, t Transport, out camera.Output) *session {
	return &session{
		source: s, transport: t, out: out, began: time.Now(),
		arrived: make(chan struct{}),
		defects: defects.New(s.opts.Logger),
	}
}

// run connects, plays, and returns why that ended.
func (c *session) run(ctx context.Context) error {
	setup, cancel := context.WithTimeout(ctx, c.source.opts.SetupTimeout)
	defer cancel()
	client := c.client(setup)
	if err := client.Start2(); err != nil {
		return c.explain(err)
	}
	// Close sends TEARDOWN and waits for all of the library's goroutines.
	defer client.Close()
	if err := c.play(client); err != nil {
		if setup.Err() != nil && ctx.Err() == nil && !is[*transportError](err) && !is[*Error](err) {
			err = fmt.Errorf("set up: %w", context.DeadlineExceeded)
		}
		return c.explain(err)
	}
	return c.wait(ctx, client)
}

// wait returns when the connection has ended or ctx has, or when nothing came
// over the transport.
func (c *session) wait(ctx context.Context, client *gortsplib.Client) error {
	ended := make(chan error, 1)
	go func() { ended <- client.Wait() }()
	defer func() {
		client.Close()
		<-ended          //nolint:errcheck // says only that it was closed
		if !c.silent() { // of which this goroutine may not have heard
			c.source.worked(c.transport)
		}
	}()
	silence := time.NewTimer(c.source.opts.SilenceTimeout)
	defer silence.Stop()
	arrived := c.arrived
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-arrived:
			arrived = nil
			silence.Stop()
			c.source.worked(c.transport)
			c.heed()
			c.source.opts.Logger.Debug("media arrives", "address", c.source.addr.String(), "transport", string(c.transport))
		case <-silence.C:
			if !c.silent() { // it came while this goroutine stood still
				continue
			}
			return &transportError{fmt.Sprintf("it accepts RTP over %s but sends nothing", c.transport.name())}
		case err := <-ended:
			ended <- err
			if c.silent() && is[liberrors.ErrClientUDPTimeout](err) {
				return &transportError{"it accepts RTP over UDP but nothing arrives"}
			}
			return c.explain(err)
		}
	}
}

// heed reads at once, or at a quieter pace if nobody watches a camera that plays.
func (c *session) heed() {
	if conn := c.conn.Load(); conn != nil {
		conn.setQuiet(!c.source.watched.Load() && stage(c.stage.Load()) == playing)
	}
}

func (c *session) silent() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.started
}

func (c *session) explain(err error) error {
	if is[*transportError](err) {
		return err
	}
	return c.source.addr.explain(stage(c.stage.Load()), err)
}

// client returns the library's client. Until setup ends, its end closes the
// connection, whatever the library is waiting for.
func (c *session) client(setup context.Context) *gortsplib.Client {
	o := c.source.opts
	u := c.source.addr.url
	transport := gortsplib.TransportTCP
	if c.transport == UDP {
		transport = gortsplib.TransportUDP
	}
	return &gortsplib.Client{
		Scheme:                u.Scheme,
		Host:                  u.Host,
		Transport:             &transport,
		TLSConfig:             c.source.trust.config(),
		ReadTimeout:           o.ReadTimeout,
		WriteTimeout:          5 * time.Second,
		InitialUDPReadTimeout: o.SilenceTimeout,
		UserAgent:             "sightline",
		DialContext: func(_ context.Context, network, addr string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(setup, network, addr)
			if err != nil {
				return nil, err
			}
			c.stage.CompareAndSwap(int32(dialing), int32(describing))
			context.AfterFunc(setup, func() {
				if stage(c.stage.Load()) != playing {
					_ = conn.Close()
				}
			})
			quiet := &quietConn{Conn: conn}
			c.conn.Store(quiet)
			if u.Scheme == "rtsp" {
				return &firstBytes{Conn: quiet, addr: c.source.addr}, nil
			}
			return quiet, nil
		},
		ListenPacket: func(network, addr string) (net.PacketConn, error) {
			return listenPacket(setup, network, addr)
		},
		OnTransportSwitch: func(error) {},
		OnPacketsLost: func(lost uint64) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.defects.Count("lost packets", lost, "", time.Now())
		},
		OnDecodeError: func(err error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.Trouble("unreadable packets", err)
		},
	}
}

// listenPacket opens a UDP socket, with a big buffer where the system allows it.
func listenPacket(ctx context.Context, network, addr string) (net.PacketConn, error) {
	conn, err := (&net.ListenConfig{}).ListenPacket(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if u, ok := conn.(*net.UDPConn); ok {
		_ = u.SetReadBuffer(udpBuffer) // less is no reason to do without
	}
	return conn, nil
}

// play asks for the streams and starts them.
func (c *session) play(client *gortsplib.Client) error {
	a := c.source.addr
	desc, _, err := client.Describe(a.url)
	if err != nil {
		return err
	}
	streams, warning, err := a.plan(desc)
	if err != nil {
		return err
	}
	c.warning = warning
	c.stage.Store(int32(settingUp))
	for _, s := range streams {
		if _, err := client.Setup(desc.BaseURL, s.media, 0, 0); err != nil {
			if refusal(err) || c.transport == UDP && a.url.Scheme == "rtsps" && !is[net.Error](err) {
				return &transportError{fmt.Sprintf("it refuses RTP over %s", c.transport.name())}
			}
			return err
		}
	}
	for i, s := range streams {
		c.tracks = append(c.tracks, s.track)
		c.listen(client, s, s.receiver(i, c.began, c))
	}
	fb := &feedback{client: client, media: streams[0].media}
	c.feedback.Store(fb)
	if _, err := client.Play(nil); err != nil {
		return err
	}
	c.stage.Store(int32(playing))
	return nil
}

// listen lets r receive the packets of a stream.
func (c *session) listen(client *gortsplib.Client, s *stream, r receiver) {
	video := s.track.Codec.Video()
	client.OnPacketRTP(s.media, s.format, func(p *rtp.Packet) {
		now := time.Now()
		if fb := c.feedback.Load(); video && fb != nil {
			fb.ssrc.Store(p.SSRC)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.startLocked()
		r.packet(p, now)
	})
	client.OnPacketRTCP(s.media, func(p rtcp.Packet) {
		if sr, ok := p.(*rtcp.SenderReport); ok {
			c.mu.Lock()
			defer c.mu.Unlock()
			r.report(sr)
		}
	})
}

// startLocked announces the tracks with the first packet.
func (c *session) startLocked() {
	if c.started {
		return
	}
	c.started = true
	close(c.arrived)
	c.out.SetTracks(slices.Clone(c.tracks))
	if c.warning != "" {
		c.out.Warn(warnAudio, c.warning)
	}
}

// SetTrack implements sink.
func (c *session) SetTrack(index int, t codecs.Track) {
	c.tracks[index] = t
	c.out.SetTracks(slices.Clone(c.tracks))
}

// WriteUnit implements sink.
func (c *session) WriteUnit(u *codecs.Unit) { c.out.WriteUnit(u) }

// Warn implements sink.
func (c *session) Warn(kind, text string) { c.out.Warn(kind, text) }

// Trouble implements sink.
func (c *session) Trouble(what string, err error) {
	last := ""
	if err != nil {
		last = c.source.addr.redact(err.Error())
	}
	c.defects.Count(what, 1, last, time.Now())
}

// askKeyFrame implements sink.
func (c *session) askKeyFrame() { c.source.RequestKeyFrame() }

// requestKeyFrame sends a picture loss indication. Its failure is no loss.
func (c *session) requestKeyFrame() {
	fb := c.feedback.Load()
	if fb == nil || stage(c.stage.Load()) != playing {
		return
	}
	if ssrc := fb.ssrc.Load(); ssrc != 0 {
		_ = fb.client.WritePacketRTCP(fb.media, &rtcp.PictureLossIndication{MediaSSRC: ssrc})
	}
}

var _ interface {
	camera.Source
	camera.KeyFrameRequester
} = (*Source)(nil)

var _ sink = (*session)(nil)
