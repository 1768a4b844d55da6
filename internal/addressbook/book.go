package addressbook

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/atomicfile"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/strictjson"
)

const (
	version  = 1
	maxPeers = 64
	// maxFile bounds what is read, in bytes: more than the largest book.
	maxFile = 2 << 20
	// asideSuffix ends the name under which a file that cannot be read is kept; a
	// number follows from the second on.
	asideSuffix = ".damaged"
	maxAside    = 9 // the last takes the place of the one before
)

// DamagedError says that the book on disk could not be read, and was put aside.
// The next Open makes a new one.
type DamagedError struct {
	Path, Aside string
	Err         error
}

// Error implements error.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("the address book %s cannot be read (%v); it is kept as %s, and the addresses will be learned anew", e.Path, e.Err, e.Aside)
}

// Unwrap returns the cause.
func (e *DamagedError) Unwrap() error { return e.Err }

// Book is an address book in a file. Safe for concurrent use. Other processes may
// have it open too: each change is made to what is on disk then. Of two that write
// at the same moment, the last wins.
type Book struct {
	path string // constant

	mu      sync.Mutex
	entries []Entry // the last seen first
}

// file is what is on disk.
type file struct {
	Version int     `json:"version"`
	Agents  []Entry `json:"agents"`
}

// Open reads the book in the file at path; one that is not there is empty. When
// it cannot be understood Open puts it aside, and returns an empty book and a
// *DamagedError.
func Open(path string) (*Book, error) {
	b := &Book{path: path}
	data, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the address book: %w", err)
	}
	if b.entries, err = parse(data); err == nil {
		return b, nil
	}
	aside := freeAside(path)
	if failed := os.Rename(path, aside); failed != nil {
		return nil, fmt.Errorf("put the damaged address book aside: %w", errors.Join(failed, err))
	}
	return b, &DamagedError{Path: path, Aside: aside, Err: err}
}

// freeAside returns a name for a damaged book at which there is none yet.
func freeAside(path string) string {
	aside := path + asideSuffix
	for n := 2; n <= maxAside; n++ {
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			break
		}
		aside = fmt.Sprintf("%s%s.%d", path, asideSuffix, n)
	}
	return aside
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	return data, errors.Join(err, f.Close())
}

func parse(data []byte) ([]Entry, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("more than %d bytes", maxFile)
	}
	var f file
	if err := strictjson.Unmarshal(data, &f); err != nil {
		return nil, err
	}
	if f.Version != version {
		return nil, fmt.Errorf("version %d, and this program reads %d", f.Version, version)
	}
	if len(f.Agents) > maxPeers {
		return nil, fmt.Errorf("more than %d agents", maxPeers)
	}
	seen := make(map[identity.PeerID]bool, len(f.Agents))
	for _, e := range f.Agents {
		if err := e.validate(); err != nil {
			return nil, err
		}
		if seen[e.Peer] {
			return nil, errors.New("an agent that is there twice")
		}
		seen[e.Peer] = true
	}
	return f.Agents, nil
}

// Get returns what is known of an agent; false if nothing is. A secret that has
// expired is left out.
func (b *Book) Get(peer identity.PeerID, now time.Time) (Entry, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := b.find(peer)
	if i < 0 {
		return Entry{}, false
	}
	e := b.entries[i].bound()
	e.expire(now)
	return e, true
}

// Put remembers an agent in place of what was known of it, and writes the book.
// Of more than 16 addresses the last are left out, of more than 64 agents the one
// seen longest ago.
func (b *Book) Put(e Entry) error {
	e = e.bound()
	if err := e.validate(); err != nil {
		return fmt.Errorf("address book: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reread()
	entries := slices.DeleteFunc(slices.Clone(b.entries), func(old Entry) bool { return old.Peer == e.Peer })
	entries = append(entries, e)
	slices.SortStableFunc(entries, func(a, b Entry) int { return b.Seen.Compare(a.Seen) })
	return b.write(entries[:min(len(entries), maxPeers)])
}

// Remove forgets an agent.
func (b *Book) Remove(peer identity.PeerID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reread()
	if b.find(peer) < 0 {
		return nil
	}
	return b.write(slices.DeleteFunc(slices.Clone(b.entries), func(e Entry) bool { return e.Peer == peer }))
}

// reread takes what another process has written. It needs the mutex.
func (b *Book) reread() {
	data, err := read(b.path)
	if err != nil {
		return // what we know is the best there is
	}
	if entries, err := parse(data); err == nil {
		b.entries = entries
	}
}

// write puts entries on disk and then in place, without the secrets that have
// expired. It owns entries, and needs the mutex.
func (b *Book) write(entries []Entry) error {
	if len(entries) > 0 {
		// A clock that was ahead once must not cost the secrets of today.
		now := time.Now()
		if seen := entries[0].Seen; seen.Before(now) {
			now = seen
		}
		for i := range entries {
			entries[i].expire(now)
		}
	}
	data, err := json.MarshalIndent(file{Version: version, Agents: entries}, "", "\t")
	if err != nil {
		return fmt.Errorf("write the address book: %w", err)
	}
	if err := atomicfile.Write(b.path, append(data, '\n')); err != nil {
		return fmt.Errorf("write the address book: %w", err)
	}
	b.entries = entries
	return nil
}

// find needs the mutex.
func (b *Book) find(peer identity.PeerID) int {
	return slices.IndexFunc(b.entries, func(e Entry) bool { return e.Peer == peer })
}
