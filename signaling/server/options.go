package server

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"
)

// Options configures a Server. The zero value works on loopback.
type Options struct {
	// Logger receives starts, ends and refusals; payloads and tokens never. Nil
	// discards.
	Logger *slog.Logger
	// Page serves everything that is not the server's own, the web viewer. Nil
	// answers 404.
	Page http.Handler
	// ICE has the STUN and TURN servers that clients are told of. Nil: none.
	ICE ICE

	// AllowedHosts lists the names that requests may have in Host: "name" for
	// any port, or "name:port". Empty allows loopback names and addresses, and
	// the very address that a connection came in on, which is what a server
	// without a name needs; a list replaces those. Anything else is answered
	// 421: a page that rebinds its name to this server gets nowhere.
	AllowedHosts []string
	// AllowLocal allows, beside AllowedHosts, what an empty list allows.
	AllowLocal bool
	// AllowedOrigins lists further origins ("https://name[:port]") whose pages
	// may connect. The server's own origin always may. No CORS header is ever
	// sent.
	AllowedOrigins []string
	// TrustedProxies lists the networks (CIDR or addresses) of reverse proxies
	// whose X-Forwarded-For is believed. Empty believes nobody, and behind a
	// proxy all clients then share one address's limits.
	TrustedProxies []string

	// Registry collects the metrics shown at /metrics; register more in it.
	// Nil: a new one.
	Registry *prometheus.Registry
	// PublicMetrics shows /metrics to every address, not only to loopback.
	PublicMetrics bool

	// MaxConnections bounds WebSockets in total. Default 10,000.
	MaxConnections int
	// MaxConnectionsPerAddress bounds WebSockets from one IPv4 address or IPv6
	// /64. Default 64.
	MaxConnectionsPerAddress int
	// ConnectRate and ConnectBurst limit new WebSockets from one address.
	// Defaults 10 a second and 100.
	ConnectRate  rate.Limit
	ConnectBurst int
	// OffenceBurst is how many offences of an address are forgiven at once, and
	// OffenceRate how many after that: registrations that prove nothing, frames
	// that break the protocol, silence, floods, connections above the limits.
	// Ten times as many are forgiven to loopback. Whatever is more holds the
	// address off. A registered peer answers for itself: its offences are counted
	// by its key, with the same numbers, and only the first of them by its
	// address too. Defaults 60, and one in two seconds.
	OffenceRate  rate.Limit
	OffenceBurst int
	// MinHoldOff is the length of an address's first hold-off, and each is twice
	// as long as the one before, up to MaxHoldOff, until the address has been
	// quiet for an hour. An address from which others are registered is held off
	// for four seconds at most, and for half of the time at most. Defaults 1 s
	// and 10 min.
	MinHoldOff, MaxHoldOff time.Duration
	// MaxWaiting bounds the TCP connections without a request that Limit keeps
	// open, MaxWaitingPerAddress those from one address (ten times as many from
	// loopback, no bound for trusted proxies). Above, the one that has been
	// silent longest is closed. Defaults 2,048 and 64.
	MaxWaiting, MaxWaitingPerAddress int

	// PeerRate and PeerBurst limit the frames of one registered peer. Defaults
	// 20 a second and 60.
	PeerRate  rate.Limit
	PeerBurst int
	// AddressRate and AddressBurst limit the frames of one address. Defaults
	// 200 a second and 600.
	AddressRate  rate.Limit
	AddressBurst int
	// Strikes is how many frames over the limit a connection may send before it
	// is closed; one is forgiven each second. Default 50.
	Strikes int

	// RegisterTimeout is how long a connection may stay unregistered. Default
	// 10 s.
	RegisterTimeout time.Duration
	// PingInterval is the time between pings, PingTimeout how long a pong may
	// take. Defaults 15 s and 10 s.
	PingInterval, PingTimeout time.Duration
	// WriteTimeout is how long one frame may take to be written. Default 10 s.
	WriteTimeout time.Duration
	// CloseTimeout bounds the closing handshake. Default 2 s.
	CloseTimeout time.Duration

	// OutQueue and OutBytes bound what waits to be written to one connection.
	// Defaults 64 frames and 512 KiB. A connection whose queue is full is
	// closed; what waited is held for it.
	OutQueue, OutBytes int
	// HoldFor is how long messages are held for a peer whose connection was
	// lost. Default 30 s.
	HoldFor time.Duration
	// HoldMessages and HoldBytes bound what is held for one peer, HoldTotalBytes
	// what is held for all. Defaults 32 messages, 256 KiB and 16 MiB. Above,
	// senders get server_busy.
	HoldMessages, HoldBytes, HoldTotalBytes int
}

func (o *Options) setDefaults() {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Page == nil {
		o.Page = http.NotFoundHandler()
	}
	if o.ICE == nil {
		o.ICE = noICE{}
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	setDefault(&o.MaxConnections, 10_000)
	setDefault(&o.MaxConnectionsPerAddress, 64)
	setDefault(&o.ConnectRate, 10)
	setDefault(&o.ConnectBurst, 100)
	setDefault(&o.OffenceRate, rate.Every(2*time.Second))
	setDefault(&o.OffenceBurst, 60)
	setDefault(&o.MinHoldOff, time.Second)
	setDefault(&o.MaxHoldOff, 10*time.Minute)
	setDefault(&o.MaxWaiting, 2048)
	setDefault(&o.MaxWaitingPerAddress, 64)
	setDefault(&o.PeerRate, 20)
	setDefault(&o.PeerBurst, 60)
	setDefault(&o.AddressRate, 200)
	setDefault(&o.AddressBurst, 600)
	setDefault(&o.Strikes, 50)
	setDefault(&o.RegisterTimeout, 10*time.Second)
	setDefault(&o.PingInterval, 15*time.Second)
	setDefault(&o.PingTimeout, 10*time.Second)
	setDefault(&o.WriteTimeout, 10*time.Second)
	setDefault(&o.CloseTimeout, 2*time.Second)
	setDefault(&o.OutQueue, 64)
	setDefault(&o.OutBytes, 512<<10)
	setDefault(&o.HoldFor, 30*time.Second)
	setDefault(&o.HoldMessages, 32)
	setDefault(&o.HoldBytes, 256<<10)
	setDefault(&o.HoldTotalBytes, 16<<20)
}

func setDefault[T int | time.Duration | rate.Limit](v *T, value T) {
	if *v <= 0 {
		*v = value
	}
}
