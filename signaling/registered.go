package signaling

import (
	"fmt"

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
}

func (f *Registered) kind() FrameType { return FrameRegistered }
func (f *Registered) stamp()          { f.Type = f.kind() }

func (f *Registered) validate() error {
	if err := f.ID.Validate(); err != nil {
		return fmt.Errorf("%w: id: %w", ErrMessage, err)
	}
	return f.Resume.check("resume", ResumeSize)
}
