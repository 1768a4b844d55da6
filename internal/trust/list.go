package trust

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/identity"
)

// errUnowned refuses a list where nobody can have signed one.
var errUnowned = errors.New("this device has no owner yet; pair with it first")

// PutList takes in an access list that an owner brings, whichever owner signed it,
// or somebody who disputes having been removed. What it takes away is over before
// PutList returns. Errors: ErrRight if p is neither, those of
// access.ListState.Accept, and ErrNotKept.
func (t *Trust) PutList(p *Principal, compact string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.state.Load()
	owner := p.Owner() && s.isOwner(p.Peer)
	if err := need(owner || p.MayDispute() && s.mayDispute(p.Peer)); err != nil {
		return err
	}
	if s.lists == nil {
		return errUnowned
	}
	lists, refusal := s.lists.AcceptAt(compact, t.options.Now())
	if refusal != nil && !errors.Is(refusal, access.ErrListVersion) {
		return refusal
	}
	// An old list changes nothing, and may tell what a later one is made of.
	if same, err := equalLists(*s.lists, lists); err != nil || same && (refusal != nil || !t.unsaved) {
		return errors.Join(refusal, err)
	}
	t.learnTime(latestList(&lists))
	next := s.next()
	next.lists = &lists
	next.pending = next.unsettled(s)
	t.put(next)
	err := t.writeOwners(next)
	if len(next.pending) != len(s.pending) {
		err = errors.Join(err, t.writeClaims(next))
	}
	return errors.Join(refusal, t.notKept(err))
}

// mayDispute reports whether a peer may offer lists although it is no owner. Who
// was revoked at the console may not.
func (s *state) mayDispute(peer identity.PeerID) bool {
	return s.lists != nil && s.lists.MayDispute(peer) && !s.revokedHere(access.RevokedPeer, string(peer))
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
