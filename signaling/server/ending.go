package server

import (
	"github.com/coder/websocket"

	"github.com/sightline-cam/sightline/signaling"
)

// statusDisplaced is the close code of a connection whose key registered again
// (RFC 6455 §7.4.2: 4000-4999 are private).
const statusDisplaced websocket.StatusCode = 4001

// ending is why a connection ends and what its client is told.
type ending struct {
	code   signaling.ErrorCode // of a last error frame, or ""
	status websocket.StatusCode
	reason string // a constant; for the log, and for the client if code is ""
	slow   bool   // the client reads too slowly to be told anything in order
	left   bool   // the client said that it goes: nothing is held for it
	fault  string // the client's: one of the reasons of refusals, or ""
}

func endLost(reason string) ending {
	return ending{status: websocket.StatusNormalClosure, reason: reason}
}

func endLeft() ending {
	return ending{status: websocket.StatusNormalClosure, reason: "the client left", left: true}
}

func endClosing() ending {
	return ending{status: websocket.StatusGoingAway, reason: "the server shuts down"}
}

func endDisplaced() ending {
	return ending{code: signaling.CodeDisplaced, status: statusDisplaced, reason: "the key registered again"}
}

func endSlow() ending {
	return ending{code: signaling.CodeServerBusy, status: websocket.StatusTryAgainLater, reason: "the client reads too slowly", slow: true}
}

func endTooLarge() ending {
	return ending{code: signaling.CodeTooLarge, status: websocket.StatusMessageTooBig, reason: "a message is too large", fault: refusedForm}
}

func endBadMessage(reason string) ending {
	return ending{code: signaling.CodeBadMessage, status: websocket.StatusPolicyViolation, reason: reason, fault: refusedForm}
}

func endUnauthenticated(reason, fault string) ending {
	return ending{code: signaling.CodeUnauthenticated, status: websocket.StatusPolicyViolation, reason: reason, fault: fault}
}

func endFlood() ending {
	return ending{code: signaling.CodeRateLimited, status: websocket.StatusPolicyViolation, reason: "frames keep coming over the limit", fault: refusedRate}
}

func endHeldOff() ending {
	return ending{code: signaling.CodeRateLimited, status: websocket.StatusTryAgainLater, reason: "the key is held off", fault: refusedHeldOff}
}

// sentence explains an error code to a person.
func sentence(code signaling.ErrorCode) string {
	switch code {
	case signaling.CodeBadMessage:
		return "The message breaks the protocol."
	case signaling.CodeUnauthenticated:
		return "Register with a valid proof first."
	case signaling.CodeUnreachable:
		return "The other side is not connected."
	case signaling.CodeRateLimited:
		return "Too many messages. Wait a moment."
	case signaling.CodeTooLarge:
		return "The message is larger than 100 KiB."
	case signaling.CodeServerBusy:
		return "The server or the receiver is busy. Try again."
	case signaling.CodeDisplaced:
		return "The same key registered from another connection."
	case signaling.CodeForbidden:
		return "This server's operator has not enrolled this peer for its relay."
	case signaling.CodeUnsupported:
		return "This server has no relay."
	}
	return ""
}
