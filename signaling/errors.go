package signaling

import "errors"

// Errors that callers tell apart. Each is wrapped with what was wrong.
var (
	// ErrMessage: a message or frame that breaks the format or a limit.
	ErrMessage = errors.New("bad signaling message")
	// ErrSender: the claimed sender is not the one who signed.
	ErrSender = errors.New("message is not signed by its sender")
	// ErrNotForMe: the message is meant for somebody else, or is one's own
	// message reflected.
	ErrNotForMe = errors.New("message is not for this peer")
	// ErrForbidden: the sender may not open a session here.
	ErrForbidden = errors.New("sender is not allowed")
	// ErrExpired: by the publisher's clock, an offer from too long ago or from
	// the future.
	ErrExpired = errors.New("offer has expired")
	// ErrReplayed: an offer that was seen before, or may have been.
	ErrReplayed = errors.New("offer was replayed")
	// ErrUnexpected: a genuine message that does not belong here: another
	// session, another handshake, the wrong state, an old sequence number.
	ErrUnexpected = errors.New("message does not belong to this session")
)
