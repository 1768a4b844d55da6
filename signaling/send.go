package signaling

import (
	"fmt"

	"github.com/sightline-cam/sightline/internal/identity"
)

// Send asks the server to pass a signed message on.
type Send struct {
	// Type is filled in by EncodeFrame.
	Type FrameType `json:"type"`
	// To is the receiver.
	To identity.PeerID `json:"to"`
	// Ref is repeated in an error about this frame; 0 to MaxInt, the client's
	// choice.
	Ref int64 `json:"ref"`
	// Ack asks for a Sent frame when the server has taken the message.
	Ack bool `json:"ack,omitempty"`
	// Payload is a sealed message. The server cannot look into it.
	Payload string `json:"payload"`
}

func (f *Send) kind() FrameType { return FrameSend }
func (f *Send) stamp()          { f.Type = f.kind() }

func (f *Send) validate() error {
	if err := f.To.Validate(); err != nil {
		return fmt.Errorf("%w: to: %w", ErrMessage, err)
	}
	if err := checkRef(f.Ref); err != nil {
		return err
	}
	return checkPayload(f.Payload)
}
