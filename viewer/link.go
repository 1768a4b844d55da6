package viewer

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/signaling"
)

// ErrLink is wrapped by every error of ParseLink.
var ErrLink = errors.New("not a Sightline link")

// maxLink bounds what ParseLink looks at, in bytes.
const maxLink = 2048

// Link is what an owner passes on: whom to watch, and by which secret.
type Link struct {
	// SignalURL is the signaling server that serves the link's page.
	SignalURL string
	// Peer is the publisher.
	Peer PeerID
	// Claim is the secret that comes with the link; nil without one.
	Claim *Claim
}

// ParseLink reads "https://host/#peer=ID", which may go on with "&pair=SECRET"
// or "&invite=ID.SECRET". A secret works once: keep it out of logs. The errors
// quote nothing of the link.
func ParseLink(text string) (Link, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || len(text) > maxLink {
		return Link{}, fmt.Errorf("%w: it begins with https://", ErrLink)
	}
	l := Link{SignalURL: "wss://" + u.Host}
	switch u.Scheme {
	case "https":
	case "http":
		l.SignalURL = "ws://" + u.Host
	default:
		return Link{}, fmt.Errorf("%w: it begins with https://", ErrLink)
	}
	fragment, err := url.ParseQuery(u.Fragment)
	if err != nil || fragment.Get("peer") == "" {
		return Link{}, fmt.Errorf("%w: it names no agent; it ends in #peer= and the agent's id", ErrLink)
	}
	if l.Peer, err = ParsePeerID(fragment.Get("peer")); err != nil {
		return Link{}, fmt.Errorf("%w: the agent's id: %w", ErrLink, err)
	}
	pair, invite := fragment.Get("pair"), fragment.Get("invite")
	switch {
	case pair != "" && invite != "":
		return Link{}, fmt.Errorf("%w: it has two secrets", ErrLink)
	case pair != "":
		l.Claim = &Claim{Kind: signaling.ClaimPair, Secret: pair}
	case invite != "":
		id, secret, _ := strings.Cut(invite, ".")
		if access.ValidateToken(id, access.TokenSize) != nil {
			return Link{}, fmt.Errorf("%w: the invite is damaged; copy the whole link", ErrLink)
		}
		l.Claim = &Claim{Kind: signaling.ClaimInvite, Invite: id, Secret: secret}
	default:
		return l, nil
	}
	if _, err := access.ParseSecret(l.Claim.Secret); err != nil {
		return Link{}, fmt.Errorf("%w: %w", ErrLink, err)
	}
	return l, nil
}
