package peer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/transport/v4"
	"github.com/pion/webrtc/v4"
)

const (
	// defaultPatience is DialOptions.Patience's default.
	defaultPatience = 500 * time.Millisecond
	// gatherTime is how long Dial waits for candidates at most where none can
	// follow, reflexiveTime where they can.
	gatherTime    = 300 * time.Millisecond
	reflexiveTime = 150 * time.Millisecond
	// viewerKeepAlive is how often a viewer asks whether the path still works.
	viewerKeepAlive = time.Second
	// dialWindow is how many unread bytes a connection of the viewer's side
	// holds: 80 Mbit/s at a round trip of 100 ms.
	dialWindow = 1 << 20
	// transportChannel is the data channel that only makes SCTP part of the
	// offer. Both sides would have to agree on it to use it, so nothing of it
	// is ever seen on the wire; its number is the last one that exists.
	transportChannel = 65534
	// maxOfferedCameras is how many cameras one offer asks for at most.
	maxOfferedCameras = 16
)

// DialOptions are the viewer's side of a session.
type DialOptions struct {
	// Certificate is the DTLS certificate, made of the identity's key. The zero
	// value takes a fresh one, for a publisher that does not ask who views.
	Certificate tls.Certificate
	// Net is the network, for tests; nil is the machine's.
	Net transport.Net
	// Loopback gathers loopback candidates too.
	Loopback bool
	// Logger takes what happens; nil discards.
	Logger *slog.Logger

	// Video and Audio ask for a picture and for sound of each camera.
	Video, Audio bool
	// Cameras is the number of cameras asked for; default 1, at most 16. The
	// sections of the offer are, camera by camera, its video, then its audio;
	// see Sections.
	Cameras int
	// NoData leaves out the data section: DialContext is of no use then. For
	// publishers that only know media (WHEP).
	NoData bool
	// Patience is how long a lost packet is waited for; default 500 ms. What
	// follows it waits with it.
	Patience time.Duration

	// OnTrack is called for each stream as its first packet arrives, on its own
	// goroutine. It may keep the goroutine for reading; Close waits for it.
	OnTrack func(*RemoteTrack)
	// OnPacket, for tests and statistics, sees each RTP packet in order of
	// arrival. It must not block or keep the packet.
	OnPacket func(*RemoteTrack, *rtp.Packet)

	// Started, if set, is called with the session before its offer is made, for
	// what comes by signaling while it connects.
	Started func(*Conn)
	// Signal carries the offer to the other side and returns its answer.
	// Required.
	Signal func(ctx context.Context, offerSDP string) (Reply, error)
	// Restart carries a later offer, with which ICE begins anew. Nil: a lost path
	// ends the session, unless one of the known addresses answers.
	Restart func(ctx context.Context, offerSDP string) (Reply, error)
	// Reachable reports whether the publisher can be signaled to now. It is asked
	// before a restart, which gives up the old path for good: an outage that ends
	// by itself must find it still there. Nil: always.
	Reachable func(ctx context.Context) error
	// OnCandidate gets what should be passed on after the answer, as values of
	// a=candidate; they belong to every section. Nil: the offer waits for all.
	OnCandidate func(candidate string)

	// ICEServers are STUN servers, which show how this machine looks from outside,
	// and relays. What the publisher names in its answer is used as well.
	ICEServers []ICEServer
	// ForceRelay uses nothing but relays, for tests.
	ForceRelay bool
	// Interfaces names those whose addresses are used, as patterns; default: all
	// but bridges of containers, and VPNs where there is anything else.
	Interfaces []string
}

// ErrNoRoute says that both sides answered but no packet got through.
var ErrNoRoute = errors.New("no route between the two peers: is UDP blocked by a firewall?")

