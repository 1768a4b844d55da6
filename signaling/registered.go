package signaling

import (
	"fmt"
	"strings"

	"github.com/sightline-cam/sightline/internal/identity"
)

// Registered is the server's answer to a valid Register.
type Registered struct {
	// Type is filled in by EncodeFrame.
	Type FrameType `json:"type"`
	// ID is the client's own.
	ID identity.PeerID `json:"id"`
	// Resume is the token to give when registering again after the connection
	// is lost: 16 bytes.
	Resume Token `json:"resume"`
	// Resumed says that the server still knew the token given: messages that
	// came meanwhile were held and follow.
	Resumed bool `json:"resumed"`
	// STUN are the URLs of the service's STUN servers, at most MaxICEURLs, none
	// with an empty list (filled in by EncodeFrame if nil).
	STUN []string `json:"stun"`
	// Relay says that this peer may ask for a relay (RelayRequest).
	Relay bool `json:"relay"`
}

func (f *Registered) kind() FrameType { return FrameRegistered }

func (f *Registered) stamp() {
	f.Type = f.kind()
	if f.STUN == nil {
		f.STUN = []string{}
	}
}

func (f *Registered) validate() error {
	if err := f.ID.Validate(); err != nil {
		return fmt.Errorf("%w: id: %w", ErrMessage, err)
	}
	if f.STUN == nil || len(f.STUN) > MaxICEURLs {
		return fmt.Errorf("%w: stun is a list of at most %d URLs", ErrMessage, MaxICEURLs)
	}
	for _, u := range f.STUN {
		if err := ValidateICEURL(u); err != nil {
			return err
		}
		if !strings.HasPrefix(u, "stun:") {
			return fmt.Errorf("%w: stun holds stun: URLs only", ErrMessage)
		}
	}
	return f.Resume.check("resume", ResumeSize)
}
