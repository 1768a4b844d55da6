package signaling

import (
	"fmt"

	"github.com/sightline-cam/sightline/internal/identity"
)

// Keys answers a Lookup with the statement that the peer registered with. The
// server does not look into it, and proves nothing by it: whoever asked verifies
// it (identity.OpenKeyStatement).
type Keys struct {
	// Type is filled in by EncodeFrame.
	Type FrameType `json:"type"`
	// Of is the peer.
	Of identity.PeerID `json:"of"`
	// Ref is the Ref of the Lookup.
	Ref int64 `json:"ref"`
	// Keys is the peer's key statement, a compact JWS.
	Keys string `json:"keys"`
}

func (f *Keys) kind() FrameType { return FrameKeys }
func (f *Keys) stamp()          { f.Type = f.kind() }

func (f *Keys) validate() error {
	if err := f.Of.Validate(); err != nil {
		return fmt.Errorf("%w: of: %w", ErrMessage, err)
	}
	if err := checkRef(f.Ref); err != nil {
		return err
	}
	return checkStatement(f.Keys)
}
