package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"

	"github.com/sightline-cam/sightline/viewer"
)

// claiming is how far a dialer is with the secret of its link.
type claiming struct {
	mu      sync.Mutex
	refused error // for good; nil as long as it may still be accepted
}

// claim shows the agent the secret of the link, once: whoever it gives access to is
// remembered, and later starts need no secret. notAccepted is why the secret is worth
// nothing; there may be access all the same, from an earlier link. err says that the
// agent could not be asked.
func (d *remoteDialer) claim(ctx context.Context) (notAccepted, err error) {
	c := d.link.Claim
	if c == nil || d.memory.Claimed(d.link.Peer, c.Secret) {
		return nil, nil
	}
	d.claiming.mu.Lock()
	defer d.claiming.mu.Unlock()
	if d.claiming.refused != nil || d.memory.Claimed(d.link.Peer, c.Secret) {
		return d.claiming.refused, nil
	}
	claimed, err := viewer.ClaimAccess(ctx, d.options, d.claimOf())
	if err != nil {
		if !forGood(err) {
			return nil, fmt.Errorf("show the secret of the link: %w", err)
		}
		d.claiming.refused = fmt.Errorf("the secret of its link was not accepted: %w", err)
		d.log.Warn("the agent does not accept the link's secret; if this recorder has no other access, ask the agent's owner for a new invitation", "reason", err)
		return d.claiming.refused, nil
	}
	if err := d.keepGrant(claimed); err != nil {
		return nil, err
	}
	d.log.Info("this recorder is now known to the agent", "role", claimed.Role, "id", d.options.Identity.PeerID())
	return nil, nil
}

// claimOf is the link's claim in this device's name.
func (d *remoteDialer) claimOf() viewer.Claim {
	c := *d.link.Claim
	c.Name, c.Device = "Recorder", "sightline nvr"
	if host, err := os.Hostname(); err == nil {
		c.Name, c.Device = "Recorder "+host, "sightline nvr on "+host
	}
	c.Name, c.Device = shortened(c.Name), shortened(c.Device)
	return c
}

// shortened is a text as long as an agent takes it for a name.
func shortened(text string) string {
	const most = 64
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most])
	}
	return text
}

// keepGrant keeps what a claim gave. What cannot be written down must be said: the
// link works once.
func (d *remoteDialer) keepGrant(c viewer.Claimed) error {
	if c.Grant != "" {
		grants, err := viewer.OpenGrantFile(d.grants)
		if err == nil {
			err = grants.Keep(d.link.Peer, c.Grant)
		}
		if err != nil {
			return fmt.Errorf("keep the access that the agent gave; ask its owner for a new invitation: %w", err)
		}
	}
	return d.memory.SetClaimed(d.link.Peer, d.link.Claim.Secret)
}

// forGood reports whether an agent has decided about a secret.
func forGood(err error) bool {
	if answer, ok := errors.AsType[*viewer.APIError](err); ok {
		return answer.Status/100 == 4 && answer.Status != http.StatusTooManyRequests
	}
	rejected, ok := errors.AsType[*viewer.RejectedError](err)
	return ok && rejected.Code == "pairing_closed"
}
