package hostile

import (
	"sync"

	"github.com/sightline-cam/sightline/internal/identity"
)

// impostor answers lookups with its own key, in the name of whoever is asked
// for.
type impostor struct {
	// constant after construction
	server *Server
	id     *identity.Identity

	statementsMu sync.Mutex
	// guarded by statementsMu
	statements map[identity.PeerID]string
	err        error
}

func newImpostor(s *Server, id *identity.Identity) *impostor {
	return &impostor{server: s, id: id, statements: map[identity.PeerID]string{}}
}

// Identity returns the attacker's key.
func (i *impostor) Identity() *identity.Identity { return i.id }

// Err returns the first mistake of the attacker's own, which makes a test prove
// nothing.
func (i *impostor) Err() error {
	i.statementsMu.Lock()
	defer i.statementsMu.Unlock()
	return i.err
}

func (i *impostor) fail(err error) {
	i.statementsMu.Lock()
	defer i.statementsMu.Unlock()
	if i.err == nil {
		i.err = err
	}
}

// lookup returns the statement for a peer that is, or was, registered.
func (i *impostor) lookup(of identity.PeerID) string {
	if i.server.Statement(of) == "" {
		return ""
	}
	i.statementsMu.Lock()
	defer i.statementsMu.Unlock()
	if s := i.statements[of]; s != "" {
		return s
	}
	s, err := ForgeStatement(i.id, of)
	if err != nil {
		i.err = err
		return ""
	}
	i.statements[of] = s
	return s
}
