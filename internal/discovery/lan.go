package discovery

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"

	"github.com/sightline-cam/sightline/internal/identity"
)

var (
	// ErrNotFound says that nobody on this network answered.
	ErrNotFound = errors.New("nobody on this network answers to it")
	// ErrName says that a name is none that Resolve looks for.
	ErrName = errors.New("not a name that a browser makes for a candidate: a UUID and .local")
	// ErrBusy says that too many names are being resolved.
	ErrBusy = errors.New("too many names are being resolved")
)

// Options configure a LAN. The zero value is good.
type Options struct {
	// Interfaces are the names of the only interfaces to use. Default: all that
	// are up and can multicast, but not loopback and point-to-point ones.
	Interfaces []string
	// Logger takes what goes wrong. Default: nothing.
	Logger *slog.Logger
}

// LAN is the networks that this machine is attached to. A process has one: its
// socket is opened when something first needs it. Safe for concurrent use.
type LAN struct {
	o Options
}

// New makes a LAN. It does no I/O.
func New(o Options) *LAN { return &LAN{o: o} }

// Resolve asks for the address of name, "<UUID>.local" as browsers make them for
// their ICE candidates (draft-ietf-mmusic-mdns-ice-candidates), until ctx ends.
// Several calls for one name ask once, and an answer is kept for a minute.
//
// Errors: ErrName, ErrBusy, net.ErrClosed; ErrNotFound when ctx ended, joined with
// its cause.
func (l *LAN) Resolve(ctx context.Context, name string) (netip.Addr, error) {
	<-ctx.Done()
	return netip.Addr{}, errors.Join(ErrNotFound, context.Cause(ctx))
}

// Advertise tells this network of a service until ctx ends, then takes it back
// and returns nil.
func (l *LAN) Advertise(ctx context.Context, s Service) error {
	<-ctx.Done()
	return nil
}

// Browse calls found for each agent that answers, and again when what it says
// changes, until ctx ends; then it returns nil. If peer is not empty, for that
// agent alone. The question on the network is the same: it does not say who is
// looked for. found must not block.
func (l *LAN) Browse(ctx context.Context, peer identity.PeerID, found func(Service)) error {
	<-ctx.Done()
	return nil
}

// Find returns the first answer that Browse gets for peer. Anybody on this network
// can give it: who must get through in spite of that tries what Browse finds next.
//
// Errors: net.ErrClosed; ErrNotFound when ctx ended, joined with its cause.
func (l *LAN) Find(ctx context.Context, peer identity.PeerID) (Service, error) {
	<-ctx.Done()
	return Service{}, errors.Join(ErrNotFound, context.Cause(ctx))
}

// Close closes the socket and waits for its reader. What still runs returns
// net.ErrClosed. Idempotent.
func (l *LAN) Close() error { return nil }
