package addressbook

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
)

const (
	maxAddresses = 16
	maxText      = 512 // bytes of any one string
)

// Entry is what is known of one agent.
type Entry struct {
	// Peer is the agent.
	Peer identity.PeerID `json:"peer"`
	// Signal are addresses of signaling servers at which it was met, the last
	// first, at most 16.
	Signal []string `json:"signal"`
	// Direct are addresses of its media port, the last that worked first, at most
	// 16.
	Direct []netip.AddrPort `json:"direct"`
	// Fingerprint is that of its DTLS certificate, as in SDP: "sha-256 AA:BB:…".
	Fingerprint string `json:"fingerprint"`
	// Ticket names what gives the right to dial it directly, and Secret proves that
	// right until Expires. Empty without one.
	Ticket  string    `json:"ticket"`
	Secret  string    `json:"secret"`
	Expires time.Time `json:"expires"`
	// Seen is when it was last reached.
	Seen time.Time `json:"seen"`
}

// LogValue implements slog.LogValuer: the secret is in no log.
func (e Entry) LogValue() slog.Value {
	return slog.GroupValue(slog.String("peer", e.Peer.Short()), slog.Time("seen", e.Seen))
}

// bound shortens the lists to what is kept.
func (e Entry) bound() Entry {
	e.Signal = append([]string{}, e.Signal[:min(len(e.Signal), maxAddresses)]...)
	e.Direct = append([]netip.AddrPort{}, e.Direct[:min(len(e.Direct), maxAddresses)]...)
	return e
}

// expire forgets a secret that is no longer good.
func (e *Entry) expire(now time.Time) {
	if !now.Before(e.Expires) {
		e.Ticket, e.Secret, e.Expires = "", "", time.Time{}
	}
}

func (e Entry) validate() error {
	if err := e.Peer.Validate(); err != nil {
		return err
	}
	if len(e.Signal) > maxAddresses || len(e.Direct) > maxAddresses {
		return fmt.Errorf("more than %d addresses", maxAddresses)
	}
	for _, text := range append([]string{e.Fingerprint, e.Ticket, e.Secret}, e.Signal...) {
		if len(text) > maxText {
			return fmt.Errorf("a text of more than %d bytes", maxText)
		}
	}
	for _, a := range e.Direct {
		if !a.IsValid() || a.Port() == 0 {
			return errors.New("an address that is none")
		}
	}
	return nil
}
