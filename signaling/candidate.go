package signaling

import (
	"fmt"
	"strings"
)

// Candidate is a late ICE candidate (trickle ICE, RFC 8838), from either side,
// after the answer.
type Candidate struct {
	Header
	// Transcript names the handshake: see the function of that name.
	Transcript Token `json:"transcript"`
	// Candidate is a "candidate:…" line without "a=", at most MaxCandidate
	// bytes; "" is the end of candidates.
	Candidate string `json:"candidate"`
	// MID is the media section, or "" for all of a bundle.
	MID string `json:"mid"`
}

func (c *Candidate) kind() Type { return TypeCandidate }

func (c *Candidate) validate() error {
	if err := c.Header.validate(); err != nil {
		return err
	}
	if err := c.Transcript.check("transcript", HashSize); err != nil {
		return err
	}
	if len(c.Candidate) > MaxCandidate {
		return fmt.Errorf("%w: a candidate has at most %d bytes", ErrMessage, MaxCandidate)
	}
	if c.Candidate != "" && !strings.HasPrefix(c.Candidate, "candidate:") {
		return fmt.Errorf("%w: a candidate begins with its own name", ErrMessage)
	}
	for _, b := range []byte(c.Candidate) {
		if b < ' ' || b >= 0x7f {
			return fmt.Errorf("%w: a candidate is one line of ASCII", ErrMessage)
		}
	}
	return checkMID(c.MID)
}
