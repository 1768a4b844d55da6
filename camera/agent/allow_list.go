package agent

import (
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/internal/identity"
)

// AllowList is a file of viewers who may watch; see config.ParseAllowList. It is
// read again whenever it changes. Its Listed is made for trust.Options. Safe for
// concurrent use.
type AllowList struct {
	// Constant after construction.
	file string
	log  *slog.Logger

	mu      sync.Mutex // guards what follows
	names   map[identity.PeerID]string
	version fileVersion
	loaded  bool   // names are those of version
	fresh   bool   // the file changed so lately that it may change again unnoticed
	failure string // last failure logged
}

// fileVersion tells whether a file changed.
type fileVersion struct {
	modified time.Time
	size     int64
	inode    any
}

// NewAllowList returns the list in a file; without a file nobody is on it. It
// does no I/O: Listed does.
func NewAllowList(file string, log *slog.Logger) *AllowList {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &AllowList{file: file, log: log}
}

// Listed reports whether a viewer is on the list, and under what name. A list
// that cannot be read has nobody on it.
func (l *AllowList) Listed(peer identity.PeerID) (name string, ok bool) {
	if peer == "" || l.file == "" {
		return "", false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refreshLocked(false)
	if !l.loaded {
		return "", false
	}
	name, ok = l.names[peer]
	return name, ok
}

// Reload reads the list again even if the file looks unchanged.
func (l *AllowList) Reload() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refreshLocked(true)
}

// settled reports whether somebody who is not on the list was taken off it:
// false when it cannot be read or has only just changed. Then nobody new comes
// in, and nobody who is in is thrown out by a file that is being written.
func (l *AllowList) settled() bool {
	if l.file == "" {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refreshLocked(false)
	return l.loaded && !l.fresh
}

func (l *AllowList) refreshLocked(force bool) {
	if l.file == "" {
		return
	}
	info, err := os.Stat(l.file)
	if err != nil {
		l.version = fileVersion{} // read it as soon as it is back
		l.failedLocked(err)
		return
	}
	v := fileVersion{modified: info.ModTime(), size: info.Size(), inode: inode(info)}
	l.fresh = age(info.ModTime()) < settled
	if v == l.version && !force && !l.fresh {
		return
	}
	changed := v != l.version
	list, err := config.LoadAllowList(l.file)
	l.version = v
	if err != nil {
		l.failedLocked(err)
		return
	}
	l.names = make(map[identity.PeerID]string, len(list))
	for _, viewer := range list {
		l.names[viewer.ID] = viewer.Name
	}
	l.loaded, l.failure = true, ""
	if changed {
		l.log.Info("read the list of allowed viewers", "file", l.file, "viewers", len(list))
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

// failedLocked notes that nobody is on the list, and says so once.
func (l *AllowList) failedLocked(err error) {
	l.loaded = false
	if l.failure != err.Error() {
		l.failure = err.Error()
		l.log.Error("no viewer is let in: the list of allowed viewers cannot be read", "file", l.file, "error", err)
	}
}
