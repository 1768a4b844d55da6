package trust

import (
	"slices"

	"github.com/sightline-cam/sightline/internal/access"
)

// Places returns the other publishers of the home at which a principal may do
// anything, as the list in force names them: a guest of the whole home has no
// list, and would not know where else its grant is good. Never nil.
func (t *Trust) Places(p *Principal) []access.Publisher {
	places := []access.Publisher{}
	s := t.state.Load()
	if s.lists == nil || s.lists.List() == nil || p.Role != RoleOwner && p.Role != RoleGuest {
		return places
	}
	for _, other := range s.lists.List().Publishers {
		has := func(scope access.Scope) bool {
			return slices.ContainsFunc(scope.Rights, func(r access.Right) bool { return scope.Allows(r, other.ID, "") })
		}
		if other.ID != t.id && slices.ContainsFunc(p.scopes, has) {
			places = append(places, other)
		}
	}
	return places
}
