package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sightline-cam/sightline/internal/cli"
	"github.com/sightline-cam/sightline/internal/relay"
	"github.com/sightline-cam/sightline/signaling"
	"github.com/sightline-cam/sightline/signaling/server"
)

// relayFlags are the STUN server and the relay beside signaling.
type relayFlags struct {
	STUN          []string `name:"stun" help:"UDP address of the STUN server, two for clients to examine their NAT; or a stun: URL of somebody else's; or off. Default :3478, or off if only this machine is served." placeholder:"IP:PORT"`
	Turn          bool     `help:"Relay what cannot go directly (TURN), over UDP and TCP at the addresses of --stun."`
	TurnTLS       string   `name:"turn-tls" help:"TCP address of the relay over TLS, with the certificate of --listen." placeholder:"HOST:PORT"`
	TurnAgents    string   `help:"Who may use the relay: a file of agents' ids, one a line, read again when it changes; or any." placeholder:"FILE"`
	TurnURL       []string `name:"turn-url" help:"Somebody else's relay that shares --turn-secret-file, such as coturn with use-auth-secret." placeholder:"turn:HOST:PORT"`
	TurnSecret    string   `name:"turn-secret-file" help:"Secret of the relay's credentials. Default: one that is made and kept in the state folder." placeholder:"FILE"`
	TurnRelayIP   []string `name:"turn-relay-ip" help:"Address of this machine to relay from, one of a family. Default: the first of --stun." placeholder:"IP"`
	TurnPorts     string   `help:"UDP ports to relay from." default:"49152-65535" placeholder:"MIN-MAX"`
	TurnAllow     []string `help:"Network that may be relayed to although it is not public." placeholder:"CIDR"`
	TurnBudget    int64    `help:"What may be relayed for one agent in a day, in GB." default:"50" placeholder:"GB"`
	TurnTotal     int64    `name:"turn-total-budget" help:"What may be relayed for all agents together in a day, in GB." default:"500" placeholder:"GB"`
	TurnRate      int64    `help:"What may be relayed for one agent in a second, in Mbit. Default: no limit." placeholder:"MBIT"`
	TurnMax       int      `name:"turn-allocations" help:"Relayed connections of one agent at a time." default:"32" placeholder:"N"`
	PublicAddress []string `help:"Address or name by which the world reaches this machine's STUN server and relay, if it is another: behind a NAT one to one." placeholder:"IP|NAME"`
}

const (
	// stunListen is the port of STUN and TURN (RFC 8489 §8.1).
	stunListen = ":3478"
	// turnSecretFile is in the state folder.
	turnSecretFile = "turn-secret"
	turnAny        = "any"
	stunOff        = "off"
)

// relayContext is what the signaling server beside a relay is like.
type relayContext struct {
	log      *slog.Logger
	tls      *tls.Config // nil for none
	stateDir string
	private  bool // it is for this machine alone
}

// start opens the sockets, serves, and fills in what s tells of it. It returns
// what ends the serving.
func (f *relayFlags) start(ctx context.Context, d *relay.Directory, s *server.Server, c relayContext) (stop func() error, err error) {
	if err := f.check(c.tls); err != nil {
		return nil, err
	}
	log := c.log.With("part", "relay")
	var public []netip.Addr
	if d.Host, public, err = f.public(); err != nil {
		return nil, err
	}
	d.TURNURLs = f.TurnURL
	listen := f.split(d, c.private)
	if err := f.credentials(d, c.stateDir, log); err != nil {
		return nil, err
	}
	if len(listen) == 0 {
		return func() error { return nil }, nil
	}
	sockets, err := relay.OpenSockets(ctx, listen, public)
	if err != nil {
		return nil, fmt.Errorf("%w; choose another address with --stun, or --stun off", err)
	}
	o := relay.Options{
		Sockets: sockets.UDP, Logger: log, Registry: s.Registry(),
		Limits: relay.Limits{
			BytesPerDay: f.TurnBudget * 1e9, TotalBytesPerDay: f.TurnTotal * 1e9, BytesPerSecond: f.TurnRate * 1e6 / 8, Allocations: f.TurnMax,
		},
	}
	if f.Turn {
		if o.TURN, err = f.turn(ctx, d, sockets, public, c.tls); err != nil {
			return nil, errors.Join(err, sockets.Close())
		}
	}
	running, err := relay.Start(o)
	if err != nil {
		return nil, errors.Join(err, sockets.Close(), closeListeners(o.TURN))
	}
	d.Ports, d.Alternates, d.Fallback = running.Ports(), running.Alternates(), sockets.UDP[0].Public.Addr()
	log.Info("STUN is up", "addresses", fmt.Sprint(sockets.At), "relay", f.Turn)
	return running.Close, nil
}

