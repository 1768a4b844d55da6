package signaling

import (
	"fmt"

	"github.com/sightline-cam/sightline/internal/identity"
)

// Lookup asks the server for a peer's key statement. A client may send it right
// behind Register.
type Lookup struct {
	// Type is filled in by EncodeFrame.
	Type FrameType `json:"type"`
	// To is the peer.
	To identity.PeerID `json:"to"`
	// Ref is repeated in the answer; 0 to MaxInt, the client's choice.
	Ref int64 `json:"ref"`
}

func (f *Lookup) kind() FrameType { return FrameLookup }
func (f *Lookup) stamp()          { f.Type = f.kind() }

func (f *Lookup) validate() error {
	if err := f.To.Validate(); err != nil {
		return fmt.Errorf("%w: to: %w", ErrMessage, err)
	}
	return checkRef(f.Ref)
}
