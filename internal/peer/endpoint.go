package peer

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/packetio"
	"github.com/pion/webrtc/v4"
)

const (
	defaultMaxSessions = 512

	// receiveMTU is the size of the buffers packets are read into; larger
	// ones are cut off, and nothing a viewer sends is larger.
	receiveMTU = 1500

	// socketBuffer is asked of the kernel for the one socket of all viewers.
	socketBuffer = 4 << 20

	disconnectedAfter = 5 * time.Second
	failedAfter       = 15 * time.Second
	keepAlive         = 2 * time.Second
)

// ErrBusy says that an endpoint has as many sessions as it may.
var ErrBusy = errors.New("too many viewers are connected")

// EndpointOptions configure an Endpoint. Certificate must be set; the rest has
// defaults.
type EndpointOptions struct {
	// Certificate is the DTLS certificate, with a P-256 key.
	Certificate tls.Certificate
	// Addr is the UDP address for all viewers. Default ":0": every interface
	// and protocol family, a port the system chooses.
	Addr string
	// Net is a virtual network to use instead of the system's.
	Net transport.Net
	// Loopback offers loopback addresses too, for viewers on this machine.
	Loopback bool
	// MaxSessions bounds the sessions at a time. Default 512.
	MaxSessions int
	// Logger takes what goes wrong below a session. Default: nothing.
	Logger *slog.Logger
}

// Endpoint is the publishing side: one UDP port through which any number of
// viewers are served.
type Endpoint struct {
	// Constant after construction.
	options     EndpointOptions
	certificate webrtc.Certificate
	conn        *batchConn
	mux         *ice.UDPMuxDefault
	maxSessions int

	mu       sync.Mutex
	sessions int
	closed   bool
	idle     sync.WaitGroup
}

// Listen opens the UDP port.
func Listen(o EndpointOptions) (*Endpoint, error) {
	if o.Addr == "" {
		o.Addr = ":0"
	}
	if o.MaxSessions <= 0 {
		o.MaxSessions = defaultMaxSessions
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	cert, err := dtlsCertificate(o.Certificate)
	if err != nil {
		return nil, err
	}
	raw, err := listenUDP(o)
	if err != nil {
		return nil, fmt.Errorf("listen on UDP %s (is the port taken?): %w", o.Addr, err)
	}
	e := &Endpoint{certificate: cert, conn: newBatchConn(raw), maxSessions: o.MaxSessions, options: o}
	e.mux = ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: e.conn, Net: o.Net, Logger: pionLog{o.Logger}.NewLogger("ice")})
	return e, nil
}

func listenUDP(o EndpointOptions) (net.PacketConn, error) {
	if o.Net != nil {
		return o.Net.ListenPacket("udp4", o.Addr)
	}
	addr, err := net.ResolveUDPAddr("udp", o.Addr)
	if err != nil {
		return nil, err
	}
	c, err := net.ListenUDP("udp", addr)
	if err != nil {
		return nil, err
	}
	_ = c.SetReadBuffer(socketBuffer) // as far as the system allows
	_ = c.SetWriteBuffer(socketBuffer)
	return c, nil
}

// newConnection makes a connection for a viewer. buffers makes the buffers for
// what it sends, by stream.
func (e *Endpoint) newConnection(buffers func(packetio.BufferPacketType, uint32) io.ReadWriteCloser) (*webrtc.PeerConnection, error) {
	api, err := newPublisherAPI(e.options, e.mux, buffers)
	if err != nil {
		return nil, err
	}
	return api.NewPeerConnection(webrtc.Configuration{Certificates: []webrtc.Certificate{e.certificate}})
}

// newPublisherAPI makes the publisher the DTLS server and names the SRTP
// profiles in its own order: Chromium as server would take AES-CM, which costs
// several times as much as AES-GCM.
func newPublisherAPI(o EndpointOptions, mux ice.UDPMux, buffers func(packetio.BufferPacketType, uint32) io.ReadWriteCloser) (*webrtc.API, error) {
	se := webrtc.SettingEngine{LoggerFactory: pionLog{o.Logger}, BufferFactory: buffers}
	if err := se.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil {
		return nil, fmt.Errorf("set the DTLS role: %w", err)
	}
	se.SetSRTPProtectionProfiles(srtpProfiles()...)
	se.SetDTLSInsecureSkipHelloVerify(true) // ICE has proved the address already
	se.SetICEUDPMux(mux)
	se.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	se.SetIncludeLoopbackCandidate(o.Loopback)
	se.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6})
	se.SetICETimeouts(disconnectedAfter, failedAfter, keepAlive)
	se.SetReceiveMTU(receiveMTU)
	se.DetachDataChannels()
	se.EnableDataChannelBlockWrite(true)
	if o.Net != nil {
		se.SetNet(o.Net)
	}
	m, err := newMediaEngine()
	if err != nil {
		return nil, err
	}
	return webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(se), webrtc.WithInterceptorRegistry(&interceptor.Registry{})), nil
}

// admit takes a place for a session; release gives it back.
func (e *Endpoint) admit() (release func(), err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, net.ErrClosed
	}
	if e.sessions >= e.maxSessions {
		return nil, fmt.Errorf("%w (%d)", ErrBusy, e.sessions)
	}
	e.sessions++
	e.idle.Add(1)
	return func() {
		e.mu.Lock()
		e.sessions--
		e.mu.Unlock()
		e.idle.Done()
	}, nil
}

// Addr returns the address the UDP port is bound to.
func (e *Endpoint) Addr() netip.AddrPort {
	a, err := netip.ParseAddrPort(e.conn.LocalAddr().String())
	if err != nil {
		return netip.AddrPort{}
	}
	return a
}

// Close gives the UDP port back. The sessions are their owners' to close, and
// must be closed before. Idempotent.
func (e *Endpoint) Close() error {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.idle.Wait()
	err := e.mux.Close()
	_ = e.conn.Close() // the mux has closed it, as a rule
	return err
}
