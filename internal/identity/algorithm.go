//go:build !weakened

package identity

// withoutAlgorithm exists for the attack tests alone.
func withoutAlgorithm(string) ([]byte, PeerID, bool) { return nil, "", false }
