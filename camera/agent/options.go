package agent

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/internal/accesslog"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/signaling"
)

// directKeySize is how many bytes a key for tickets has.
const directKeySize = 32

// Options configure an Agent. Identity is required, and Cameras without Extra.
type Options struct {
	// Identity is the agent's key.
	Identity *identity.Identity
	// Cameras are what viewers can watch; the first is the one that a viewer
	// gets who names none. A recorder, which has Extra routes, may have none yet.
	Cameras []*camera.Camera
	// Open lets anyone in. New refuses it unless Listener, the UDP address and
	// the signaling server are all on loopback.
	Open bool
	// AllowFile names a file of PeerIDs that may watch, beside those that Trust
	// lets in; see AllowList. Default: none.
	AllowFile string
	// AllowList is that list; it must be the one that Trust asks. Default: a new
	// one of AllowFile.
	AllowList *AllowList
	// Trust decides who may do what. Default: one in memory, of Open and
	// AllowList, which forgets everything with the process.
	Trust *trust.Trust
	// Log takes who came, and what was changed. Default: none is kept.
	Log *accesslog.Log
	// Console serves those who are at the device itself; see ListenConsole. Run
	// closes it. Default: none.
	Console net.Listener
	// Page is the address of the web page, for the links that the console
	// shows: "https://example.org". Default: empty, and so are the links.
	Page string
	// Signal is the URL of the signaling server: wss://, or ws:// on loopback.
	// Default: none; the agent is then reached by its own listener only.
	Signal string
	// SignalPlaintext allows ws:// to any host, for a signaling server of this
	// very process.
	SignalPlaintext bool
	// SignalHTTP dials the signaling server. Default: a client of its own with
	// the system's authorities.
	SignalHTTP *http.Client
	// Listener serves the HTTP API and WHEP; Run closes it. One that has a method
	// Secure(net.Conn) net.Conn puts TLS on its connections by that. Default:
	// none, the API is then reached over data channels only.
	Listener net.Listener
	// ListenerURL is how others in the network reach Listener, for the addresses
	// that the console shows: "https://192.0.2.7:8788". Default: empty, they are
	// paths then.
	ListenerURL string
	// Fallback serves what the API does not on Listener: the web page, an
	// embedded signaling server. Default: 404.
	Fallback http.Handler
	// Extra are paths that the process adds to the API, recordings for example.
	// Default: none.
	Extra []ExtraRoute
	// Spool bounds what is kept of each camera for recorders.
	Spool SpoolOptions
	// AllowedHosts are names, without port, by which Listener may be reached.
	// Loopback names and literal IP addresses always may.
	AllowedHosts []string
	// UDP is the address of the one UDP port for all viewers. Default ":0";
	// with Open "127.0.0.1:0".
	UDP string
	// STUN are servers that tell the agent how it looks from outside, as
	// "stun:host:port", at most 4, beside those that the signaling server names.
	STUN []string
	// PortMap asks the router to let everybody in to the UDP port, and the TCP one.
	PortMap bool
	// External are addresses that lead to the UDP port because somebody configured
	// a router so.
	External []netip.AddrPort
	// TCP listens at the TCP port of the same number, for viewers whose network
	// lets no UDP through.
	TCP bool
	// Interfaces names those whose addresses are offered, as patterns. Default:
	// all but bridges of containers, and VPNs where there is anything else.
	Interfaces []string
	// Resolve finds the address of a ".local" name in a browser's candidate.
	// Default: such candidates are left out.
	Resolve func(ctx context.Context, name string) (netip.Addr, error)
	// DirectKey is what tickets for dialling without signaling are made with, 32
	// random bytes that outlive the process. Default: new ones.
	DirectKey []byte
	// Metrics are what the process adds to GET /metrics. Default: nothing.
	Metrics func() []Metric
	// MaxSessions bounds the viewers at a time. Default 512.
	MaxSessions int
	// MaxSessionsPerPeer bounds those of one viewer; the oldest makes room.
	// Default 8.
	MaxSessionsPerPeer int
	// Version is shown to viewers. Default "dev".
	Version string
	// OnUDP is called once the UDP port is open, with its number. It must not
	// block.
	OnUDP func(port uint16)
	// OnSignal is called when the connection to the signaling server comes or
	// goes. It must not block.
	OnSignal func(online bool)
	// Logger takes what happens. Default: nothing.
	Logger *slog.Logger
}

