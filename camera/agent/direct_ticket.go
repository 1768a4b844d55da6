package agent

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/nat"
)

// The secret of a ticket is HMAC-SHA-256(the agent's key, "sightline direct 1" |
// viewer | expires). The agent keeps nothing: it makes the secret anew for every
// call. Whether the viewer may still watch is asked then.
const (
	directPurpose  = "sightline direct 1"
	ticketLifetime = 30 * 24 * time.Hour
	// maxTicketAddresses bounds the addresses named with a ticket.
	maxTicketAddresses = 16
)

// peerEncoding is that of PeerIDs, in capitals.
func peerEncoding() *base32.Encoding { return base32.StdEncoding.WithPadding(base32.NoPadding) }

// rawPeer returns a PeerID's bytes.
func rawPeer(id identity.PeerID) (raw [32]byte, err error) {
	b, err := peerEncoding().DecodeString(strings.ToUpper(string(id)))
	if err != nil || len(b) != len(raw) {
		return raw, errors.New("not a PeerID")
	}
	copy(raw[:], b)
	return raw, nil
}

func peerOf(raw [32]byte) identity.PeerID {
	return identity.PeerID(strings.ToLower(peerEncoding().EncodeToString(raw[:])))
}

// mapSecret is a secret for the router, of the same key.
func mapSecret(key []byte) []byte {
	m := hmac.New(sha256.New, key)
	_, _ = m.Write([]byte("sightline port mapping 1")) // never fails
	return m.Sum(nil)
}

// ticketSecret is what a viewer proves its calls with.
func ticketSecret(key []byte, raw [32]byte, expires uint32) []byte {
	m := hmac.New(sha256.New, key)
	_, _ = m.Write([]byte(directPurpose)) // never fails
	_, _ = m.Write(raw[:])
	_, _ = m.Write(binary.BigEndian.AppendUint32(nil, expires))
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
	raw, err := rawPeer(principalOf(r).Peer)
	p := a.publisher.Load()
	if err != nil || p == nil {
		a.fail(w, badRequest("A ticket is for a device that has a key."))
		return
	}
	expires := time.Now().Add(ticketLifetime)
	unix := uint32(min(expires.Unix(), 1<<32-1))
	writeJSON(w, http.StatusCreated, struct {
		Secret      string   `json:"secret"`
		Expires     string   `json:"expires"`
		ExpiresUnix uint32   `json:"expiresUnix"`
		Addresses   []string `json:"addresses"`
		Fingerprint string   `json:"fingerprint"`
	}{
		base64.RawURLEncoding.EncodeToString(ticketSecret(a.opts.DirectKey, raw, unix)), timeText(expires), unix,
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
