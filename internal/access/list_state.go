package access

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/strictjson"
)

var (
	// ErrListSigner means that a list is by somebody who is no owner.
	ErrListSigner = errors.New("the access list is not signed by an owner of this device")
	// ErrListVersion means that a list is older than what is known, and has
	// nothing new.
	ErrListVersion = errors.New("a newer access list is in force; fetch it and make the change there")
	// ErrOtherHome means that a list is another home's.
	ErrOtherHome = errors.New("the access list is another home's; reset the device to move it")
	// ErrUnsettled means that too many lists disagree.
	ErrUnsettled = errors.New("too many access lists disagree; an owner must sign one that has what all of them took away")
)

const (
	// keptVersions is how many lists before the one in force are remembered, so
	// that one that was made of any of them is judged by what it was made of.
	keptVersions = 8
	// disputeTime is how long an owner who was removed by a less senior one can
	// answer, however many lists were signed since.
	disputeTime = 30 * 24 * time.Hour
	// maxLists bounds the lists remembered besides the base.
	maxLists = 31
	// maxSettled bounds the hashes of lists that are known and over.
	maxSettled = 64
	// maxJump is how far a list's version may be ahead of what is known: an
	// owner who signs the last possible version must not lock the others out.
	maxJump = 1000
)

// ListState is what one publisher knows of its home's access lists: a value,
// which is not changed by its methods. What is in force depends on which lists
// have been accepted, not on their order. See the package comment for the rules.
type ListState struct {
	root    identity.PeerID
	base    *List    // nil: no list yet
	lists   []*List  // after base, or beside it
	settled []string // hashes
	view    view
}

// NewListState is the state of a publisher that was paired with root and has no
// access list yet: root is the one owner.
func NewListState(root identity.PeerID) ListState {
	return ListState{root: root, view: view{owners: []Owner{{ID: root}}}}
}

// List returns the list in force, or nil. It must not be changed.
func (s ListState) List() *List { return s.view.list }

// Home returns the home's id, "" without a list.
func (s ListState) Home() string {
	if s.base == nil {
		return ""
	}
	return s.base.Home
}

// Owners returns the owners in force, in order of seniority; never none. They are
// those of the list in force without those whom a list beside it took away.
func (s ListState) Owners() []Owner { return slices.Clone(s.view.owners) }

// IsOwner reports whether a peer is an owner now.
func (s ListState) IsOwner(peer identity.PeerID) bool {
	return slices.ContainsFunc(s.view.owners, func(o Owner) bool { return o.ID == peer })
}

// IsPublisher reports whether the list in force has a publisher.
func (s ListState) IsPublisher(peer identity.PeerID) bool {
	return s.view.list != nil && s.view.list.HasPublisher(peer)
}

// MayDispute reports whether a peer that is no owner now was removed by somebody
// less senior, in a list that is still remembered: a list by it that removes the
// other in turn will be accepted, if it is made of one of Remembered from before.
// A publisher lets it fetch and offer lists, and do nothing else.
func (s ListState) MayDispute(peer identity.PeerID) bool {
	return !s.IsOwner(peer) && slices.Contains(s.view.disputers, peer)
}

// Remembered returns the lists that are remembered, the oldest first, at most 32.
// What is in force follows from them, so whoever missed some learns them all. They
// must not be changed.
func (s ListState) Remembered() []*List {
	if s.base == nil {
		return nil
	}
	all := append([]*List{s.base}, s.lists...)
	slices.SortFunc(all, func(a, b *List) int {
		return cmp.Or(cmp.Compare(a.Version, b.Version), strings.Compare(a.hash, b.hash))
	})
	return all
}

// Revocations returns everything revoked now: the list's, then Carried.
func (s ListState) Revocations() []Revocation {
	if s.view.list == nil {
		return nil
	}
	return append(slices.Clone(s.view.list.Revoked), s.view.carried...)
}

// Carried returns what lists beside the one in force revoke and it does not, or
// for a shorter time. It stays revoked until an owner signs a later list that
// has it.
func (s ListState) Carried() []Revocation { return slices.Clone(s.view.carried) }

// RemovedOwners returns the owners of the list in force whom a list beside it
// took away. They are owners no more.
func (s ListState) RemovedOwners() []identity.PeerID { return slices.Clone(s.view.removed) }

// Revoked reports whether a grant, an invite or a peer is revoked now. An owner
// never is.
func (s ListState) Revoked(kind, id string) bool {
	if kind == RevokedPeer && s.IsOwner(identity.PeerID(id)) {
		return false
	}
	return s.view.list != nil && s.view.list.revokes(kind, id) ||
		slices.ContainsFunc(s.view.carried, func(r Revocation) bool { return r.Kind == kind && r.ID == id })
}

// Others returns the lists that make the conflict, beside the one in force. They
// must not be changed.
func (s ListState) Others() []*List {
	others := make([]*List, 0, len(s.view.open))
	for _, n := range s.view.open {
		others = append(others, n.List)
	}
	return others
}

// Conflict reports whether owners have signed lists that do not know of each
// other. The next list made of Draft ends it.
func (s ListState) Conflict() bool { return s.view.conflict }

// Authority returns what a publisher of this home judges tokens by.
func (s ListState) Authority(publisher identity.PeerID) Authority {
	return Authority{Publisher: publisher, Home: s.Home(), Owner: s.IsOwner, Member: s.IsPublisher, Revoked: s.Revoked}
}

