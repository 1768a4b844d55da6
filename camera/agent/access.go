package agent

import (
	"errors"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/internal/identity"
)

// errNotListed says that a viewer is not on the allow-list.
var errNotListed = errors.New("not on the list of allowed viewers")

// access decides who may watch. It is the one place where that is decided,
// whichever way a request came. Safe for concurrent use.
type access struct {
	// Constant after construction.
	open bool
	file string
	log  *slog.Logger

	mu      sync.Mutex // guards what follows
	list    map[identity.PeerID]bool
	version fileVersion
	loaded  bool   // list is that of version
	fresh   bool   // the file changed so lately that it may change again unnoticed
	failure string // last failure logged
}

// fileVersion tells whether a file changed.
type fileVersion struct {
	modified time.Time
	size     int64
	inode    any
}

func newAccess(open bool, file string, log *slog.Logger) *access {
	return &access{open: open, file: file, log: log}
}

// allow returns nil if the peer may watch. peer is empty for somebody who did
// not prove an identity. A list that cannot be read allows nobody.
func (a *access) allow(peer identity.PeerID) error {
	if a.open {
		return nil
	}
	if peer == "" || a.file == "" {
		return errNotListed
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refreshLocked(false)
	if !a.loaded || !a.list[peer] {
		return errNotListed
	}
	return nil
}

// authorize is allow for a request to the API.
func (a *access) authorize(peer identity.PeerID) *apiError {
	switch {
	case a.allow(peer) == nil:
		return nil
	case peer == "":
		return fail(http.StatusUnauthorized, "unauthorized",
			"This address cannot tell who you are. Open the camera by its link, which proves your device's key.")
	}
	return fail(http.StatusForbidden, "forbidden",
		"This device is not on the camera's list of allowed viewers. Ask the owner to add its id.")
}

// revoked returns a test for viewers that may no longer watch; ok is false
// when the list cannot be read or has only just changed: then nobody new comes
// in, and nobody who is in is thrown out by a file that is being written.
func (a *access) revoked() (gone func(identity.PeerID) bool, ok bool) {
	if a.open {
		return nil, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refreshLocked(false)
	list := a.list // replaced, never changed
	return func(p identity.PeerID) bool { return !list[p] }, a.loaded && !a.fresh
}

// reload reads the list again even if the file looks unchanged.
func (a *access) reload() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refreshLocked(true)
}

func (a *access) refreshLocked(force bool) {
	if a.file == "" {
		return
	}
	info, err := os.Stat(a.file)
	if err != nil {
		a.version = fileVersion{} // read it as soon as it is back
		a.failedLocked(err)
		return
	}
	v := fileVersion{modified: info.ModTime(), size: info.Size(), inode: inode(info)}
	a.fresh = age(info.ModTime()) < settled
	if v == a.version && !force && !a.fresh {
		return
	}
	changed := v != a.version
	list, err := config.LoadAllowList(a.file)
	a.version = v
	if err != nil {
		a.failedLocked(err)
		return
	}
	a.list = make(map[identity.PeerID]bool, len(list))
	for _, viewer := range list {
		a.list[viewer.ID] = true
	}
	a.loaded, a.failure = true, ""
	if changed {
		a.log.Info("read the list of allowed viewers", "file", a.file, "viewers", len(list))
	}
}

// settled is how old a change of the file has to be: the coarsest clocks of file
// systems tick every 2 s, and an editor may write in steps.
const settled = 2 * time.Second

// age is how long ago t was; a time in the future is old.
func age(t time.Time) time.Duration {
	if d := time.Since(t); d >= 0 {
		return d
	}
	return settled
}

// failedLocked notes that nobody may come in, and says so once.
func (a *access) failedLocked(err error) {
	a.loaded = false
	if a.failure != err.Error() {
		a.failure = err.Error()
		a.log.Error("no viewer is let in: the list of allowed viewers cannot be read", "file", a.file, "error", err)
	}
}
