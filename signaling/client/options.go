package client

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
)

// Options configures a Client. URL and Identity are required; everything else
// has a default.
type Options struct {
	// URL is the server's: wss://host[:port], or ws:// for a loopback host. A
	// path other than none or "/" replaces /v1/signal; http and https are taken
	// for ws and wss. No user, query or fragment.
	URL string
	// Identity is the peer to register.
	Identity *identity.Identity
	// Logger receives changes of state. Nil discards.
	Logger *slog.Logger
	// OnMessage receives every message that comes in, in order, in one
	// goroutine. from is what the server says; only signaling.Open proves it. A
	// slow OnMessage fills a queue of InQueue messages; then further ones are
	// dropped and counted. ctx ends with Run. Nil drops everything.
	OnMessage func(ctx context.Context, from identity.PeerID, payload string)
	// OnState is called after every change of state, in order, in Run's
	// goroutine: it must not block. err says why, when there is a reason.
	OnState func(s State, err error)
	// OnService is called when a registration brings another Service than the
	// one before, in Run's goroutine and before StateOnline: it must not block.
	OnService func(Service)
	// HTTPClient dials, for private certificate authorities and proxies.
	// Default: one of its own, with the system's authorities and the
	// environment's proxy. Redirects are never followed.
	HTTPClient *http.Client
	// AllowPlaintext allows ws:// to any host. Without TLS anyone on the way
	// sees who talks to whom; the messages themselves stay signed.
	AllowPlaintext bool
	// MinBackoff and MaxBackoff bound the jittered pause between attempts.
	// Defaults 500 ms and 30 s.
	MinBackoff, MaxBackoff time.Duration
	// DisplacedBackoff is the pause after StateDisplaced. Default 60 s.
	DisplacedBackoff time.Duration
	// PingInterval is the time between pings, and PingTimeout how long a pong
	// may take. Defaults 10 s and 8 s: a dead server is noticed within 18 s.
	PingInterval, PingTimeout time.Duration
	// ConnectTimeout bounds one attempt from dialling to being registered.
	// Default 10 s.
	ConnectTimeout time.Duration
	// OutQueue bounds the messages waiting to be written. Default 64. A full
	// queue makes Send wait.
	OutQueue int
	// InQueue bounds the messages waiting for OnMessage. Default 64.
	InQueue int
}

func (o *Options) setDefaults() {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.OnMessage == nil {
		o.OnMessage = func(context.Context, identity.PeerID, string) {}
	}
	if o.OnState == nil {
		o.OnState = func(State, error) {}
	}
	if o.OnService == nil {
		o.OnService = func(Service) {}
	}
	setDefault(&o.MinBackoff, 500*time.Millisecond)
	setDefault(&o.MaxBackoff, 30*time.Second)
	setDefault(&o.DisplacedBackoff, time.Minute)
	setDefault(&o.PingInterval, 10*time.Second)
	setDefault(&o.PingTimeout, 8*time.Second)
	setDefault(&o.ConnectTimeout, 10*time.Second)
	setDefault(&o.OutQueue, 64)
	setDefault(&o.InQueue, 64)
	o.MaxBackoff = max(o.MinBackoff, o.MaxBackoff)
}

func setDefault[T int | time.Duration](v *T, value T) {
	if *v <= 0 {
		*v = value
	}
}
