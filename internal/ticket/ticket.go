// Package ticket makes and reads what a viewer shows when it dials an agent with no
// signaling: an ICE fragment that names the viewer, is signed by its key and proves,
// with the ICE password, that the agent gave it a ticket.
//
//	fragment  = "sl" + base64( body | signature )
//	body      = 1 | viewer's key (33) | expires (4) | time (4) | SHA-256 of the viewer's DTLS certificate (32) | nonce (8)
//	signature = ECDSA-SHA-256 by the viewer's key over "sightline direct call 1" | agent's PeerID (32) | body, r and s (64)
//	password  = base64( HMAC-SHA-256(secret, fragment) )
//	secret    = HMAC-SHA-256(the agent's ticket key, "sightline direct 1" | viewer's PeerID (32) | expires)
//
// Keys are compressed P-256 points (SEC 1 §2.3.3), PeerIDs their 32 bytes, times Unix
// seconds, big endian. Base64 is that of RFC 4648 §4 without padding: its alphabet is
// ICE's (RFC 8839 §5.4).
package ticket

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
)

// Prefix is what a fragment begins with.
const Prefix = "sl"

const (
	version   = 1
	nonceSize = 8
	bodySize  = 1 + identity.PointSize + 4 + 4 + sha256.Size + nonceSize
	size      = bodySize + identity.RawSignatureSize

	secretPurpose = "sightline direct 1"
	callPurpose   = "sightline direct call 1"
)

// ErrFragment is wrapped by the errors of Parse and Verify.
var ErrFragment = errors.New("not a direct call's fragment")

// Fragment is what a fragment says.
type Fragment struct {
	// Viewer is who dials, if Verify agrees.
	Viewer identity.PeerID
	// Expires is when the ticket ends.
	Expires time.Time
	// Time is when the call was made, by the viewer's clock.
	Time time.Time
	// Fingerprint is the SHA-256 of the DTLS certificate that the viewer will show.
	Fingerprint [sha256.Size]byte

	raw []byte
}

// Parse reads a fragment. What it says is not verified; that costs more.
func Parse(text string) (Fragment, error) {
	encoded, ok := strings.CutPrefix(text, Prefix)
	if !ok || len(encoded) != base64.RawStdEncoding.EncodedLen(size) {
		return Fragment{}, ErrFragment
	}
	b, err := base64.RawStdEncoding.Strict().DecodeString(encoded)
	if err != nil || b[0] != version {
		return Fragment{}, ErrFragment
	}
	f := Fragment{raw: b, Expires: seconds(b[34:]), Time: seconds(b[38:])}
	copy(f.Fingerprint[:], b[42:])
	if f.Viewer, err = identity.PointPeer(b[1 : 1+identity.PointSize]); err != nil {
		return Fragment{}, fmt.Errorf("%w: %w", ErrFragment, err)
	}
	return f, nil
}

func seconds(b []byte) time.Time { return time.Unix(int64(binary.BigEndian.Uint32(b)), 0) }

// Verify checks that the viewer's key signed the fragment for a call to agent.
func (f Fragment) Verify(agent identity.PeerID) error {
	message, err := signed(agent, f.raw[:bodySize])
	if err != nil {
		return err
	}
	if _, err := identity.VerifyRaw(f.raw[1:1+identity.PointSize], message, f.raw[bodySize:]); err != nil {
		return fmt.Errorf("%w: %w", ErrFragment, err)
	}
	return nil
}

// Call makes the fragment of a call to agent, fresh for every call, and its
// password. secret and expires are the ticket's.
func Call(viewer *identity.Identity, agent identity.PeerID, secret []byte, expires, now time.Time, fingerprint [sha256.Size]byte) (fragment, password string, err error) {
	point, err := viewer.Point()
	if err != nil {
		return "", "", err
	}
	b := append([]byte{version}, point...)
	b = binary.BigEndian.AppendUint32(b, unix(expires))
	b = binary.BigEndian.AppendUint32(b, unix(now))
	b = append(b, fingerprint[:]...)
	b = append(b, make([]byte, nonceSize)...)
	_, _ = rand.Read(b[len(b)-nonceSize:]) // never fails
	message, err := signed(agent, b)
	if err != nil {
		return "", "", err
	}
	signature, err := viewer.SignRaw(message)
	if err != nil {
		return "", "", err
	}
	fragment = Prefix + base64.RawStdEncoding.EncodeToString(append(b, signature...))
	return fragment, Password(secret, fragment), nil
}

// signed is what a signature is over.
func signed(agent identity.PeerID, body []byte) ([]byte, error) {
	raw, err := bytesOf(agent)
	if err != nil {
		return nil, err
	}
	return append(append([]byte(callPurpose), raw...), body...), nil
}

// Password is the ICE password that belongs to a fragment.
func Password(secret []byte, fragment string) string {
	m := hmac.New(sha256.New, secret)
	_, _ = m.Write([]byte(fragment)) // never fails
	return base64.RawStdEncoding.EncodeToString(m.Sum(nil))
}

// Secret is that of a viewer's ticket, made of the agent's key for tickets.
func Secret(key []byte, viewer identity.PeerID, expires time.Time) ([]byte, error) {
	raw, err := bytesOf(viewer)
	if err != nil {
		return nil, err
	}
	m := hmac.New(sha256.New, key)
	_, _ = m.Write([]byte(secretPurpose)) // never fails
	_, _ = m.Write(raw)
	_, _ = m.Write(binary.BigEndian.AppendUint32(nil, unix(expires)))
	return m.Sum(nil), nil
}

// unix bounds a time to what a fragment can hold.
func unix(t time.Time) uint32 { return uint32(min(max(t.Unix(), 0), 1<<32-1)) }

// bytesOf returns a PeerID's 32 bytes.
func bytesOf(id identity.PeerID) ([]byte, error) {
	b, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ToUpper(string(id)))
	if err != nil || len(b) != sha256.Size {
		return nil, errors.New("not a PeerID")
	}
	return b, nil
}
