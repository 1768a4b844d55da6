package viewer

import "github.com/sightline-cam/sightline/internal/identity"

// Identity is a peer's key.
type Identity = identity.Identity

// PeerID names a peer: it is derived from its public key.
type PeerID = identity.PeerID

// LoadIdentity reads the key in the file at path, and makes one there if there
// is none. The file has mode 0600; a wider one is refused.
func LoadIdentity(path string) (*Identity, error) { return identity.LoadOrCreate(path) }

// NewIdentity makes a key that is kept nowhere.
func NewIdentity() (*Identity, error) { return identity.Generate() }

// ParsePeerID reads a peer id with or without its groups ("abcd-efgh-…").
func ParsePeerID(s string) (PeerID, error) { return identity.ParsePeerID(s) }
