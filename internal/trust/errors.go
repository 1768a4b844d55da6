package trust

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrNotAllowed means that nothing lets this peer in.
	ErrNotAllowed = errors.New("you have no access to this device; ask its owner for an invite")
	// ErrRight means that the peer may do other things.
	ErrRight = errors.New("your access does not include this; ask the owner for more")
	// ErrOwned is wrapped when pairing is asked for and there is an owner.
	ErrOwned = errors.New("this device has an owner")
	// ErrWrongProof means that the claim was made without the secret.
	ErrWrongProof = errors.New("the secret is not the right one; copy the whole link, or ask for a new one")
	// ErrUsed means that somebody has used the secret already.
	ErrUsed = errors.New("this link was used already; ask for a new one")
	// ErrExpiredClaim means that nobody waits for such a secret, or not any more.
	ErrExpiredClaim = errors.New("this link is not good any more; ask for a new one")
	// ErrInvite is wrapped when an invite cannot be taken.
	ErrInvite = errors.New("this invite cannot be used here")
	// ErrTooMany is wrapped when there is no place left for what was asked.
	ErrTooMany = errors.New("too many")
	// ErrUnknown is wrapped when there is nothing by that name.
	ErrUnknown = errors.New("there is nobody and nothing by that name")
	// ErrAmbiguous is wrapped when a name means several peers.
	ErrAmbiguous = errors.New("several have this name")
	// ErrNotKept is wrapped when something is in force and could not be written
	// down: it will be forgotten when the publisher restarts.
	ErrNotKept = errors.New("it is in force, but could not be written down and will be forgotten when the device restarts")
	// ErrDamaged is wrapped by Open when the file with owners and revocations
	// cannot be read.
	ErrDamaged = errors.New("the record of who may do what is damaged")
	// ErrMode is wrapped by Open when others may read or change the files.
	ErrMode = errors.New("the record of who may do what is not private")
)

// LockedError refuses a claim because of too many wrong ones.
type LockedError struct {
	// RetryAfter is how long nobody may try, more than 0.
	RetryAfter time.Duration
}

// Error says how long to wait, in whole seconds.
func (e *LockedError) Error() string {
	return fmt.Sprintf("too many wrong tries; wait %d seconds, or start pairing again on the device", e.Seconds())
}

// Seconds is RetryAfter in whole seconds, rounded up.
func (e *LockedError) Seconds() int64 { return int64((e.RetryAfter + time.Second - 1) / time.Second) }