// check finds what contradicts itself.
func (f *relayFlags) check(config *tls.Config) error {
	off := slices.Contains(f.STUN, stunOff)
	switch {
	case off && len(f.STUN) > 1:
		return errors.New("--stun off and --stun with an address contradict each other")
	case f.Turn && off:
		return errors.New("--turn needs the sockets of --stun; leave --stun off out")
	case f.Turn && len(f.TurnURL) > 0:
		return errors.New("--turn runs a relay and --turn-url names somebody else's; give one of them")
	case len(f.TurnURL) > signaling.MaxICEURLs:
		return fmt.Errorf("--turn-url: at most %d", signaling.MaxICEURLs)
	case len(f.TurnURL) > 0 && f.TurnSecret == "":
		return errors.New("--turn-url needs --turn-secret-file, with the secret that the relay has (coturn: static-auth-secret)")
	case (f.Turn || len(f.TurnURL) > 0) && f.TurnAgents == "":
		return errors.New("say who may use the relay: --turn-agents FILE with the agents' ids (`sightline id` prints one), or --turn-agents any for everybody who finds this server")
	case f.TurnTLS != "" && !f.Turn:
		return errors.New("--turn-tls needs --turn")
	case f.TurnTLS != "" && config == nil:
		return errors.New("--turn-tls needs a certificate: --domain, or --tls-cert and --tls-key")
	case f.TurnBudget < 0 || f.TurnBudget > 1e9 || f.TurnTotal < 0 || f.TurnTotal > 1e9 || f.TurnRate < 0 || f.TurnRate > 1e9 || f.TurnMax < 0:
		return errors.New("--turn-budget, --turn-total-budget, --turn-rate and --turn-allocations are above 0 and below 1,000,000,000")
	}
	for _, u := range f.TurnURL {
		if strings.HasPrefix(u, "stun:") || signaling.ValidateICEURL(u) != nil {
			return fmt.Errorf("--turn-url %s: write turn:HOST:PORT or turns:HOST:PORT", u)
		}
	}
	return nil
}

// public reads --public-address: a name or address for URLs, and the addresses.
func (f *relayFlags) public() (host string, ips []netip.Addr, err error) {
	for _, text := range f.PublicAddress {
		ip, err := netip.ParseAddr(text)
		if err == nil {
			ips = append(ips, ip.Unmap())
			continue
		}
		if host != "" || text == "" || strings.ContainsAny(text, ":/@[]? ") {
			return "", nil, fmt.Errorf("--public-address %s: give addresses, and at most one name", text)
		}
		host = text
	}
	if host == "" && len(ips) > 0 {
		host = relay.URLHost(ips[0])
	}
	return host, ips, nil
}

// split tells addresses to listen on from URLs of somebody else's servers.
func (f *relayFlags) split(d *relay.Directory, private bool) (listen []string) {
	if len(f.STUN) == 0 && (!private || f.Turn) {
		return []string{stunListen}
	}
	for _, s := range f.STUN {
		switch {
		case s == stunOff:
		case strings.HasPrefix(s, "stun:"):
			d.STUNURLs = append(d.STUNURLs, s)
		default:
			listen = append(listen, s)
		}
	}
	return listen
}