func (o *Options) setDefaults() {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.UDP == "" {
		o.UDP = ":0"
		if o.Open {
			o.UDP = "127.0.0.1:0"
		}
	}
	if o.MaxSessions <= 0 {
		o.MaxSessions = 512
	}
	if o.MaxSessionsPerPeer <= 0 {
		o.MaxSessionsPerPeer = 8
	}
	if len(o.DirectKey) == 0 {
		o.DirectKey = make([]byte, directKeySize)
		_, _ = rand.Read(o.DirectKey) // never fails
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	if o.AllowList == nil {
		o.AllowList = NewAllowList(o.AllowFile, o.Logger)
	}
	if o.Fallback == nil {
		o.Fallback = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { notFound().write(w) })
	}
	if o.OnSignal == nil {
		o.OnSignal = func(bool) {}
	}
}

// setTrust makes what decides who may do what, unless it was given.
func (o *Options) setTrust() (err error) {
	if o.Trust != nil {
		return nil
	}
	ids := make([]string, 0, len(o.Cameras))
	for _, c := range o.Cameras {
		ids = append(ids, c.ID())
	}
	o.Trust, err = trust.Open(trust.Options{
		Publisher: o.Identity, Cameras: func() []string { return ids }, Open: o.Open, Listed: o.AllowList.Listed, Logger: o.Logger,
	})
	return err
}

func (o *Options) check() error {
	if o.Identity == nil {
		return errors.New("an agent needs an identity")
	}
	if len(o.Cameras) == 0 && len(o.Extra) == 0 {
		return errors.New("an agent needs at least one camera")
	}
	if len(o.DirectKey) < directKeySize {
		return fmt.Errorf("the key for tickets has %d bytes; it needs %d", len(o.DirectKey), directKeySize)
	}
	for _, u := range o.STUN {
		if err := signaling.ValidateICEURL(u); err != nil {
			return fmt.Errorf("STUN server %q: %w", u, err)
		}
	}
	seen := make(map[string]bool)
	for _, c := range o.Cameras {
		if err := signaling.ValidateCameraID(c.ID()); err != nil {
			return fmt.Errorf("camera %q: %w; use a-z, 0-9, - and _", c.ID(), err)
		}
		if seen[c.ID()] {
			return fmt.Errorf("two cameras have the id %q; give each its own", c.ID())
		}
		seen[c.ID()] = true
	}
	for i := range o.Extra {
		if err := o.Extra[i].check(); err != nil {
			return err
		}
	}
	if o.Open && o.AllowFile != "" {
		return errors.New("open lets anyone watch, so a list of viewers makes no sense; remove one of the two")
	}
	return o.checkOpen()
}

// checkOpen keeps what lets anyone in on this machine.
func (o *Options) checkOpen() error {
	if !o.Open {
		return nil
	}
	const remedy = "; listen on 127.0.0.1, or remove --open and list the viewers with --allow"
	if o.Listener != nil && !loopbackAddr(o.Listener.Addr().String()) {
		return fmt.Errorf("open is refused: the listener %s is not on loopback, so anyone in the network could watch%s", o.Listener.Addr(), remedy)
	}
	if !loopbackAddr(o.UDP) {
		return fmt.Errorf("open is refused: the UDP address %s is not on loopback%s", o.UDP, remedy)
	}
	if o.Signal != "" {
		u, err := url.Parse(o.Signal)
		if err != nil || !loopbackAddr(net.JoinHostPort(u.Hostname(), "0")) {
			return errors.New("open is refused: the signaling server is not on loopback, so anyone who learns this agent's id could watch" + remedy)
		}
	}
	return nil
}

// loopbackAddr reports whether host:port is on loopback. Of the names only
// localhost is: another one may change where it points to.
func loopbackAddr(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// Times of the agent. Real ones are far shorter; these bound what goes wrong.
const (
	answerTimeout  = 10 * time.Second
	sendTimeout    = 10 * time.Second
	farewell       = 500 * time.Millisecond // for the last message to a viewer
	sweepEvery     = 500 * time.Millisecond
	shutdownWait   = time.Second
	connectTimeout = 45 * time.Second // from the answer to the first path
	claimLife      = time.Minute      // of a session that shows a secret
	claimConnect   = 10 * time.Second // as connectTimeout, for those; and how long one may keep its place from others
	retryEvery     = 10 * time.Second // to write down what could not be
)
