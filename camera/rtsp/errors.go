package rtsp

import "time"

// Reason is why a camera cannot be watched.
type Reason string

// The reasons.
const (
	Unreachable   Reason = "unreachable"    // no answer to a connection attempt
	Refused       Reason = "refused"        // nothing listens on the port
	WrongPassword Reason = "wrong_password" // user name or password missing or wrong
	Forbidden     Reason = "forbidden"      // the user may not watch
	NotFound      Reason = "not_found"      // no stream of that path
	NoVideo       Reason = "no_video"       // nothing that can be carried
	TLSFailed     Reason = "tls"            // no trust, or no TLS
	Timeout       Reason = "timeout"        // connected, but no answer
	Garbage       Reason = "garbage"        // something that is not RTSP
	Busy          Reason = "busy"           // too many clients
	NoMedia       Reason = "no_media"       // neither transport brought media
	Ended         Reason = "ended"          // the camera ended the connection
)

// Error is why a connection to a camera failed or ended. Its text is a
// sentence for a person that says what to do next, and never holds a password.
type Error struct {
	Reason Reason
	text   string
}

// Error implements error.
func (e *Error) Error() string { return e.text }

// Public says what those may know who may watch and no more: no address, no path and
// nothing that the camera said. Whoever looks after the camera is told the rest.
func (e *Error) Public() string {
	switch e.Reason {
	case Unreachable, Refused, Timeout:
		return "the camera does not answer"
	case WrongPassword, Forbidden:
		return "the camera does not let this device in"
	case NotFound, NoVideo:
		return "the camera has no picture under the address that it was given"
	case TLSFailed:
		return "the camera cannot be reached securely"
	case Garbage:
		return "what the camera sends cannot be understood"
	case Busy:
		return "the camera is busy"
	case NoMedia:
		return "the camera answers but sends no picture"
	case Ended:
	}
	return "the camera ended the connection"
}

// RetryAfter returns how long to wait at least before the next attempt; 0 for
// most errors. Cameras lock out whoever keeps on trying a wrong password,
// often after five to seven attempts in half an hour, and a sub rendition is
// another attempt.
func (e *Error) RetryAfter() time.Duration {
	if e.Reason == WrongPassword {
		return 10 * time.Minute
	}
	return 0
}

// transportError means that another transport may work.
type transportError struct{ text string }

func (e *transportError) Error() string { return e.text }
