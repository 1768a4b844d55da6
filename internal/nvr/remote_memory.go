package nvr

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"

	"github.com/sightline-cam/sightline/internal/atomicfile"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/recordings"
)

// RemotesFile is the name, in the state folder, of what is remembered of agents
// elsewhere.
const RemotesFile = "remotes.json"

// Bounds of what is remembered. Of more claims the oldest is forgotten; more cameras
// are not recorded.
const (
	remotesVersion      = 1
	maxRemoteAgents     = 256
	maxRemoteCameras    = 256 // of one agent
	maxClaims           = 16  // of one agent
	maxRemotesFile      = 16 << 20
	maxRemoteName       = 100 // characters
	remotesAside        = ".damaged"
	maxRemoteRenditions = 4
)

// RemoteMemory is what a recorder remembers of agents elsewhere: what their cameras
// are called here, which links were used, and up to when recordings were deleted. It
// is a file that is whole or not there. Safe for concurrent use.
type RemoteMemory struct {
	path string // constant

	mu     sync.Mutex
	agents []rememberedAgent
}

// rememberedAgent is one agent. Its JSON is on disk.
type rememberedAgent struct {
	Peer identity.PeerID `json:"peer"`
	// Claimed are hashes of the secrets that this recorder has shown to it.
	Claimed []string           `json:"claimed"`
	Cameras []rememberedCamera `json:"cameras"`
}

// rememberedCamera is one camera of it.
type rememberedCamera struct {
	// ID is the agent's, Local the one that it has here.
	ID    string `json:"id"`
	Local string `json:"local"`
	// Name is what the agent calls it.
	Name        string `json:"name"`
	TestPattern bool   `json:"testPattern"`
	// Gone says that the agent did not list it the last time.
	Gone bool `json:"gone"`
	// Deleted are up to when recordings were deleted.
	Deleted []deletedUntil `json:"deleted"`
}

// deletedUntil is up to when recordings of a rendition were deleted.
type deletedUntil struct {
	Rendition string          `json:"rendition"`
	UntilUs   recordings.Time `json:"untilUs"`
}

// remotesFile is what is on disk.
type remotesFile struct {
	Version int               `json:"version"`
	Agents  []rememberedAgent `json:"agents"`
}

// DamagedRemotesError says that the file could not be read, and was put aside.
type DamagedRemotesError struct {
	Path, Aside string
	Err         error
}

// Error implements error.
func (e *DamagedRemotesError) Error() string {
	return fmt.Sprintf("what was remembered of other agents' cameras, %s, cannot be read (%v); it is kept as %s, and they are asked anew", e.Path, e.Err, e.Aside)
}

// Unwrap returns the cause.
func (e *DamagedRemotesError) Unwrap() error { return e.Err }

// OpenRemoteMemory reads the file at path; one that is not there is empty. What cannot
// be understood is put aside: then the memory is empty, and the error a
// *DamagedRemotesError.
func OpenRemoteMemory(path string) (*RemoteMemory, error) {
	m := &RemoteMemory{path: path}
	data, err := readBounded(path, maxRemotesFile)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what is known of other agents: %w", err)
	}
	if m.agents, err = parseRemotes(data); err == nil {
		return m, nil
	}
	aside := path + remotesAside
	if failed := os.Rename(path, aside); failed != nil {
		return nil, fmt.Errorf("put the damaged %s aside: %w", path, errors.Join(failed, err))
	}
	return m, &DamagedRemotesError{Path: path, Aside: aside, Err: err}
}

func readBounded(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	return data, errors.Join(err, f.Close())
}

// Claimed reports whether the secret of a link was shown to an agent already: it is
// good for one use.
func (m *RemoteMemory) Claimed(peer identity.PeerID, secret string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.agentLocked(peer)
	return a != nil && slices.Contains(a.Claimed, claimHash(secret))
}

// SetClaimed remembers that the agent has accepted the secret.
func (m *RemoteMemory) SetClaimed(peer identity.PeerID, secret string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, err := m.makeLocked(peer)
	if err != nil {
		return err
	}
	hash := claimHash(secret)
	if slices.Contains(a.Claimed, hash) {
		return nil
	}
	a.Claimed = append(a.Claimed, hash)
	a.Claimed = a.Claimed[max(0, len(a.Claimed)-maxClaims):]
	return m.saveLocked()
}

