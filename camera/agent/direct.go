package agent

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/nat"
	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/signaling"
)

// A viewer who has a ticket can dial without any signaling: it puts who it is,
// until when the ticket is good and the fingerprint of its own DTLS certificate
// into the ICE fragment that it chooses for the agent, and proves by the ICE
// password, which follows from the ticket's secret and the fragment, that the
// agent gave it the ticket. The agent keeps nothing: it makes the secret anew from
// its key. Whether the viewer may still watch is asked at every call.
//
//	fragment = "sl" + base64( 1 | peer (32) | expires (4, Unix seconds) | SHA-256 of the certificate (32) | nonce (8) )
//	password = base64( HMAC-SHA-256(secret, fragment) )
//	secret   = HMAC-SHA-256(the agent's key, "sightline direct 1" | peer | expires)
//
// Base64 is that of RFC 4648 §4 without padding: its alphabet is ICE's (RFC 8839
// §5.4).
const (
	directVersion  = 1
	directLength   = 1 + 32 + 4 + sha256.Size + 8
	directPurpose  = "sightline direct 1"
	ticketLifetime = 30 * 24 * time.Hour
	// maxTicketAddresses bounds the addresses named with a ticket.
	maxTicketAddresses = 16
)

// directFragment is what a fragment says.
type directFragment struct {
	peer        identity.PeerID
	raw         [32]byte // peer, as bytes
	expires     uint32   // Unix seconds
	fingerprint [sha256.Size]byte
}

var errDirectFragment = errors.New("not a direct call's fragment")

// parseDirectFragment reads a fragment. Whether it is genuine is not known then.
func parseDirectFragment(text string) (f directFragment, err error) {
	encoded, ok := strings.CutPrefix(text, peer.DirectPrefix)
	if !ok {
		return f, errDirectFragment
	}
	b, err := base64.RawStdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(b) != directLength || b[0] != directVersion {
		return f, errDirectFragment
	}
	copy(f.raw[:], b[1:33])
	f.expires = binary.BigEndian.Uint32(b[33:37])
	copy(f.fingerprint[:], b[37:37+sha256.Size])
	f.peer = identity.PeerID(strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(f.raw[:])))
	if err := f.peer.Validate(); err != nil {
		return f, fmt.Errorf("%w: %w", errDirectFragment, err)
	}
	return f, nil
}

// rawPeer returns a PeerID's bytes.
func rawPeer(id identity.PeerID) (raw [32]byte, err error) {
	b, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ToUpper(string(id)))
	if err != nil || len(b) != len(raw) {
		return raw, errors.New("not a PeerID")
	}
	copy(raw[:], b)
	return raw, nil
}

// ticketSecret is what a viewer proves its calls with.
func ticketSecret(key []byte, raw [32]byte, expires uint32) []byte {
	m := hmac.New(sha256.New, key)
	_, _ = m.Write([]byte(directPurpose)) // never fails
	_, _ = m.Write(raw[:])
	_, _ = m.Write(binary.BigEndian.AppendUint32(nil, expires))
	return m.Sum(nil)
}

func directPassword(secret []byte, fragment string) string {
	m := hmac.New(sha256.New, secret)
	_, _ = m.Write([]byte(fragment)) // never fails
	return base64.RawStdEncoding.EncodeToString(m.Sum(nil))
}

// Password implements peer.DirectHandler.
func (a *Agent) Password(fragment string) (string, bool) {
	f, err := parseDirectFragment(fragment)
	// A clock that cannot be right expires nothing; access lists still hold.
	if err != nil || a.gate.trust.ClockBelievable() && time.Now().After(time.Unix(int64(f.expires), 0)) {
		return "", false
	}
	return directPassword(ticketSecret(a.opts.DirectKey, f.raw, f.expires), fragment), true
}

// Call implements peer.DirectHandler.
func (a *Agent) Call(c peer.DirectCall) error {
	f, err := parseDirectFragment(c.Fragment)
	if err != nil {
		return err
	}
	now := time.Now()
	if err := within(a.allow.of(now, string(f.peer)).offers, now, 1); err != nil {
		a.metrics.refused(err)
		return err
	}
	principal, err := a.gate.trust.Authorize(f.peer, nil)
	if err != nil {
		a.metrics.offer("refused")
		a.metrics.refused(err)
		a.log.Info("refused a viewer that dialled directly", "viewer", f.peer.Grouped(), "reason", err)
		a.journal.refused(now, f.peer, "", c.From.String())
		return err
	}
	s := &session{key: sessionKey{f.peer, signaling.NewToken(signaling.SessionSize)}, via: viaDirect}
	s.principal.Store(principal)
	if err := a.openDirect(context.Background(), s, c, f.fingerprint); err != nil {
		a.metrics.offer("rejected")
		return err
	}
	a.metrics.offer("answered")
	a.log.Info("a viewer came", "viewer", f.peer.Grouped(), "session", s.logID(), "via", s.via, "from", c.From)
	return nil
}

func (a *Agent) openDirect(ctx context.Context, s *session, c peer.DirectCall, fingerprint [sha256.Size]byte) error {
	p := a.publisher.Load()
	if p == nil {
		return peer.ErrBusy
	}
	if err := a.sessions.reserve(s.place); err != nil {
		return err
	}
	answering, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	media, err := (*p).AnswerDirect(answering, c, fingerprint)
	if err != nil {
		a.sessions.cancel(s.place)
		return err
	}
	return a.enter(ctx, s, media)
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
	unix := uint32(min(expires.Unix(), 1<<32-1)) //nolint:gosec // bounded
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
