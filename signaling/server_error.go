package signaling

import "fmt"

// ErrorCode says what went wrong at the server.
type ErrorCode string

// The server's errors. doc.go says when each is sent and whether the connection
// survives it.
const (
	CodeBadMessage      ErrorCode = "bad_message"
	CodeUnauthenticated ErrorCode = "unauthenticated"
	CodeUnreachable     ErrorCode = "unreachable"
	CodeRateLimited     ErrorCode = "rate_limited"
	CodeTooLarge        ErrorCode = "too_large"
	CodeServerBusy      ErrorCode = "server_busy"
	CodeDisplaced       ErrorCode = "displaced"
	CodeForbidden       ErrorCode = "forbidden"
	CodeUnsupported     ErrorCode = "unsupported"
)

// ServerError is the frame "error".
type ServerError struct {
	// Type is filled in by EncodeFrame.
	Type FrameType `json:"type"`
	// Code is for the program.
	Code ErrorCode `json:"code"`
	// Ref is the Ref of the frame it is about, or 0.
	Ref int64 `json:"ref"`
	// Message is a sentence for a person, at most MaxReason bytes.
	Message string `json:"message"`
}

// Error returns the sentence and the code.
func (f *ServerError) Error() string {
	return fmt.Sprintf("signaling server: %s (%s)", f.Message, f.Code)
}

func (f *ServerError) kind() FrameType { return FrameError }
func (f *ServerError) stamp()          { f.Type = f.kind() }

func (f *ServerError) validate() error {
	switch f.Code {
	case CodeBadMessage, CodeUnauthenticated, CodeUnreachable, CodeRateLimited,
		CodeTooLarge, CodeServerBusy, CodeDisplaced, CodeForbidden, CodeUnsupported:
	default:
		return fmt.Errorf("%w: unknown error code", ErrMessage)
	}
	if err := checkRef(f.Ref); err != nil {
		return err
	}
	return checkReason(f.Message)
}
