package signaling

import (
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
)

// Limits of the protocol. Both sides enforce them on what they send and on what
// they receive.
const (
	// MaxFrame is the longest WebSocket message, in bytes.
	MaxFrame = 100 << 10
	// MaxPayload is the longest sealed message inside a frame, in bytes. The
	// rest of MaxFrame is the envelope's.
	MaxPayload = identity.MaxSealed
	// MaxSDP is the longest session description, in bytes before JSON and
	// base64url: the largest that still fits into MaxPayload with a full list
	// of media.
	MaxSDP = 40 << 10
	// MaxGrants is the largest number of grants in an offer, MaxGrantsTotal how
	// long they may be together, in bytes.
	MaxGrants      = 4
	MaxGrantsTotal = 6 << 10
	// MaxMedia is the largest number of media sections an offer names. More
	// cameras are added over the data channel once connected.
	MaxMedia = 32
	// MaxMID is the longest media identification tag (RFC 8843 §8), in bytes.
	MaxMID = 16
	// MaxCameraID is the longest camera id, in bytes.
	MaxCameraID = 64
	// MaxCandidate is the longest ICE candidate line, in bytes.
	MaxCandidate = 1 << 10
	// MaxReason is the longest sentence for a person, in bytes.
	MaxReason = 256
	// MaxHost is the longest host of a registration, in bytes (a DNS name of
	// 253 characters and a port).
	MaxHost = 260
	// MaxInt is the largest integer in a message: what a browser's numbers hold
	// exactly.
	MaxInt = 1<<53 - 1
)

// Lifetime is how long after being signed an offer may arrive: a message's
// "exp" is the sender's time plus Lifetime.
const Lifetime = 60 * time.Second
