package signaling

import (
	"fmt"
	"strings"
)

// RelayAnswer answers a RelayRequest with a TURN server and a credential of its
// own, which both ends of a session may use until it expires.
type RelayAnswer struct {
	// Type is filled in by EncodeFrame.
	Type FrameType `json:"type"`
	// Ref is the Ref of the RelayRequest.
	Ref int64 `json:"ref"`
	// ICE is the server.
	ICE ICEServer `json:"ice"`
}

func (f *RelayAnswer) kind() FrameType { return FrameRelay }
func (f *RelayAnswer) stamp()          { f.Type = f.kind() }

func (f *RelayAnswer) validate() error {
	if err := checkRef(f.Ref); err != nil {
		return err
	}
	if f.ICE.Username == "" || f.ICE.Credential == "" {
		return fmt.Errorf("%w: a relay without a credential", ErrMessage)
	}
	for _, u := range f.ICE.URLs {
		if strings.HasPrefix(u, "stun:") {
			return fmt.Errorf("%w: a relay has turn: and turns: URLs only", ErrMessage)
		}
	}
	return f.ICE.Validate()
}
