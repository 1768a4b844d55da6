package agent

import (
	"errors"
	"net/http"

	"github.com/sightline-cam/sightline/internal/identity"
)

// errNotListed says that a viewer is not on the allow-list.
var errNotListed = errors.New("not on the list of allowed viewers")

// access decides who may watch. It is the one place where that is decided,
// whichever way a request came. Constant.
type access struct {
	open bool
	list *AllowList
}

// allow returns nil if the peer may watch. peer is empty for somebody who did
// not prove an identity. A list that cannot be read allows nobody.
func (a *access) allow(peer identity.PeerID) error {
	if a.open {
		return nil
	}
	if _, ok := a.list.Listed(peer); !ok {
		return errNotListed
	}
	return nil
}

// authorize is allow for a request to the API.
func (a *access) authorize(peer identity.PeerID) *apiError {
	switch {
	case a.allow(peer) == nil:
		return nil
	case peer == "":
		return fail(http.StatusUnauthorized, "unauthorized",
			"This address cannot tell who you are. Open the camera by its link, which proves your device's key.")
	}
	return fail(http.StatusForbidden, "forbidden",
		"This device is not on the camera's list of allowed viewers. Ask the owner to add its id.")
}

// revoked returns a test for viewers that may no longer watch; ok is false when
// the list says nothing for certain.
func (a *access) revoked() (gone func(identity.PeerID) bool, ok bool) {
	if a.open || !a.list.settled() {
		return nil, false
	}
	return func(p identity.PeerID) bool { return a.allow(p) != nil }, true
}