// credentials opens the secret and the list of agents, if there is a relay.
func (f *relayFlags) credentials(d *relay.Directory, stateDir string, log *slog.Logger) error {
	if !f.Turn && len(f.TurnURL) == 0 {
		return nil
	}
	var err error
	if d.Agents = relay.AnyAgent(); f.TurnAgents != turnAny {
		if d.Agents, err = relay.OpenAgents(f.TurnAgents, log); err != nil {
			return fmt.Errorf("--turn-agents: %w", err)
		}
	}
	if f.TurnSecret != "" {
		if d.Secret, err = relay.ReadSecret(f.TurnSecret); err != nil {
			return fmt.Errorf("--turn-secret-file: %w", err)
		}
		return nil
	}
	dir, err := cli.StateFolder(stateDir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the state folder: %w", err)
	}
	d.Secret, err = relay.OpenSecret(filepath.Join(dir, turnSecretFile))
	return err
}

// turn configures the relay and opens its TCP sockets.
func (f *relayFlags) turn(ctx context.Context, d *relay.Directory, sockets *relay.Sockets, public []netip.Addr, config *tls.Config) (*relay.TURN, error) {
	t := &relay.TURN{Secret: d.Secret, Agents: d.Agents, Own: relay.LocalPrefixes}
	if _, err := fmt.Sscanf(f.TurnPorts+"\n", "%d-%d\n", &t.MinPort, &t.MaxPort); err != nil || t.MinPort < 1024 || t.MinPort > t.MaxPort {
		return nil, fmt.Errorf("--turn-ports %s: write MIN-MAX, from 1024 to 65535", f.TurnPorts)
	}
	for _, text := range f.TurnAllow {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("--turn-allow %s: write a network, such as 10.1.0.0/16", text)
		}
		t.Allow = append(t.Allow, p.Masked())
	}
	var err error
	if t.Relays, err = f.relays(sockets, public); err != nil {
		return nil, err
	}
	port := sockets.At[0].Port()
	d.Relays = []relay.Endpoint{{Port: port}, {Port: port, TCP: true}}
	for _, at := range sockets.At {
		if err := listenTurn(ctx, t, at.String(), nil); err != nil {
			return nil, errors.Join(err, closeListeners(t))
		}
	}
	if f.TurnTLS != "" {
		if err := listenTurn(ctx, t, f.TurnTLS, config); err != nil {
			return nil, errors.Join(err, closeListeners(t))
		}
		if a, ok := t.Listeners[len(t.Listeners)-1].Addr().(*net.TCPAddr); ok {
			d.Relays = append(d.Relays, relay.Endpoint{Port: a.AddrPort().Port(), TLS: true})
		}
	}
	return t, nil
}

// relays are the addresses to relay from: those given, or the first of each
// family that STUN listens on.
func (f *relayFlags) relays(sockets *relay.Sockets, public []netip.Addr) ([]relay.Address, error) {
	var local []netip.Addr
	for _, text := range f.TurnRelayIP {
		ip, err := netip.ParseAddr(text)
		if err != nil || ip.IsUnspecified() {
			return nil, fmt.Errorf("--turn-relay-ip %s: write an address of this machine", text)
		}
		local = append(local, ip.Unmap())
	}
	if local == nil {
		for _, at := range sockets.At {
			if !slices.ContainsFunc(local, func(ip netip.Addr) bool { return ip.Is4() == at.Addr().Is4() }) {
				local = append(local, at.Addr())
			}
		}
	}
	out := make([]relay.Address, len(local))
	for i, ip := range local {
		out[i] = relay.Address{Listen: ip, Public: ip}
		for _, p := range public {
			if p.Is4() == ip.Is4() {
				out[i].Public = p
			}
		}
	}
	return out, nil
}

func listenTurn(ctx context.Context, t *relay.TURN, address string, config *tls.Config) error {
	lc := net.ListenConfig{}
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen on TCP %s for the relay: %w", address, err)
	}
	t.Listeners = append(t.Listeners, relay.Listener{Listener: l, TLS: config})
	return nil
}

func closeListeners(t *relay.TURN) error {
	var err error
	if t != nil {
		for _, l := range t.Listeners {
			err = errors.Join(err, l.Close())
		}
	}
	return err
}