// Dial opens a session as its offerer and waits until it is connected. ctx ends
// the attempt, not the session. Errors of Signal are wrapped; ErrNoRoute if
// there is no way between the two.
func Dial(ctx context.Context, o DialOptions) (*Conn, error) {
	if o.Signal == nil {
		return nil, errors.New("peer: dial: DialOptions.Signal is missing")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Patience <= 0 {
		o.Patience = defaultPatience
	}
	o.Cameras = min(max(o.Cameras, 1), maxOfferedCameras)
	var made atomic.Pointer[Conn]
	p, err := openPort(portOptions{ //nolint:contextcheck // it outlives the attempt
		net: o.Net, interfaces: o.Interfaces, loopback: o.Loopback, stun: stunServers(o.ICEServers), media: true, log: o.Logger,
		addr: dialAddr(o), onChange: func(moved bool) {
			if c := made.Load(); c != nil {
				c.portChanged(moved)
			}
		},
	})
	if err != nil {
		return nil, fmt.Errorf("peer: dial: %w", err)
	}
	path := &viewerPath{}
	pc, err := newOfferer(o, p, path)
	if err != nil {
		return nil, fmt.Errorf("peer: dial: %w", errors.Join(err, p.close()))
	}
	c := newConn(pc, p, path, o)
	made.Store(c)
	if o.Started != nil {
		o.Started(c)
	}
	if err := c.establish(ctx); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("peer: dial: %w", err)
	}
	return c, nil
}

// dialAddr is what the viewer's socket is bound to.
func dialAddr(o DialOptions) string {
	if o.Net != nil {
		return "0.0.0.0:0"
	}
	return ":0"
}

// newOfferer makes the PeerConnection with its sections.
func newOfferer(o DialOptions, p *port, path *viewerPath) (*webrtc.PeerConnection, error) {
	media, err := newMediaEngine()
	if err != nil {
		return nil, err
	}
	registry := &interceptor.Registry{}
	if err := webrtc.ConfigureRTCPReports(registry); err != nil {
		return nil, fmt.Errorf("set up RTCP reports: %w", err)
	}
	if err := webrtc.ConfigureTWCCSender(media, registry); err != nil {
		return nil, fmt.Errorf("set up transport-wide feedback: %w", err)
	}
	config := webrtc.Configuration{}
	if o.ForceRelay || o.Restart == nil {
		config.ICEServers = pionServers(o.ICEServers)
	}
	if o.ForceRelay {
		config.ICETransportPolicy = webrtc.ICETransportPolicyRelay
	}
	if len(o.Certificate.Certificate) > 0 {
		cert, err := dtlsCertificate(o.Certificate)
		if err != nil {
			return nil, err
		}
		config.Certificates = []webrtc.Certificate{cert}
	}
	pc, err := webrtc.NewAPI(
		webrtc.WithMediaEngine(media),
		webrtc.WithInterceptorRegistry(registry),
		webrtc.WithSettingEngine(offererSettings(o, p, path)),
	).NewPeerConnection(config)
	if err != nil {
		return nil, fmt.Errorf("make a peer connection: %w", err)
	}
	if err := addSections(pc, o); err != nil {
		return nil, errors.Join(err, pc.Close())
	}
	return pc, nil
}

func offererSettings(o DialOptions, p *port, path *viewerPath) webrtc.SettingEngine {
	s := webrtc.SettingEngine{LoggerFactory: pionLog{log: o.Logger}}
	s.DetachDataChannels()
	s.EnableDataChannelBlockWrite(true)
	s.SetSCTPMaxMessageSize(maxMessage)
	s.SetIncludeLoopbackCandidate(o.Loopback)
	s.SetICETimeouts(disconnectedAfter, failedAfter, viewerKeepAlive)
	s.SetICEUDPMux(p.mux)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6})
	s.SetICEBindingRequestHandler(path.request)
	s.SetDTLSRetransmissionInterval(dtlsRetransmission)
	s.SetSRTPProtectionProfiles(srtpProfiles()...)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	if o.Net != nil {
		s.SetNet(o.Net)
	}
	return s
}

func addSections(pc *webrtc.PeerConnection, o DialOptions) error {
	receive := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
	for range o.Cameras {
		if o.Video {
			if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, receive); err != nil {
				return fmt.Errorf("add a video section: %w", err)
			}
		}
		if o.Audio {
			if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio, receive); err != nil {
				return fmt.Errorf("add an audio section: %w", err)
			}
		}
	}
	if o.NoData {
		return nil
	}
	id, agreed := uint16(transportChannel), true
	if _, err := pc.CreateDataChannel("", &webrtc.DataChannelInit{ID: &id, Negotiated: &agreed}); err != nil {
		return fmt.Errorf("add the data section: %w", err)
	}
	return nil
}
