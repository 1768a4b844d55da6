//go:build !weakened

package signaling

import "github.com/sightline-cam/sightline/internal/identity"

// unsigned exists for the attack tests alone.
func unsigned(string) ([]byte, identity.PeerID, error) { return nil, "", identity.ErrNotVerified }
