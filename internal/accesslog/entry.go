package accesslog

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"
)

// Kind is what an entry is about.
type Kind string

// The kinds.
const (
	Started   Kind = "started"    // the publisher started
	Paired    Kind = "paired"     // somebody became the first owner
	Reset     Kind = "reset"      // the console forgot all owners
	Invited   Kind = "invited"    // an invite was made
	Redeemed  Kind = "redeemed"   // somebody used one
	Revoked   Kind = "revoked"    // access was taken back at the console
	Listed    Kind = "list"       // another access list is in force
	Came      Kind = "came"       // a session began
	Left      Kind = "left"       // and ended
	Refused   Kind = "refused"    // somebody was not let in, or not all the way
	WHEPToken Kind = "whep-token" // a token for a player was made
	Clock     Kind = "clock"      // the clock is wrong, or right again
	Lost      Kind = "lost"       // entries that could not be written, or a damage that was found
)

// Entry is one line. What is too long is cut when it is added.
type Entry struct {
	// Seq counts from 1; Add sets it.
	Seq int64 `json:"seq"`
	// Time is by the local clock; Add sets it if it is zero.
	Time time.Time `json:"time"`
	Kind Kind      `json:"kind"`
	// Peer is a PeerID, "" for the console and the publisher itself.
	Peer string `json:"peer"`
	// Name is what the peer is called, at most 64 code points.
	Name string `json:"name"`
	// What is a few words, at most 256 bytes.
	What string `json:"what"`
	// From is an address, at most 64 bytes; "" if there is none.
	From string `json:"from"`
	// Prev is the hash of the line before, "" in the first; Add sets it.
	Prev string `json:"prev"`
}

const (
	maxName  = 64 // code points
	maxWhat  = 256
	maxFrom  = 64
	maxShort = 64 // kind and peer

	// maxLine is longer than any line can be, in bytes, newline included.
	maxLine = 8 << 10
)

// cut returns the entry as it may be written.
func (e Entry) cut() Entry {
	e.Time = e.Time.UTC()
	if y := e.Time.Year(); y < 0 || y > 9999 {
		e.Time = time.Unix(0, 0).UTC() // JSON has no other years
	}
	e.Kind = Kind(cutBytes(string(e.Kind), maxShort))
	e.Peer = cutBytes(e.Peer, maxShort)
	e.Name = cutRunes(e.Name, maxName)
	e.What = cutBytes(e.What, maxWhat)
	e.From = cutBytes(e.From, maxFrom)
	return e
}

// line makes the line that follows head, newline included, and the head after it.
func (e Entry) line(head Head) ([]byte, Head) {
	e.Seq, e.Prev = head.Seq+1, head.Hash
	var b bytes.Buffer
	enc := json.NewEncoder(&b) // ends with a newline
	enc.SetEscapeHTML(false)
	_ = enc.Encode(e) // cannot fail: strings, numbers and a time that was cut
	return b.Bytes(), Head{Seq: e.Seq, Hash: hashOf(bytes.TrimSuffix(b.Bytes(), []byte("\n")))}
}

// hashOf returns the hash of a line without its newline.
func hashOf(line []byte) string {
	sum := sha256.Sum256(line)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func cutBytes(s string, n int) string {
	s = strings.ToValidUTF8(s, "�")
	if len(s) <= n {
		return s
	}
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func cutRunes(s string, n int) string {
	s = strings.ToValidUTF8(s, "�")
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}
