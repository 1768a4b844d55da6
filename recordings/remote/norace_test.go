//go:build !race

package remote

// slower is by how much less is sent under the race detector: here the camera sends
// 2 Mbit/s.
const slower = 1
