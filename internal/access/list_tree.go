package access

import "github.com/sightline-cam/sightline/internal/identity"

// view is what follows from the lists that are known.
type view struct {
	list     *List // in force
	owners   []Owner
	carried  []Revocation
	removed  []identity.PeerID
	conflict bool
}

type tree struct{ base *List }

func newTree(base *List, _ []*List) *tree { return &tree{base} }
func (t *tree) look() view              { return view{list: t.base, owners: t.base.Owners} }

type outcome int

const (
	counts outcome = iota
	misshaped
	voted
	old
)

func (s ListState) with(l *List) (ListState, outcome) { return s.startFrom(l), counts }
