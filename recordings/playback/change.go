package playback

import "github.com/sightline-cam/sightline/internal/trust"

// Change is something that somebody did, for the access log.
type Change struct {
	Kind ChangeKind
	By   *trust.Principal
	// What is a few words with the camera's id.
	What string
	// From is where the request came from.
	From string
}

// ChangeKind is what was done.
type ChangeKind string

// The kinds of changes.
const (
	ChangePause    ChangeKind = "pause"
	ChangeResume   ChangeKind = "resume"
	ChangeLock     ChangeKind = "lock"
	ChangeUnlock   ChangeKind = "unlock"
	ChangeHLSToken ChangeKind = "hls-token"
)
