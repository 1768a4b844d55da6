package agent

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/sightline-cam/sightline/internal/nat"
	"github.com/sightline-cam/sightline/internal/ticket"
)

const (
	ticketLifetime = 30 * 24 * time.Hour
	// maxTicketAddresses bounds the addresses named with a ticket.
	maxTicketAddresses = 16
)

// mapSecret is a secret for the router, of the same key.
func mapSecret(key []byte) []byte {
	m := hmac.New(sha256.New, key)
	_, _ = m.Write([]byte("sightline port mapping 1")) // never fails
	return m.Sum(nil)
}

// postTicket answers POST /v1/tickets: what the viewer needs to dial this agent
// again when no server introduces the two.
func (a *Agent) postTicket(w http.ResponseWriter, r *http.Request) {
	var in struct{}
	if err := readJSON(r, &in); err != nil {
		a.fail(w, err)
		return
	}
	expires := time.Now().Add(ticketLifetime)
	secret, err := ticket.Secret(a.opts.DirectKey, principalOf(r).Peer, expires)
	p := a.publisher.Load()
	if err != nil || p == nil {
		a.fail(w, badRequest("A ticket is for a device that has a key."))
		return
	}
	writeJSON(w, http.StatusCreated, struct {
		Secret      string   `json:"secret"`
		Expires     string   `json:"expires"`
		ExpiresUnix int64    `json:"expiresUnix"`
		Addresses   []string `json:"addresses"`
		Fingerprint string   `json:"fingerprint"`
	}{
		base64.RawURLEncoding.EncodeToString(secret), timeText(expires), expires.Unix(),
		directAddresses((*p).Network().Candidates), (*p).Fingerprint(),
	})
}

// directAddresses are those where a call can get through by itself, as far as can
// be told: what a STUN server saw lets in only whom was written to, as a rule, but
// not always.
func directAddresses(candidates []nat.Candidate) []string {
	out := []string{}
	for _, c := range candidates {
		if c.Transport == "udp" && !c.Address.Addr().IsLoopback() {
			out = append(out, c.Address.String())
		}
	}
	for _, c := range candidates {
		if c.Transport == "udp" && c.Address.Addr().IsLoopback() {
			out = append(out, c.Address.String())
		}
	}
	return out[:min(len(out), maxTicketAddresses)]
}
