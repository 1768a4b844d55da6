package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

const (
	// MaxCameras is how many entries the cameras of a scope may have.
	MaxCameras = 64
	// AnyCamera stands for every camera of every publisher of the home, those
	// that come later included.
	AnyCamera = "*"

	maxCameraID = 64 // bytes, as in signaling
)

// Scope is what somebody may do, where, and until when.
type Scope struct {
	// Rights are 1 to 6 different rights.
	Rights []Right
	// Cameras are 1 to MaxCameras different entries: AnyCamera, all cameras of
	// one publisher ("<PeerID>/*"), or one camera ("<PeerID>/<camera id>").
	Cameras []string
	// Pass allows the holder to pass on what the scope gives, or less.
	Pass bool
	// Expires is when it ends, in seconds since 1970 UTC; 0 means when revoked.
	Expires int64
}

// CamerasOf returns the entry for all cameras of one publisher.
func CamerasOf(publisher identity.PeerID) string { return string(publisher) + "/*" }

// CameraOf returns the entry for one camera of a publisher.
func CameraOf(publisher identity.PeerID, camera string) string {
	return string(publisher) + "/" + camera
}

// Validate reports whether the scope is well-formed. The error wraps ErrToken.
func (s Scope) Validate() error {
	if len(s.Rights) == 0 {
		return fmt.Errorf("%w: it gives no right", ErrToken)
	}
	for i, r := range s.Rights {
		if !slices.Contains(AllRights(), r) || slices.Contains(s.Rights[:i], r) {
			return fmt.Errorf("%w: an unknown or repeated right", ErrToken)
		}
	}
	if len(s.Cameras) == 0 || len(s.Cameras) > MaxCameras {
		return fmt.Errorf("%w: it names %d cameras, and 1 to %d may be named", ErrToken, len(s.Cameras), MaxCameras)
	}
	for i, c := range s.Cameras {
		if err := validateCameras(c); err != nil {
			return err
		}
		if slices.Contains(s.Cameras[:i], c) {
			return fmt.Errorf("%w: it names a camera twice", ErrToken)
		}
	}
	return validateTime("exp", s.Expires, 0)
}

func validateCameras(entry string) error {
	if entry == AnyCamera {
		return nil
	}
	publisher, camera, ok := strings.Cut(entry, "/")
	if !ok || identity.PeerID(publisher).Validate() != nil {
		return fmt.Errorf("%w: a camera is *, or a publisher's peer id followed by /* or / and a camera id", ErrToken)
	}
	if camera == "*" {
		return nil
	}
	const inside = "abcdefghijklmnopqrstuvwxyz0123456789-_"
	if camera == "" || len(camera) > maxCameraID || strings.Trim(camera, inside) != "" || strings.ContainsRune("-_", rune(camera[0])) {
		return fmt.Errorf("%w: a camera id has 1 to %d characters of a-z, 0-9, - and _, the first of them a letter or digit", ErrToken, maxCameraID)
	}
	return nil
}

// Within reports whether s gives no more than parent does: no other right, no
// other camera, no later end, and no passing on where parent has none. The
// error wraps ErrScope and names check.Narrowing.
func (s Scope) Within(parent Scope) error {
	wider := func(what string) error {
		return check.Refused(check.Narrowing, fmt.Errorf("%w: %s", ErrScope, what))
	}
	for _, r := range s.Rights {
		if !slices.Contains(parent.Rights, r) {
			return wider("the right " + string(r) + " is not there to be passed on")
		}
	}
	for _, c := range s.Cameras {
		if !parent.covers(c) {
			return wider("a camera is not there to be passed on")
		}
	}
	if parent.Expires != 0 && (s.Expires == 0 || s.Expires > parent.Expires) {
		return wider("it would last longer")
	}
	if s.Pass && !parent.Pass {
		return wider("it may not be passed on")
	}
	return nil
}

// covers reports whether the scope has all cameras of an entry.
func (s Scope) covers(entry string) bool {
	publisher, _, _ := strings.Cut(entry, "/")
	return slices.ContainsFunc(s.Cameras, func(c string) bool {
		return c == AnyCamera || c == entry || entry != AnyCamera && c == publisher+"/*"
	})
}

// Allows reports whether the scope gives a right on a camera of a publisher.
// With camera "" it reports whether it gives the right on any camera of that
// publisher. It does not look at Expires.
func (s Scope) Allows(r Right, publisher identity.PeerID, camera string) bool {
	if !slices.Contains(s.Rights, r) {
		return false
	}
	if camera != "" {
		return s.covers(CameraOf(publisher, camera))
	}
	return slices.ContainsFunc(s.Cameras, func(c string) bool {
		return c == AnyCamera || strings.HasPrefix(c, string(publisher)+"/")
	})
}
