package trust

import (
	"log/slog"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
)

// Options are the settings of a Trust. Publisher is required.
type Options struct {
	// Dir is the folder for the state, made with mode 0700 if it is missing.
	// Default: none, everything is forgotten when the process ends.
	Dir string
	// Publisher is this publisher's own key.
	Publisher *identity.Identity
	// Cameras returns the ids of this publisher's cameras, so that invites made
	// at the console name only such. Default: they are not looked at.
	Cameras func() []string
	// Open lets everybody watch.
	Open bool
	// Listed says whether a peer is on the list that the publisher was started
	// with, and by what name. It is called for every request of such a peer and
	// must not block. Default: nobody is.
	Listed func(identity.PeerID) (name string, ok bool)
	// Now is the local clock, believed or not. Default time.Now.
	Now func() time.Time
	// Logger gets what went wrong with the files. Default: discard.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Listed == nil {
		o.Listed = func(identity.PeerID) (string, bool) { return "", false }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
