package relay

import (
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/internal/identity"
)

// reloadEvery is how often the file of agents is looked at, at most.
const reloadEvery = time.Second

// Agents are the agents that an operator lets use the relay. Safe for concurrent
// use.
type Agents struct {
	// constant
	path string // "" for any agent
	log  *slog.Logger

	mu       sync.Mutex
	enrolled map[identity.PeerID]bool
	seen     os.FileInfo // of the file that enrolled was read from, or that failed
	checked  time.Time
}

// AnyAgent enrols every agent. Keys are free, so only the relay's limits in
// total (Limits.TotalBytesPerDay, Limits.TotalAllocations) bound what strangers
// make it carry.
func AnyAgent() *Agents { return &Agents{} }

// OpenAgents reads a file of PeerIDs in the form of an allow-list
// (config.ParseAllowList: one a line, a name behind it if wanted, "#" begins a
// comment). It is read again when it changes; as long as it cannot be read, the
// list before counts. A nil logger discards.
func OpenAgents(path string, log *slog.Logger) (*Agents, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	a := &Agents{path: path, log: log, checked: time.Now()}
	a.seen, _ = os.Stat(path) // reading it will tell
	var err error
	if a.enrolled, err = readAgents(path); err != nil {
		return nil, fmt.Errorf("read the agents that may use the relay: %w", err)
	}
	return a, nil
}

func readAgents(path string) (map[identity.PeerID]bool, error) {
	list, err := config.LoadAllowList(path)
	if err != nil {
		return nil, err
	}
	enrolled := make(map[identity.PeerID]bool, len(list))
	for _, a := range list {
		enrolled[a.ID] = true
	}
	return enrolled, nil
}

// Enrolled reports whether an agent may use the relay.
func (a *Agents) Enrolled(agent identity.PeerID) bool {
	if a.path == "" {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if age := time.Since(a.checked); age >= reloadEvery || age < 0 {
		a.checked = time.Now()
		a.reloadLocked()
	}
	return a.enrolled[agent]
}

func (a *Agents) reloadLocked() {
	now, err := os.Stat(a.path)
	if err == nil && a.seen != nil && os.SameFile(now, a.seen) && now.Size() == a.seen.Size() && now.ModTime().Equal(a.seen.ModTime()) {
		return
	}
	if err != nil && a.seen == nil {
		return // said before
	}
	a.seen = nil
	if err == nil {
		a.seen = now
	}
	enrolled, err := readAgents(a.path)
	if err != nil {
		a.log.Warn("the list of agents that may use the relay cannot be read, the old one counts", "file", a.path, "error", err)
		return
	}
	a.enrolled = enrolled
	a.log.Info("read the list of agents that may use the relay", "agents", len(enrolled))
}
