package peer

import (
	"context"
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
	failedAfter       = 30 * time.Second
	keepAlive         = 2 * time.Second

	// dtlsRetransmission is after how long a lost handshake message is sent
	// again: the first may go out before the other side's NAT is open.
	dtlsRetransmission = 250 * time.Millisecond
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
	// Interfaces names those whose addresses are offered, as patterns; default:
	// all but bridges of containers, and VPNs where there is anything else.
	Interfaces []string
	// STUN are servers that tell how the port looks from outside, "host:port";
	// see also Endpoint.SetSTUN.
	STUN []string
	// PortMap asks the router to let everybody in to the port.
	PortMap bool
	// PortMapSecret makes the requests recognizable to the router after a crash
	// (RFC 6887 §11.1); bytes that nobody else knows. Default: none.
	PortMapSecret []byte
	// External are addresses that lead to the port because somebody configured a
	// router so.
	External []netip.AddrPort
	// TCP listens at the TCP port of the same number as well, for viewers whose
	// network lets no UDP through (RFC 6544).
	TCP bool
	// Resolve finds the address of a ".local" name that a browser put in the
	// place of its own. Nil: such candidates are left out.
	Resolve func(ctx context.Context, name string) (netip.Addr, error)
	// Direct admits viewers who dial without signaling; nil admits none. See
	// DirectCall.
	Direct DirectHandler
	// OnNetwork is called after the addresses of the port may have changed. It
	// must not block.
	OnNetwork func()
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
	port        *port
	calls       *directCalls // nil without
	maxSessions int

	mu       sync.Mutex
	sessions int
	live     map[*Session]struct{} // those to tell of changes
	relays   []webrtc.ICEServer    // for where UDP is blocked
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
	e := &Endpoint{certificate: cert, maxSessions: o.MaxSessions, options: o, live: map[*Session]struct{}{}}
	var unknown requestFilter
	if o.Direct != nil {
		e.calls = newDirectCalls(o.Direct)
		unknown = e.calls.request
	}
	e.port, err = openPort(portOptions{
		addr: o.Addr, net: o.Net, interfaces: o.Interfaces, loopback: o.Loopback, stun: o.STUN, portMap: o.PortMap, mapSecret: o.PortMapSecret,
		external: o.External, tcp: o.TCP, log: o.Logger, onChange: e.networkChanged, unknown: unknown,
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// connectionOptions are what differs between the connections of an endpoint.
type connectionOptions struct {
	// buffers makes the buffers for what the viewer sends, by stream.
	buffers func(packetio.BufferPacketType, uint32) io.ReadWriteCloser
	path    *publisherPath
	// fragment and password are the local ICE credentials, where a viewer has
	// agreed on them without signaling: it dials a lite agent then.
	fragment, password string
}

// newConnection makes a connection for a viewer.
func (e *Endpoint) newConnection(o connectionOptions) (*webrtc.PeerConnection, error) {
	api, err := newPublisherAPI(e.options, e.port, o)
	if err != nil {
		return nil, err
	}
	return api.NewPeerConnection(webrtc.Configuration{Certificates: []webrtc.Certificate{e.certificate}, ICEServers: e.relaysNeeded()})
}

// newPublisherAPI makes the publisher the DTLS server and names the SRTP
// profiles in its own order: Chromium as server would take AES-CM, which costs
// several times as much as AES-GCM.
func newPublisherAPI(o EndpointOptions, p *port, c connectionOptions) (*webrtc.API, error) {
	se := webrtc.SettingEngine{LoggerFactory: pionLog{o.Logger}, BufferFactory: c.buffers}
	if err := se.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil {
		return nil, fmt.Errorf("set the DTLS role: %w", err)
	}
	se.SetSRTPProtectionProfiles(srtpProfiles()...)
	// ICE has proved the address already, unless this side is the lite one.
	se.SetDTLSInsecureSkipHelloVerify(c.fragment == "")
	se.SetDTLSRetransmissionInterval(dtlsRetransmission)
	se.SetICEUDPMux(p.mux)
	types := []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6}
	if p.tcp != nil {
		se.SetICETCPMux(p.tcp)
		se.SetIPFilter(p.offers)
	}
	se.DisableActiveTCP(true) // a viewer's candidates are no reason to connect anywhere
	se.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	se.SetIncludeLoopbackCandidate(o.Loopback)
	se.SetNetworkTypes(types)
	se.SetICETimeouts(disconnectedAfter, failedAfter, keepAlive)
	se.SetICEBindingRequestHandler(c.path.request)
	if c.fragment != "" {
		se.SetLite(true)
		se.SetICECredentials(c.fragment, c.password)
	}
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
	a, err := netip.ParseAddrPort(e.port.conn.LocalAddr().String())
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
	if e.calls != nil {
		e.calls.close()
	}
	e.idle.Wait()
	return e.port.close()
}
