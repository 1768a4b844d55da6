package peer

import (
	"errors"
	"fmt"
	"strconv"
)

// Control messages travel as text messages on a channel whose DCEP protocol is
// channelProtocol; the bytes of the connection are binary messages. See
// docs/design/requests.md.
const (
	// channelLabel names the data channels that carry one HTTP connection.
	channelLabel = "http"
	// channelProtocol asks for flow control per channel: SCTP has one receive
	// window for the whole association, so without it a reader that stops
	// reading one channel stops them all.
	channelProtocol = "sightline.window.v1"

	controlFin    = "fin"
	controlWindow = "window "

	// maxControl is the longest control message in bytes: "window " and 2^53.
	maxControl = len(controlWindow) + 16
	// maxWindow is 2^53-1, the largest integer JavaScript counts exactly.
	maxWindow = 1<<53 - 1
)

// control is a parsed control message.
type control struct {
	// fin says that the sender is done and reads no more either.
	fin bool
	// window is the number of bytes, counted from the start of the channel,
	// that the receiver of the message may send in all.
	window uint64
}

var errControl = errors.New("not a control message of " + channelProtocol)

// parseControl parses a text message of a windowed channel.
func parseControl(msg []byte) (control, error) {
	if len(msg) > maxControl {
		return control{}, fmt.Errorf("%w: %d bytes", errControl, len(msg))
	}
	s := string(msg)
	if s == controlFin {
		return control{fin: true}, nil
	}
	if len(s) <= len(controlWindow) || s[:len(controlWindow)] != controlWindow {
		return control{}, fmt.Errorf("%w: %q", errControl, s)
	}
	digits := s[len(controlWindow):]
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || n > maxWindow || digits[0] == '+' {
		return control{}, fmt.Errorf("%w: %q", errControl, s)
	}
	return control{window: n}, nil
}

// appendWindow appends the control message that allows n bytes in all.
func appendWindow(b []byte, n uint64) []byte {
	return strconv.AppendUint(append(b, controlWindow...), min(n, maxWindow), 10)
}
