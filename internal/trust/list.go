package trust

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/sightline-cam/sightline/internal/access"
)

// errUnowned refuses a list where nobody can have signed one.
var errUnowned = errors.New("this device has no owner yet; pair with it first")

// PutList takes in an access list that an owner brings, whichever owner signed it.
// What it takes away is over before PutList returns. Errors: ErrRight if p is no
// owner, those of access.ListState.Accept, and ErrNotKept.
func (t *Trust) PutList(p *Principal, compact string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.state.Load()
	if err := need(p.Owner() && s.isOwner(p.Peer)); err != nil {
		return err
	}
	if s.lists == nil {
		return errUnowned
	}
	lists, err := s.lists.Accept(compact)
	if err != nil {
		return err
	}
	if same, err := equalLists(*s.lists, lists); err != nil || same && !t.unsaved {
		return err
	}
	t.learnTime(latestList(&lists))
	next := s.next()
	next.lists = &lists
	next.pending = next.unsettled(s)
	t.put(next)
	err = t.writeOwners(next)
	if len(next.pending) != len(s.pending) {
		err = errors.Join(err, t.store.saveClaims(next))
	}
	return t.notKept(err)
}

// equalLists reports whether two states of the lists are the same.
func equalLists(a, b access.ListState) (bool, error) {
	before, err := json.Marshal(a)
	if err != nil {
		return false, fmt.Errorf("compare access lists: %w", err)
	}
	after, err := json.Marshal(b)
	if err != nil {
		return false, fmt.Errorf("compare access lists: %w", err)
	}
	return bytes.Equal(before, after), nil
}

// unsettled returns the pending owners about whom the list in force says nothing:
// it was there before, or was signed before they came. All others are in it, or
// its signer has left them out.
func (s *state) unsettled(before *state) []pendingOwner {
	list, last := s.lists.List(), before.lists.List()
	another := list != nil && (last == nil || list.Hash() != last.Hash())
	return slices.DeleteFunc(slices.Clone(s.pending), func(p pendingOwner) bool {
		switch {
		case s.lists.IsOwner(p.ID), !s.mayMakeOwners(p.invite.Issuer):
			return true
		case s.revoked(access.RevokedPeer, string(p.ID)), s.revoked(access.RevokedGrant, p.invite.ID):
			return true
		}
		return another && list.Time >= p.Since
	})
}
