package peer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/pion/webrtc/v4"

	"github.com/sightline-cam/sightline/internal/nat"
)

// DirectDial says how to reach a publisher without signaling.
type DirectDial struct {
	// Call makes the fragment and the password for the publisher's side: see
	// DirectCall. It gets the SHA-256 of the viewer's DTLS certificate.
	Call func(fingerprint [sha256.Size]byte) (fragment, password string, err error)
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
	if len(o.Certificate.Certificate) == 0 || len(d.Addresses) == 0 || d.Call == nil {
		return nil, errors.New("peer: dial directly: a certificate, a ticket and an address are needed")
	}
	fragment, password, err := d.Call(sha256.Sum256(o.Certificate.Certificate[0]))
	if err != nil {
		return nil, fmt.Errorf("peer: dial directly: %w", err)
	}
	o.Video, o.Audio, o.Cameras, o.NoData, o.ICEServers, o.Restart = false, false, 0, false, nil, nil
	o.OnCandidate = func(string) {} // nobody to tell; the publisher learns from the first check
	o.Signal = func(_ context.Context, offer string) (Reply, error) {
		return Reply{SDP: d.answer(offer, fragment, password)}, nil
	}
	return Dial(ctx, o)
}

// answer is what the publisher would say to an offer.
func (d DirectDial) answer(offer, fragment, password string) string {
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
		"a=ice-ufrag:" + fragment, "a=ice-pwd:" + password,
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
	var known []uint32
	for _, t := range c.Tracks() {
		known = append(known, uint32(t.track.SSRC()), uint32(t.track.RtxSSRC()))
	}
	defer c.port.conn.early.hold(known)()
	answer, err := carry(ctx, c.pc.LocalDescription().SDP, fresh)
	if err != nil {
		return fmt.Errorf("exchange descriptions: %w", err)
	}
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		return fmt.Errorf("apply the answer: %w", err)
	}
	return nil
}
