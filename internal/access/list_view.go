package access

import (
	"cmp"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/sightline-cam/sightline/internal/identity"
)

// view is what follows from the lists that are known.
type view struct {
	list     *List // in force; nil without any
	owners   []Owner
	carried  []Revocation
	removed  []identity.PeerID
	conflict bool
	open     []*node // the lists that make the conflict
	// disputers are those whom somebody less senior removed, owners or not.
	disputers []identity.PeerID
}

// equal reports whether two views say the same.
func (v view) equal(o view) bool {
	return (v.list == nil) == (o.list == nil) && (v.list == nil || v.list.hash == o.list.hash) && v.conflict == o.conflict && slices.Equal(v.owners, o.owners) &&
		slices.Equal(v.carried, o.carried) && slices.Equal(v.removed, o.removed)
}

// taking is what a list takes away and the one in force may not know of.
type taking struct {
	from    *node
	revoked []Revocation
	removed []identity.PeerID
}

// look says what is in force.
func (t *tree) look() view {
	front := t.front()
	path := front.path()
	v := t.merge(path, nil)
	if len(v.owners) == 0 {
		// Owners who all took each other away, or left at the same time: the
		// list in force alone says who they are.
		v = t.merge(path, front.Owners)
	}
	for _, n := range t.nodes {
		v.disputers = append(v.disputers, t.contested(n)...)
	}
	return v
}

// merge says what is in force, nothing being taken from the owners in kept.
func (t *tree) merge(path []*node, kept []Owner) view {
	front := path[len(path)-1]
	v := view{list: front.List}
	carried := taken{}
	for _, n := range t.nodes {
		if n == front || t.builtUpon(n) {
			continue
		}
		own := takingOf(n, path, kept)
		if slices.ContainsFunc(path, own.knownTo) {
			continue
		}
		v.conflict = true
		v.open = append(v.open, n)
		for _, r := range own.revoked {
			if !front.knows(r) {
				carried.add(r)
			}
		}
		for _, q := range own.removed {
			if front.HasOwner(q) && !slices.Contains(v.removed, q) {
				v.removed = append(v.removed, q)
			}
		}
	}
	for _, o := range front.Owners {
		if _, revoked := carried[revoked{RevokedPeer, string(o.ID)}]; !revoked && !slices.Contains(v.removed, o.ID) {
			v.owners = append(v.owners, o)
		}
	}
	v.carried = carried.sorted()
	slices.Sort(v.removed)
	return v
}

// builtUpon reports whether a list that counts was made of n itself, so that its
// signer knew n.
func (t *tree) builtUpon(n *node) bool {
	return slices.ContainsFunc(t.nodes, func(c *node) bool { return c.parent == n && !c.gap })
}

func takingOf(n *node, path []*node, kept []Owner) taking {
	own := taking{from: n}
	isKept := func(id identity.PeerID) bool {
		return slices.ContainsFunc(kept, func(o Owner) bool { return o.ID == id })
	}
	for _, r := range n.Revoked {
		if r.Kind != RevokedPeer || !isKept(identity.PeerID(r.ID)) {
			own.revoked = append(own.revoked, r)
		}
	}
	common := n // the last list from which both were made
	for common != nil && !slices.Contains(path, common) {
		common = common.parent
	}
	if common == nil {
		return own
	}
	for _, o := range common.Owners {
		if !n.HasOwner(o.ID) && !isKept(o.ID) {
			own.removed = append(own.removed, o.ID)
		}
	}
	return own
}

// knownTo reports whether the signer of m, a younger list that was not merely
// there before, has taken away everything that t takes away.
func (t taking) knownTo(m *node) bool {
	return m.Version > t.from.Version && !t.from.from(m) &&
		!slices.ContainsFunc(t.removed, m.HasOwner) &&
		!slices.ContainsFunc(t.revoked, func(r Revocation) bool { return !m.knows(r) })
}

// taken collects revocations. Of two of the same, the one that lasts longer and
// is the more recent counts.
type taken map[revoked]Revocation

func (t taken) add(r Revocation) {
	key := revoked{r.Kind, r.ID}
	if o, ok := t[key]; ok {
		if lasts(o.Expires, r.Expires) {
			r.Expires = o.Expires
		}
		r.Time = max(r.Time, o.Time)
	}
	t[key] = r
}

func (t taken) sorted() []Revocation {
	all := slices.Collect(maps.Values(t))
	sort.Slice(all, func(i, j int) bool { // slices.SortFunc would be compiled for this type anew
		return cmp.Or(strings.Compare(all[i].Kind, all[j].Kind), strings.Compare(all[i].ID, all[j].ID)) < 0
	})
	return all
}
