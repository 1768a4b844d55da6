package signaling

import (
	"fmt"

	"github.com/sightline-cam/sightline/internal/identity"
)

// Delivery is the frame "message": the server passes a sealed message on.
type Delivery struct {
	// Type is filled in by EncodeFrame.
	Type FrameType `json:"type"`
	// From is who sent it, as the server knows; the signature inside decides.
	From identity.PeerID `json:"from"`
	// Payload is a sealed message.
	Payload string `json:"payload"`
}

func (f *Delivery) kind() FrameType { return FrameMessage }
func (f *Delivery) stamp()          { f.Type = f.kind() }

func (f *Delivery) validate() error {
	if err := f.From.Validate(); err != nil {
		return fmt.Errorf("%w: from: %w", ErrMessage, err)
	}
	return checkPayload(f.Payload)
}