// Draft returns the next list to sign, with everything in force and everything
// carried; change it, then SignList it. Without a list it is version 1 of a new
// home. Revocations that have run out by now are left out.
func (s ListState) Draft(now time.Time) List {
	next := List{Type: listMessage, Version: 1, Time: now.Unix(), Owners: s.Owners(), Publishers: []Publisher{}, Revoked: []Revocation{}}
	if s.view.list == nil {
		next.Home = NewToken()
		return next
	}
	next.Home, next.Previous, next.Version = s.view.list.Home, s.view.list.hash, s.view.list.Version+1
	next.Publishers = append(next.Publishers, s.view.list.Publishers...)
	all := taken{}
	for _, r := range s.Revocations() {
		over := r.Expires != 0 && r.Expires < next.Time
		if !over && !s.IsOwner(identity.PeerID(r.ID)) {
			all.add(r)
		}
	}
	next.Revoked = append(next.Revoked, all.sorted()...)
	return next
}

// Accept takes a list in. It returns the state after it, or an error: ErrToken
// (malformed), ErrOtherHome, ErrListSigner, ErrListVersion or ErrUnsettled. After
// an error nothing else is in force than before, and the state is to be kept all
// the same: after ErrListVersion it may remember the list for what is made of it.
//
// No error means that the list is in force, or changed what is, or takes away what
// the one in force does not (then Conflict is true); the list in force once more is
// no error either. A list that was refused by ErrListSigner may be accepted after the one that made
// its signer an owner. It takes the list's own time for the present: whoever has a
// clock calls AcceptAt.
func (s ListState) Accept(compact string) (ListState, error) {
	l, err := ParseList(compact)
	if err != nil {
		return s, err
	}
	l.seen = l.Time
	return s.accept(l)
}

// AcceptAt is Accept at a time by the local clock, by which it ends that a removed
// owner may dispute.
func (s ListState) AcceptAt(compact string, now time.Time) (ListState, error) {
	l, err := ParseList(compact)
	if err != nil {
		return s, err
	}
	l.seen = min(max(now.Unix(), 0), maxInt)
	return s.acceptAt(l, now)
}

func (s ListState) accept(l *List) (ListState, error) { return s.acceptAt(l, time.Unix(l.Time, 0)) }

func (s ListState) acceptAt(l *List, now time.Time) (ListState, error) {
	if s.base == nil {
		if ownersDecide() && l.signer != s.root {
			return s, check.Refused(check.ListSigner, ErrListSigner)
		}
		return s.startFrom(l), nil
	}
	if l.Home != s.base.Home {
		return s, check.Refused(check.Audience, ErrOtherHome)
	}
	if l.hash == s.view.list.hash {
		return s, nil
	}
	next, outcome := s.with(l, now)
	switch {
	case outcome == misshaped:
		return s, check.Refused(check.Form, fmt.Errorf("%w: it does not follow from the list before", ErrToken))
	case outcome == unheard:
		return s, check.Refused(check.ListSigner, ErrListSigner)
	case len(next.lists) > maxLists:
		return s, check.Refused(check.Form, ErrUnsettled)
	case outcome == old && !check.Off(check.ListVersion):
		return next, check.Refused(check.ListVersion, ErrListVersion)
	case outcome == old:
		return s.startFrom(l), nil
	}
	return next, nil
}

// ownersDecide is off only where the attack tests let strangers sign lists.
func ownersDecide() bool { return !check.Off(check.ListSigner) }

// startFrom makes the state in which l alone is known.
func (s ListState) startFrom(l *List) ListState {
	next := ListState{root: s.root, base: l}
	if l.Previous != "" {
		next.settled = []string{l.Previous}
	}
	next.view = newTree(l, nil).look()
	return next
}

// stored is the JSON of a ListState.
type stored struct {
	Root    identity.PeerID `json:"root"`
	Base    string          `json:"base"`
	Lists   []string        `json:"lists"`
	Settled []string        `json:"settled"`
	// Seen and Bridges have an element for each of Lists.
	Seen    []int64  `json:"seen"`
	Bridges []string `json:"bridges"`
}

// MarshalJSON writes the state for UnmarshalJSON, which believes it: keep it
// where nobody else can write.
func (s ListState) MarshalJSON() ([]byte, error) {
	out := stored{Root: s.root, Lists: []string{}, Settled: orEmpty(s.settled), Seen: []int64{}, Bridges: []string{}}
	if s.base != nil {
		out.Base = s.base.compact
	}
	for _, l := range s.lists {
		out.Lists = append(out.Lists, l.compact)
		out.Seen, out.Bridges = append(out.Seen, l.seen), append(out.Bridges, l.bridge)
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *ListState) UnmarshalJSON(data []byte) error {
	var in stored
	if err := strictjson.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("read the state of the access lists: %w", err)
	}
	if err := in.Root.Validate(); err != nil {
		return fmt.Errorf("read the state of the access lists: %w", err)
	}
	*s = NewListState(in.Root)
	if in.Base == "" {
		return nil
	}
	base, err := ParseList(in.Base)
	if err != nil {
		return fmt.Errorf("read the state of the access lists: %w", err)
	}
	if len(in.Seen) != len(in.Lists) || len(in.Bridges) != len(in.Lists) {
		return errors.New("read the state of the access lists: not every list says when it came")
	}
	s.base, s.settled = base, in.Settled
	for i, compact := range in.Lists {
		l, err := ParseList(compact)
		if err != nil {
			return fmt.Errorf("read the state of the access lists: %w", err)
		}
		l.seen, l.bridge = in.Seen[i], in.Bridges[i]
		s.lists = append(s.lists, l)
	}
	s.view = newTree(s.base, s.lists).look()
	return nil
}
