package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sightline-cam/sightline/internal/addressbook"
	"github.com/sightline-cam/sightline/internal/cli"
	"github.com/sightline-cam/sightline/viewer"
)

const (
	// addressFile is the name of the address book in the state folder.
	addressFile = "viewer-addresses.json"
	// ticketPatience is how long an agent has to give out a ticket.
	ticketPatience = 10 * time.Second
)

// openAddresses opens the address book. A damaged one is no reason not to watch.
func openAddresses(path string, p *cli.Process) (*addressbook.Book, error) {
	book, err := addressbook.Open(path)
	if damaged, ok := errors.AsType[*addressbook.DamagedError](err); ok {
		fmt.Fprintf(p.Stderr, "%s: %v\n", p.Name, damaged)
		return book, nil
	}
	return book, err
}

// recall adds what is known of the agent: the signaling server, if none is given,
// and how to dial it without any.
func recall(book *addressbook.Book, o *viewer.Options, now time.Time) {
	e, ok := book.Get(o.Peer, now)
	if !ok {
		return
	}
	if o.SignalURL == "" && len(e.Signal) > 0 {
		o.SignalURL = e.Signal[0]
	}
	secret, err := base64.RawURLEncoding.DecodeString(e.Secret)
	if err == nil && len(secret) > 0 {
		o.Ticket = &viewer.Ticket{Secret: secret, Expires: e.Expires, Addresses: e.Direct, Fingerprint: e.Fingerprint}
	}
}

// remember writes down where the agent was reached, and a new ticket, whose
// addresses are those of today.
func remember(ctx context.Context, book *addressbook.Book, o viewer.Options, s *viewer.Session) {
	e, _ := book.Get(o.Peer, time.Now())
	e.Peer, e.Seen = o.Peer, time.Now()
	if o.SignalURL != "" {
		others := slices.DeleteFunc(e.Signal, func(url string) bool { return url == o.SignalURL })
		e.Signal = append([]string{o.SignalURL}, others...)
	}
	ctx, cancel := context.WithTimeout(ctx, ticketPatience)
	defer cancel()
	if t, err := s.Ticket(ctx); err != nil {
		o.Logger.InfoContext(ctx, "the agent will not be dialled without a server", "error", err)
	} else {
		e.Direct, e.Fingerprint = t.Addresses, t.Fingerprint
		e.Secret, e.Expires = base64.RawURLEncoding.EncodeToString(t.Secret), t.Expires
	}
	if err := book.Put(e); err != nil {
		o.Logger.WarnContext(ctx, "what was learned of the agent's addresses is lost", "error", err)
	}
}
