package viewer

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/internal/ticket"
	"github.com/sightline-cam/sightline/signaling"
)

// Ticket lets its viewer dial the publisher again when no server introduces the
// two: in a network without internet, or when the signaling service is gone. It
// gives no rights: whether the viewer may still watch is asked at every call.
type Ticket struct {
	// Secret proves that the publisher gave out the ticket. Keep it out of logs.
	Secret []byte
	// Expires is when it ends.
	Expires time.Time
	// Addresses are where the publisher's UDP port was reachable, at most 16.
	Addresses []netip.AddrPort
	// Fingerprint is that of the publisher's DTLS certificate: "sha-256 AA:BB:…".
	Fingerprint string
}

// usable reports whether dialling by the ticket makes sense.
func (t *Ticket) usable() bool {
	return t != nil && len(t.Secret) > 0 && len(t.Addresses) > 0 && time.Now().Before(t.Expires)
}

// maxTicket is the longest answer to POST /v1/tickets that is read, in bytes.
const maxTicket = 16 << 10

// Ticket asks the publisher for a ticket. It is good for 30 days; a new one each
// time keeps the addresses fresh.
func (s *Session) Ticket(ctx context.Context) (*Ticket, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, BaseURL+"/v1/tickets", strings.NewReader("{}"))
	if err != nil {
		return nil, fmt.Errorf("ask for a ticket: %w", err)
	}
	body, err := s.post(req, http.StatusCreated, maxTicket)
	if err != nil {
		return nil, fmt.Errorf("ask for a ticket: %w", err)
	}
	t, err := parseTicket(body)
	if err != nil {
		return nil, fmt.Errorf("ask for a ticket: %w", err)
	}
	return t, nil
}

// parseTicket reads the answer to POST /v1/tickets. Unknown fields are from a newer
// publisher and ignored.
func parseTicket(body []byte) (*Ticket, error) {
	var in struct {
		Secret      string   `json:"secret"`
		ExpiresUnix uint32   `json:"expiresUnix"`
		Addresses   []string `json:"addresses"`
		Fingerprint string   `json:"fingerprint"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("parse the publisher's answer: %w", err)
	}
	t := &Ticket{Expires: time.Unix(int64(in.ExpiresUnix), 0), Fingerprint: in.Fingerprint}
	var err error
	if t.Secret, err = base64.RawURLEncoding.DecodeString(in.Secret); err != nil || len(t.Secret) == 0 {
		return nil, errors.New("the publisher's ticket has no secret")
	}
	if !isFingerprint(in.Fingerprint) {
		return nil, errors.New("the publisher's ticket names no certificate")
	}
	for _, text := range in.Addresses[:min(len(in.Addresses), maxTicketAddresses)] {
		if a, err := netip.ParseAddrPort(text); err == nil && a.Port() > 0 {
			t.Addresses = append(t.Addresses, a)
		}
	}
	return t, nil
}

// maxTicketAddresses bounds a ticket's addresses.
const maxTicketAddresses = 16

// isFingerprint reports whether a text can stand in a description as a SHA-256
// fingerprint (RFC 8122 §5).
func isFingerprint(text string) bool {
	pairs, ok := strings.CutPrefix(text, "sha-256 ")
	if !ok || len(pairs) != 32*3-1 {
		return false
	}
	for i, c := range []byte(pairs) {
		if hex := '0' <= c && c <= '9' || 'A' <= c && c <= 'F'; hex == (i%3 == 2) || !hex && c != ':' {
			return false
		}
	}
	return true
}

// post sends a request with a JSON body over the session.
func (s *Session) post(req *http.Request, want int, limit int64) ([]byte, error) {
	req.Header.Set("Content-Type", "application/json")
	res, err := s.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	switch {
	case err != nil:
		return nil, err
	case res.StatusCode != want:
		return nil, apiError(res.StatusCode, body)
	case int64(len(body)) > limit:
		return nil, errors.New("the publisher's answer is too long")
	}
	return body, nil
}

// dialTicket dials the addresses of the ticket, without any server.
func dialTicket(ctx context.Context, o Options) (*Session, error) {
	t := o.Ticket
	if !t.usable() {
		return nil, errors.New("there is no ticket, or it has expired")
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &Session{o: o, handshake: newHandshake(o), frames: peer.NewUnitReader(), cancel: cancel}
	var err error
	s.conn, err = peer.DialDirect(ctx, peer.DialOptions{
		Certificate: o.Identity.Certificate(), Loopback: o.Loopback, Logger: o.Logger, Patience: o.Patience, OnTrack: s.frames.AddTrack,
	}, peer.DirectDial{
		Call: func(fingerprint [32]byte) (string, string, error) {
			return ticket.Call(o.Identity, o.Peer, t.Secret, t.Expires, time.Now(), fingerprint)
		},
		Addresses: t.Addresses, Fingerprint: t.Fingerprint,
	})
	if err != nil {
		cancel()
		return nil, fmt.Errorf("dial %s without a server: %w", o.Peer.Short(), err)
	}
	s.begin(run)
	if o.NoMedia {
		return s, nil
	}
	if err := s.addCameras(ctx); err != nil {
		_ = s.Close() //nolint:contextcheck // it says goodbye after ctx
		return nil, fmt.Errorf("dial %s without a server: %w", o.Peer.Short(), err)
	}
	return s, nil
}

// maxDescription is the longest description that is read, in bytes.
const maxDescription = 256 << 10

// addCameras asks for the cameras of the options over the session itself.
func (s *Session) addCameras(ctx context.Context) error {
	return s.conn.AddCameras(ctx, len(s.o.Cameras), !s.o.NoAudio, func(ctx context.Context, offer string, sections []peer.Section) (string, error) {
		body, err := json.Marshal(struct {
			SDP   string            `json:"sdp"`
			Media []signaling.Media `json:"media"`
		}{offer, s.handshake.assign(sections)})
		if err != nil {
			return "", err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, BaseURL+"/v1/session/offer", bytes.NewReader(body))
		if err != nil {
			return "", err
		}
		if body, err = s.post(req, http.StatusOK, maxDescription); err != nil {
			return "", err
		}
		var answer struct {
			SDP string `json:"sdp"`
		}
		if err := json.Unmarshal(body, &answer); err != nil {
			return "", fmt.Errorf("parse the publisher's answer: %w", err)
		}
		return answer.SDP, nil
	})
}

// dialWithoutServer tries the ticket's addresses and this network at once, as far
// as the options allow, and returns the first session.
func dialWithoutServer(ctx context.Context, o Options) (*Session, error) {
	switch {
	case !o.LAN:
		return dialTicket(ctx, o)
	case !o.Ticket.usable():
		return dialLAN(ctx, o)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	direct, lan := make(chan dialResult, 1), make(chan dialResult, 1)
	go func() {
		s, err := dialTicket(ctx, o)
		direct <- dialResult{s, err}
	}()
	go func() {
		s, err := dialLAN(ctx, o)
		lan <- dialResult{s, err}
	}()
	return firstSession(cancel, direct, lan) //nolint:contextcheck // what it closes says goodbye after ctx
}
