package access

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

// Limits of an access list.
const (
	// MaxList is the longest access list, in bytes.
	MaxList       = identity.MaxJWS
	MaxOwners     = 16
	MaxPublishers = 64
	MaxRevoked    = 400

	maxSignal = 256 // bytes of a signaling URL
	maxPort   = 65535
)

// signalForm is what the address of a signaling server looks like, maxPort aside.
// Every reader has this grammar and no parser of URLs: of those, each refuses
// something else, and an owner whose program refuses the list is shut out.
var signalForm = regexp.MustCompile(`^wss?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::([1-9][0-9]{0,4}))?/?$`)

// Kinds of publishers and of revocations.
const (
	KindAgent    = "agent"
	KindRecorder = "recorder"

	// RevokedGrant takes back a grant or an invite by its jti, and everything
	// that was made of it.
	RevokedGrant = "grant"
	// RevokedPeer takes back everything that a peer holds or has issued.
	RevokedPeer = "peer"

	listMessage = "access"
)

// List is an access list: who the owners of a home are, which publishers it has,
// and what was revoked. Its JSON is the payload, and all that may be in it.
type List struct {
	// Type is "access"; SignList sets it.
	Type string `json:"type"`
	// Home is the home's id, a token of TokenSize bytes, chosen with the first
	// version and never changed.
	Home string `json:"home"`
	// Version is 1 for the first list, and one more than the previous.
	Version int64 `json:"version"`
	// Previous is the Hash of the list that this one follows; "" in version 1
	// only.
	Previous string `json:"previous"`
	// Time is when it was signed, in seconds since 1970 by the signer's clock.
	Time int64 `json:"time"`
	// Owners are 1 to MaxOwners, in order of seniority: those who stay keep
	// their order, new ones come last.
	Owners []Owner `json:"owners"`
	// Publishers are at most MaxPublishers.
	Publishers []Publisher `json:"publishers"`
	// Revoked are at most MaxRevoked, none of them an owner.
	Revoked []Revocation `json:"revoked"`

	// of a parsed list
	compact string
	hash    string
	signer  identity.PeerID
	seen    int64             // when it came here, in Unix seconds
	bridge  string            // the hash of the list that stands for previous, if that was dropped
	revoked map[revoked]int64 // Revocation.Expires
}

// revoked is what a revocation takes back.
type revoked struct{ kind, id string }

// Owner is one device of somebody who may do everything.
type Owner struct {
	ID identity.PeerID `json:"id"`
	// Name is the person's, Device the device's: at most MaxName code points.
	Name   string `json:"name"`
	Device string `json:"device"`
}

// Publisher is one agent or recorder of a home.
type Publisher struct {
	ID   identity.PeerID `json:"id"`
	Name string          `json:"name"`
	// Kind is KindAgent or KindRecorder.
	Kind string `json:"kind"`
	// Signal is the signaling server that reaches it, or "": ws:// or wss://, a
	// host in lower case, and if need be a port. No path: that is always the same.
	Signal string `json:"signal"`
}

// Revocation takes something back.
type Revocation struct {
	// Kind is RevokedGrant or RevokedPeer.
	Kind string `json:"kind"`
	// ID is a jti or a PeerID.
	ID string `json:"id"`
	// Expires is when what was revoked would have ended by itself, in seconds
	// since 1970; later lists may leave it out then. 0 means never.
	Expires int64 `json:"exp"`
	// Time is when it was revoked, in seconds since 1970.
	Time int64 `json:"time"`
}

// SignList signs an access list. Type, and nil slices, are filled in.
func SignList(id *identity.Identity, l List) (string, error) {
	l.Type = listMessage
	l.Owners = orEmpty(l.Owners)
	l.Publishers = orEmpty(l.Publishers)
	l.Revoked = orEmpty(l.Revoked)
	if err := l.validate(); err != nil {
		return "", err
	}
	return sign(id, ListType, MaxList, l)
}

func orEmpty[T any](s []T) []T { return append([]T{}, s...) }

// ParseList reads an access list: the signature and the form. Whether it counts
// is said by ListState.Accept. Errors wrap ErrToken.
func ParseList(compact string) (*List, error) {
	var l List
	from, err := open(ListType, compact, MaxList, &l)
	if err != nil {
		return nil, err
	}
	if err := l.validate(); err != nil {
		return nil, check.Refused(check.Form, err)
	}
	l.compact, l.hash, l.signer = compact, hashOfList(compact), from
	l.index()
	return &l, nil
}

// index prepares looking up what the list revokes.
func (l *List) index() {
	l.revoked = make(map[revoked]int64, len(l.Revoked))
	for _, r := range l.Revoked {
		l.revoked[revoked{r.Kind, r.ID}] = r.Expires
	}
}

// revokes reports whether the list takes back something, for however long.
func (l *List) revokes(kind, id string) bool {
	_, ok := l.revoked[revoked{kind, id}]
	return ok
}

// knows reports whether the list revokes what r does, for as long, or was signed
// when that was over.
func (l *List) knows(r Revocation) bool {
	expires, ok := l.revoked[revoked{r.Kind, r.ID}]
	return ok && lasts(expires, r.Expires) || r.Expires != 0 && l.Time > r.Expires
}

