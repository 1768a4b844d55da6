package peer

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/logging"
	"github.com/pion/transport/v4/vnet"
	"github.com/pion/webrtc/v4"
)

// answerer is the other side of a Dial, made of plain pion and the listener.
type answerer struct {
	t  *testing.T
	pc *webrtc.PeerConnection
	l  *channelListener
}

// newAnswerer answers on a virtual network, or on loopback if n is nil.
func newAnswerer(t *testing.T, n *vnet.Net) *answerer {
	t.Helper()
	media, err := newMediaEngine()
	if err != nil {
		t.Fatal(err)
	}
	s := webrtc.SettingEngine{LoggerFactory: pionLog{log: slog.New(slog.DiscardHandler)}}
	if n != nil {
		s.SetNet(n)
	} else {
		s.SetIncludeLoopbackCandidate(true)
		s.SetIPFilter(net.IP.IsLoopback)
	}
	s.DetachDataChannels()
	s.EnableDataChannelBlockWrite(true)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(s), webrtc.WithMediaEngine(media)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	a := &answerer{t: t, pc: pc, l: newChannelListener(0)}
	pc.OnDataChannel(a.l.handle)
	return a
}

// signal is DialOptions.Signal.
func (a *answerer) signal(_ context.Context, offer string) (string, error) {
	err := a.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer})
	if err != nil {
		return "", err
	}
	answer, err := a.pc.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	gathered := webrtc.GatheringCompletePromise(a.pc)
	if err := a.pc.SetLocalDescription(answer); err != nil {
		return "", err
	}
	<-gathered
	return a.pc.LocalDescription().SDP, nil
}

func (a *answerer) close() {
	a.l.abort()
	if err := a.pc.GracefulClose(); err != nil {
		a.t.Error(err)
	}
}

// wire is a virtual network of two hosts.
type wire struct {
	router         *vnet.Router
	viewer, camera *vnet.Net

	mu   sync.Mutex
	drop func(vnet.Chunk) bool
}

func newWire(t *testing.T, delay time.Duration) *wire {
	t.Helper()
	r, err := vnet.NewRouter(&vnet.RouterConfig{
		CIDR: "192.0.2.0/24", MinDelay: delay, QueueSize: 10000,
		LoggerFactory: logging.NewDefaultLoggerFactory(),
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{router: r}
	w.viewer, w.camera = w.host(t, "192.0.2.1"), w.host(t, "192.0.2.2")
	r.AddChunkFilter(func(c vnet.Chunk) bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.drop == nil || !w.drop(c)
	})
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	return w
}

// host adds a machine.
func (w *wire) host(t *testing.T, ip string) *vnet.Net {
	t.Helper()
	n, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{ip}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.router.AddNet(n); err != nil {
		t.Fatal(err)
	}
	return n
}

// lose drops the packets that f picks; nil drops none.
func (w *wire) lose(f func(vnet.Chunk) bool) {
	w.mu.Lock()
	w.drop = f
	w.mu.Unlock()
}

// cut loses everything from now on. Each side is then closed by itself: pion
// waits for a timer under a lock when the other side's end of the session meets
// its own, and virtual time stands still while anyone waits for a lock.
func (w *wire) cut() { w.lose(func(vnet.Chunk) bool { return true }) }

// elapse lets virtual time pass.
func elapse(d time.Duration) { <-time.After(d) }

// everyNth picks one packet in n.
func everyNth(n int) func(vnet.Chunk) bool {
	i := 0
	return func(vnet.Chunk) bool {
		i++
		return i%n == 0
	}
}

// link is two connected peers, with an HTTP server on the camera's side.
type link struct {
	wire   *wire
	conn   *Conn
	camera *answerer
	client *http.Client
}

// withLink runs f over a link inside a bubble of virtual time.
func withLink(t *testing.T, delay time.Duration, h http.Handler, f func(l *link)) {
	t.Helper()
	w := newWire(t, delay)
	camera := newAnswerer(t, w.camera)
	server := &http.Server{Handler: h, ReadHeaderTimeout: 30 * time.Second}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(camera.l); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	conn, err := Dial(ctx, DialOptions{Net: w.viewer, Signal: AnswerOnly(camera.signal)})
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DialContext: conn.DialContext, MaxIdleConnsPerHost: 16, DisableCompression: true}
	l := &link{wire: w, conn: conn, camera: camera, client: &http.Client{Transport: transport}}
	f(l)
	transport.CloseIdleConnections()
	w.cut()
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	serving.Wait()
	camera.close()
	if err := w.router.Stop(); err != nil {
		t.Error(err)
	}
}

func (l *link) get(t *testing.T, path string) string {
	t.Helper()
	body, err := l.fetch(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func (l *link) fetch(ctx context.Context, path string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://camera"+path, nil)
	if err != nil {
		return "", err
	}
	res, err := l.client.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}
