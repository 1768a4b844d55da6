package peer

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/pion/webrtc/v4"

	"github.com/sightline-cam/sightline/internal/nat"
)

// A viewer who has a ticket can dial without any signaling: it puts who it is,
// until when the ticket is good and the fingerprint of its own DTLS certificate
// into the ICE fragment that it chooses for the publisher, and proves by the ICE
// password, which follows from the ticket's secret and the fragment, that the
// publisher gave it the ticket.
//
//	fragment = "sl" + base64( 1 | viewer (32) | expires (4, Unix seconds) | SHA-256 of the certificate (32) | nonce (8) )
//	password = base64( HMAC-SHA-256(secret, fragment) )
//
// Base64 is that of RFC 4648 §4 without padding: its alphabet is ICE's (RFC 8839
// §5.4).
const (
	directVersion = 1
	directNonce   = 8
	directLength  = 1 + 32 + 4 + sha256.Size + directNonce
)

var errDirectFragment = errors.New("not a direct call's fragment")

// DirectFragment is what the fragment of a direct call says.
type DirectFragment struct {
	// Viewer is the hash of the viewer's key, as in its PeerID.
	Viewer [32]byte
	// Expires is when the ticket ends, Unix seconds.
	Expires uint32
	// Fingerprint is the SHA-256 of the viewer's DTLS certificate.
	Fingerprint [sha256.Size]byte
}

// ParseDirectFragment reads a fragment. Whether it is genuine is not known then.
func ParseDirectFragment(text string) (f DirectFragment, err error) {
	encoded, ok := strings.CutPrefix(text, DirectPrefix)
	if !ok {
		return f, errDirectFragment
	}
	b, err := base64.RawStdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(b) != directLength || b[0] != directVersion {
		return f, errDirectFragment
	}
	copy(f.Viewer[:], b[1:])
	f.Expires = binary.BigEndian.Uint32(b[33:])
	copy(f.Fingerprint[:], b[37:])
	return f, nil
}

// String returns the fragment, with a fresh nonce.
func (f DirectFragment) String() string {
	b := append([]byte{directVersion}, f.Viewer[:]...)
	b = binary.BigEndian.AppendUint32(b, f.Expires)
	b = append(b, f.Fingerprint[:]...)
	b = append(b, make([]byte, directNonce)...)
	_, _ = rand.Read(b[len(b)-directNonce:]) // never fails
	return DirectPrefix + base64.RawStdEncoding.EncodeToString(b)
}

// DirectPassword is the ICE password that belongs to a fragment.
func DirectPassword(secret []byte, fragment string) string {
	m := hmac.New(sha256.New, secret)
	_, _ = m.Write([]byte(fragment)) // never fails
	return base64.RawStdEncoding.EncodeToString(m.Sum(nil))
}

// DirectDial says how to reach a publisher without signaling.
type DirectDial struct {
	// Viewer is the hash of the viewer's key, as in its PeerID.
	Viewer [32]byte
	// Secret and Expires are the ticket's.
	Secret  []byte
	Expires uint32
	// Addresses are where the publisher's UDP port may be.
	Addresses []netip.AddrPort
	// Fingerprint is that of the publisher's certificate: "sha-256 AA:BB:…".
	Fingerprint string
}

// DialDirect opens a session with a publisher at a known address, without any
// signaling: Signal and Restart of the options are not used, and neither are
// Video, Audio and Cameras, since the two have agreed on nothing but data so far;
// see AddCameras. Options.Certificate is required.
func DialDirect(ctx context.Context, o DialOptions, d DirectDial) (*Conn, error) {
	if len(o.Certificate.Certificate) == 0 || len(d.Addresses) == 0 || len(d.Secret) == 0 {
		return nil, errors.New("peer: dial directly: a certificate, a ticket and an address are needed")
	}
	o.Video, o.Audio, o.Cameras, o.NoData, o.ICEServers, o.Restart = false, false, 0, false, nil, nil
	o.OnCandidate = func(string) {} // nobody to tell; the publisher learns from the first check
	o.Signal = func(_ context.Context, offer string) (Reply, error) {
		return Reply{SDP: d.answer(offer, o.Certificate)}, nil
	}
	return Dial(ctx, o)
}

// answer is what the publisher would say to an offer.
func (d DirectDial) answer(offer string, own tls.Certificate) string {
	f := DirectFragment{Viewer: d.Viewer, Expires: d.Expires, Fingerprint: sha256.Sum256(own.Certificate[0])}
	fragment := f.String()
	mid := "0"
	for line := range strings.Lines(offer) {
		if m, ok := strings.CutPrefix(strings.TrimSpace(line), "a=mid:"); ok {
			mid = m
			break
		}
	}
	lines := []string{
		"v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE " + mid, "a=ice-lite", pathAttribute,
		"m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0",
		"a=ice-ufrag:" + fragment, "a=ice-pwd:" + DirectPassword(d.Secret, fragment),
		"a=fingerprint:" + d.Fingerprint, "a=setup:passive", "a=mid:" + mid, "a=sctp-port:5000", "a=max-message-size:262144",
	}
	for i, a := range d.Addresses {
		c := nat.Candidate{Kind: nat.Host, Transport: "udp", Address: a, Base: a}
		lines = append(lines, "a="+c.Line(i))
	}
	return strings.Join(append(lines, "a=end-of-candidates", ""), "\r\n")
}

// AddCameras asks for the pictures, and the sound if audio is set, of more
// cameras over a session that stands. carry takes the offer to the publisher, by
// HTTP over the session, and returns the answer; sections are those of the new
// cameras, camera by camera, video then audio.
func (c *Conn) AddCameras(ctx context.Context, cameras int, audio bool, carry func(ctx context.Context, offer string, sections []Section) (answer string, err error)) error {
	c.restarting.Lock()
	defer c.restarting.Unlock()
	before := map[string]bool{}
	for _, t := range c.pc.GetTransceivers() {
		before[t.Mid()] = true
	}
	if err := addSections(c.pc, DialOptions{Cameras: cameras, Video: true, Audio: audio, NoData: true}); err != nil {
		return err
	}
	offer, err := c.pc.CreateOffer(nil)
	if err != nil {
		return fmt.Errorf("make an offer: %w", err)
	}
	if err := c.pc.SetLocalDescription(offer); err != nil {
		return fmt.Errorf("apply the offer: %w", err)
	}
	sections, err := Sections(offer.SDP)
	if err != nil {
		return err
	}
	var fresh []Section
	for _, s := range sections {
		if !before[s.MID] {
			fresh = append(fresh, s)
		}
	}
	answer, err := carry(ctx, c.pc.LocalDescription().SDP, fresh)
	if err != nil {
		return fmt.Errorf("exchange descriptions: %w", err)
	}
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		return fmt.Errorf("apply the answer: %w", err)
	}
	return nil
}
