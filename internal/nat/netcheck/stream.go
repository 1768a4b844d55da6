package netcheck

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/pion/stun/v4"
)

const (
	stunHeader = 20 // bytes, RFC 8489 §5
	// maxStreamMessage is far more than an answer to Allocate has.
	maxStreamMessage = 4096
	// maxStrangers is how many messages that are no answer are passed over.
	maxStrangers = 16
)

// overStream sends requests over a TCP or TLS connection, one at a time (RFC 8489
// §6.2.2: nothing is sent twice, and messages need no frame).
func overStream(conn io.ReadWriter) request {
	return func(ctx context.Context, kind stun.MessageType, setters ...stun.Setter) (*stun.Message, error) {
		m, err := stun.Build(append([]stun.Setter{stun.TransactionID, kind}, setters...)...)
		if err != nil {
			return nil, fmt.Errorf("make a STUN request: %w", err)
		}
		if _, err := conn.Write(m.Raw); err != nil {
			return nil, err
		}
		for range maxStrangers {
			answer, err := readMessage(conn)
			if err != nil {
				return nil, err
			}
			if answer.TransactionID == m.TransactionID {
				return answer, ctx.Err()
			}
		}
		return nil, errors.New("the server talks about something else")
	}
}

// readMessage reads one STUN message.
func readMessage(r io.Reader) (*stun.Message, error) {
	raw := make([]byte, stunHeader, 256)
	if _, err := io.ReadFull(r, raw); err != nil {
		return nil, err
	}
	if !stun.IsMessage(raw) {
		return nil, errors.New("this is no STUN message")
	}
	length := int(binary.BigEndian.Uint16(raw[2:]))
	if length%4 != 0 || length > maxStreamMessage {
		return nil, errors.New("this is no STUN message of a reasonable length")
	}
	raw = append(raw, make([]byte, length)...)
	if _, err := io.ReadFull(r, raw[stunHeader:]); err != nil {
		return nil, err
	}
	m := &stun.Message{Raw: raw}
	return m, m.Decode()
}