// lasts reports whether an end, of which 0 is none, is not before another.
func lasts(end, other int64) bool { return end == 0 || other != 0 && end >= other }

// Compact returns the text that the list was parsed from.
func (l *List) Compact() string { return l.compact }

// Hash returns the token of the SHA-256 of what was signed: Compact without the
// last dot and the signature. Of an ES256 signature anybody can make another one
// that is as good, which must not make another list.
func (l *List) Hash() string { return l.hash }

// Signer returns who signed the list.
func (l *List) Signer() identity.PeerID { return l.signer }

// hashOfList is the Hash of a compact list.
func hashOfList(compact string) string {
	signed := compact
	if end := strings.LastIndexByte(compact, '.'); end >= 0 {
		signed = compact[:end]
	}
	return HashOf(signed)
}

// HasOwner reports whether a peer is among the list's owners.
func (l *List) HasOwner(peer identity.PeerID) bool {
	return slices.ContainsFunc(l.Owners, func(o Owner) bool { return o.ID == peer })
}

// HasPublisher reports whether a peer is among the list's publishers.
func (l *List) HasPublisher(peer identity.PeerID) bool {
	return slices.ContainsFunc(l.Publishers, func(p Publisher) bool { return p.ID == peer })
}

func (l *List) validate() error {
	if l.Type != listMessage {
		return fmt.Errorf("%w: the type is not %q", ErrToken, listMessage)
	}
	if err := ValidateToken(l.Home, TokenSize); err != nil {
		return err
	}
	if l.Version < 1 || l.Version > maxInt {
		return fmt.Errorf("%w: the version is no number of 1 and more", ErrToken)
	}
	if (l.Version == 1) != (l.Previous == "") || l.Previous != "" && ValidateToken(l.Previous, HashSize) != nil {
		return fmt.Errorf("%w: previous is the hash of the list before, and empty in version 1 only", ErrToken)
	}
	if err := validateTime("time", l.Time, 0); err != nil {
		return err
	}
	if len(l.Owners) < 1 || len(l.Owners) > MaxOwners || len(l.Publishers) > MaxPublishers || len(l.Revoked) > MaxRevoked {
		return fmt.Errorf("%w: 1 to %d owners, up to %d devices and %d revocations fit into a list",
			ErrToken, MaxOwners, MaxPublishers, MaxRevoked)
	}
	return l.validateEntries()
}

func (l *List) validateEntries() error {
	seen := map[string]bool{} // kind and id
	twice := func(kind, id string) bool {
		was := seen[kind+id]
		seen[kind+id] = true
		return was
	}
	for _, o := range l.Owners {
		if o.ID.Validate() != nil || twice("owner ", string(o.ID)) {
			return fmt.Errorf("%w: an owner's id is wrong or repeated", ErrToken)
		}
		if err := validateName("name", o.Name); err != nil {
			return err
		}
		if err := validateName("device", o.Device); err != nil {
			return err
		}
	}
	for _, p := range l.Publishers {
		if p.ID.Validate() != nil || twice("publisher ", string(p.ID)) {
			return fmt.Errorf("%w: a publisher's id is wrong or repeated", ErrToken)
		}
		if err := p.validate(); err != nil {
			return err
		}
	}
	for _, r := range l.Revoked {
		if twice(r.Kind, r.ID) || seen["owner "+r.ID] {
			return fmt.Errorf("%w: a revocation is repeated, or takes back an owner", ErrToken)
		}
		if err := r.validate(); err != nil {
			return err
		}
	}
	return nil
}

func (p Publisher) validate() error {
	if err := validateName("name", p.Name); err != nil {
		return err
	}
	if p.Kind != KindAgent && p.Kind != KindRecorder {
		return fmt.Errorf("%w: a publisher is an agent or a recorder", ErrToken)
	}
	if !isSignal(p.Signal) {
		return fmt.Errorf("%w: signal is no wss:// address", ErrToken)
	}
	return nil
}

// isSignal reports whether s is the address of a signaling server, or "".
func isSignal(s string) bool {
	if s == "" {
		return true
	}
	parts := signalForm.FindStringSubmatch(s)
	if len(s) > maxSignal || parts == nil {
		return false
	}
	port, err := strconv.Atoi(parts[1])
	return parts[1] == "" || err == nil && port <= maxPort
}

func (r Revocation) validate() error {
	if r.Kind != RevokedGrant && r.Kind != RevokedPeer {
		return fmt.Errorf("%w: a revocation is of a grant or of a peer", ErrToken)
	}
	if r.Kind == RevokedGrant && ValidateToken(r.ID, TokenSize) != nil ||
		r.Kind == RevokedPeer && identity.PeerID(r.ID).Validate() != nil {
		return fmt.Errorf("%w: a revocation's id is wrong", ErrToken)
	}
	if err := validateTime("exp", r.Expires, 0); err != nil {
		return err
	}
	return validateTime("time", r.Time, 0)
}
