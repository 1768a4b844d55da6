package nvr

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

// localIDs gives the cameras of other agents ids that are good here: the prefix and
// the agent's id, with a number where that is taken. An id under which there are
// recordings is nobody else's. Safe for concurrent use.
type localIDs struct {
	mu       sync.Mutex
	taken    map[string]bool
	reserved map[string]identity.PeerID // who alone may take an id
}

// take marks an id as taken, and reports whether it was free for an agent; "" is this
// process.
func (l *localIDs) take(peer identity.PeerID, id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if owner, reserved := l.reserved[id]; l.taken[id] || reserved && owner != peer {
		return false
	}
	l.taken[id] = true
	return true
}

// give finds a free id for an agent's camera and takes it. One that is reserved for
// another camera of the agent is not free either.
func (l *localIDs) give(peer identity.PeerID, prefix, remote string) string {
	base := baseID(prefix, remote)
	if l.fresh(peer, base) {
		return base
	}
	for n := 2; ; n++ {
		end := fmt.Sprintf("-%d", n)
		if id := base[:min(len(base), signaling.MaxCameraID-len(end))] + end; l.fresh(peer, id) {
			return id
		}
	}
}

// fresh takes an id, and keeps it for the agent, if it is nobody's.
func (l *localIDs) fresh(peer identity.PeerID, id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, reserved := l.reserved[id]; l.taken[id] || reserved {
		return false
	}
	l.taken[id], l.reserved[id] = true, peer
	return true
}

// fitsID reports whether an id could have been given to that camera, so that one that
// was given before is kept as long as the prefix is the same.
func fitsID(prefix, remote, id string) bool {
	base := baseID(prefix, remote)
	if id == base {
		return true
	}
	i := strings.LastIndexByte(id, '-')
	return i > 0 && i+1 < len(id) && strings.Trim(id[i+1:], "0123456789") == "" &&
		(id[:i] == base || len(base)+len(id)-i > signaling.MaxCameraID && strings.HasPrefix(base, id[:i]))
}

// baseID is the id that a camera has here if it is free. One that could not be an id
// is hashed.
func baseID(prefix, remote string) string {
	if id := prefix + remote; signaling.ValidateCameraID(id) == nil {
		return id
	}
	sum := sha256.Sum256([]byte(prefix + remote))
	return "camera-" + hex.EncodeToString(sum[:4])
}