// claimHash names a secret without giving it away.
func claimHash(secret string) string {
	sum := sha256.Sum256([]byte("sightline remote claim 1\x00" + secret))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// cameras returns what is known of an agent's cameras.
func (m *RemoteMemory) cameras(peer identity.PeerID) []rememberedCamera {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a := m.agentLocked(peer); a != nil {
		return slices.Clone(a.Cameras)
	}
	return nil
}

// locals returns the ids that cameras of all agents have here, and whose they are.
func (m *RemoteMemory) locals() map[string]identity.PeerID {
	m.mu.Lock()
	defer m.mu.Unlock()
	ids := make(map[string]identity.PeerID)
	for _, a := range m.agents {
		for _, c := range a.Cameras {
			ids[c.Local] = a.Peer
		}
	}
	return ids
}

// owner returns the agent whose camera has an id here; empty if none has.
func (m *RemoteMemory) owner(local string) identity.PeerID {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.agents {
		for _, c := range a.Cameras {
			if c.Local == local {
				return a.Peer
			}
		}
	}
	return ""
}

// room reports whether a camera of an agent is remembered, or can be.
func (m *RemoteMemory) room(peer identity.PeerID, id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.agentLocked(peer)
	if a == nil {
		return len(m.agents) < maxRemoteAgents
	}
	return len(a.Cameras) < maxRemoteCameras || slices.ContainsFunc(a.Cameras, func(c rememberedCamera) bool { return c.ID == id })
}

// forget forgets the cameras of an agent that it did not list the last time, and of
// which nothing is recorded.
func (m *RemoteMemory) forget(peer identity.PeerID, recorded map[string]bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.agentLocked(peer)
	if a == nil {
		return nil
	}
	kept := slices.DeleteFunc(slices.Clone(a.Cameras), func(c rememberedCamera) bool { return c.Gone && !recorded[c.Local] })
	if len(kept) == len(a.Cameras) {
		return nil
	}
	a.Cameras = kept
	return m.saveLocked()
}

// change remembers a camera; change gets what is known of it, or its id alone.
func (m *RemoteMemory) change(peer identity.PeerID, id string, change func(*rememberedCamera)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, err := m.makeLocked(peer)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(a.Cameras, func(c rememberedCamera) bool { return c.ID == id })
	if i < 0 {
		if len(a.Cameras) >= maxRemoteCameras {
			return errTooManyRemotes
		}
		i = len(a.Cameras)
		a.Cameras = append(a.Cameras, rememberedCamera{ID: id})
	}
	was := a.Cameras[i]
	was.Deleted = slices.Clone(was.Deleted)
	change(&a.Cameras[i])
	if is := &a.Cameras[i]; is.equal(&was) {
		return nil
	}
	return m.saveLocked()
}

func (c *rememberedCamera) equal(o *rememberedCamera) bool {
	return c.ID == o.ID && c.Local == o.Local && c.Name == o.Name && c.TestPattern == o.TestPattern && c.Gone == o.Gone &&
		slices.Equal(c.Deleted, o.Deleted)
}

// until returns up to when recordings of a rendition were deleted.
func (c *rememberedCamera) until(rendition string) recordings.Time {
	for _, d := range c.Deleted {
		if d.Rendition == rendition {
			return d.UntilUs
		}
	}
	return 0
}

// setUntil is up to when recordings of a rendition were deleted.
func (c *rememberedCamera) setUntil(rendition string, until recordings.Time) {
	for i := range c.Deleted {
		if c.Deleted[i].Rendition == rendition {
			c.Deleted[i].UntilUs = until
			return
		}
	}
	c.Deleted = append(c.Deleted, deletedUntil{rendition, until})
}

func (m *RemoteMemory) agentLocked(peer identity.PeerID) *rememberedAgent {
	for i := range m.agents {
		if m.agents[i].Peer == peer {
			return &m.agents[i]
		}
	}
	return nil
}

// errTooManyRemotes says that the file would become too long.
var errTooManyRemotes = errors.New("there are more agents, or cameras of one, than can be remembered")

func (m *RemoteMemory) makeLocked(peer identity.PeerID) (*rememberedAgent, error) {
	if a := m.agentLocked(peer); a != nil {
		return a, nil
	}
	if len(m.agents) >= maxRemoteAgents {
		return nil, errTooManyRemotes
	}
	m.agents = append(m.agents, rememberedAgent{Peer: peer})
	return &m.agents[len(m.agents)-1], nil
}

func (m *RemoteMemory) saveLocked() error {
	data, err := json.MarshalIndent(remotesFile{Version: remotesVersion, Agents: m.agents}, "", "\t")
	if err == nil {
		err = atomicfile.Write(m.path, append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("remember the cameras of other agents: %w", err)
	}
	return nil
}
