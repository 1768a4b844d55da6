package signaling

import (
	"encoding/json"
	"fmt"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/strictjson"
)

const (
	// Subprotocol is the WebSocket subprotocol (RFC 6455 §1.9) and its version.
	Subprotocol = "sightline.signal.v1"
	// Path is where a signaling server listens for WebSockets.
	Path = "/v1/signal"
)

// FrameType says what kind a frame is.
type FrameType string

// The frames of the wire between a client and the server.
const (
	FrameChallenge  FrameType = "challenge"
	FrameRegister   FrameType = "register"
	FrameRegistered FrameType = "registered"
	FrameLookup     FrameType = "lookup"
	FrameKeys       FrameType = "keys"
	FrameSend       FrameType = "send"
	FrameSent       FrameType = "sent"
	FrameMessage    FrameType = "message"
	FrameRelay      FrameType = "relay"
	FrameError      FrameType = "error"
)

// Frame is one of *Challenge, *Register, *Registered, *Lookup, *Keys, *Send,
// *Sent, *Delivery, *RelayRequest, *RelayAnswer and *ServerError.
type Frame interface {
	kind() FrameType
	stamp()
	validate() error
}

// EncodeFrame fills in the type, checks the limits and returns the JSON of one
// WebSocket text message. Errors wrap ErrMessage.
func EncodeFrame(f Frame) ([]byte, error) {
	f.stamp()
	if err := f.validate(); err != nil {
		return nil, err
	}
	data, err := marshal(f)
	if err != nil {
		return nil, err
	}
	if len(data) > MaxFrame {
		return nil, fmt.Errorf("%w: frame longer than %d bytes", ErrMessage, MaxFrame)
	}
	return data, nil
}

// DecodeFrame reads one WebSocket text message, strictly. Errors wrap
// ErrMessage.
func DecodeFrame(data []byte) (Frame, error) {
	if len(data) > MaxFrame {
		return nil, fmt.Errorf("%w: frame longer than %d bytes", ErrMessage, MaxFrame)
	}
	var peek struct {
		Type FrameType       `json:"type"`
		ICE  json.RawMessage `json:"ice"`
	}
	if err := json.Unmarshal(data, &peek); err != nil {
		return nil, fmt.Errorf("%w: not a JSON object with a type", ErrMessage)
	}
	f, err := newFrame(peek.Type, peek.ICE != nil)
	if err != nil {
		return nil, err
	}
	if err := strictjson.Unmarshal(data, f); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrMessage, peek.Type, err)
	}
	if err := f.validate(); err != nil {
		return nil, err
	}
	return f, nil
}

// newFrame makes an empty frame. A relay frame is the answer if it has an ice.
func newFrame(t FrameType, ice bool) (Frame, error) {
	switch t {
	case FrameChallenge:
		return &Challenge{}, nil
	case FrameRegister:
		return &Register{}, nil
	case FrameRegistered:
		return &Registered{}, nil
	case FrameLookup:
		return &Lookup{}, nil
	case FrameKeys:
		return &Keys{}, nil
	case FrameSend:
		return &Send{}, nil
	case FrameSent:
		return &Sent{}, nil
	case FrameMessage:
		return &Delivery{}, nil
	case FrameRelay:
		if ice {
			return &RelayAnswer{}, nil
		}
		return &RelayRequest{}, nil
	case FrameError:
		return &ServerError{}, nil
	}
	return nil, fmt.Errorf("%w: unknown frame type", ErrMessage)
}

// checkStatement bounds a key statement without looking into it.
func checkStatement(keys string) error {
	if len(keys) > identity.MaxKeyStatement || checkPayload(keys) != nil {
		return fmt.Errorf("%w: keys is a compact JWS of at most %d bytes", ErrMessage, identity.MaxKeyStatement)
	}
	return nil
}

// checkPayload bounds a sealed message without looking into it: the server
// never does.
func checkPayload(payload string) error {
	if payload == "" || len(payload) > MaxPayload {
		return fmt.Errorf("%w: a payload has 1 to %d bytes", ErrMessage, MaxPayload)
	}
	for _, c := range []byte(payload) {
		ok := 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.'
		if !ok {
			return fmt.Errorf("%w: a payload is a compact JWE", ErrMessage)
		}
	}
	return nil
}

func checkRef(ref int64) error {
	if ref < 0 || ref > MaxInt {
		return fmt.Errorf("%w: ref is out of range", ErrMessage)
	}
	return nil
}
