//go:build race

package remote

// slower is by how much less is sent under the race detector.
const slower = 8
