package trust

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/identity"
)

// The files, all of mode 0600. Each is replaced as a whole.
const (
	ownersName = "owners.json"
	claimsName = "claims.json"
	clockName  = "clock.json"
	grantsDir  = "grants" // <PeerID>.json for each guest

	maxOwnersFile = 8 << 20 // bytes
	maxClaimsFile = 4 << 20
	maxGrantsFile = 128 << 10
	maxClockFile  = 1 << 10
)

// store is the folder, or none if dir is "". Its methods that write are called by
// whoever holds Trust.mu.
type store struct {
	dir   string
	log   *slog.Logger
	write func(path string, data []byte) error // atomically and durably

	// epoch is in every file. A new one in owners.json makes all others void.
	epoch string
}

// load reads everything into s, and returns the latest signed time. If there is
// nothing it begins.
func (d *store) load(s *state) (latest int64, err error) {
	if d.dir == "" {
		return 0, nil
	}
	if err := os.MkdirAll(filepath.Join(d.dir, grantsDir), 0o700); err != nil {
		return 0, err
	}
	if err := checkFolder(d.dir); err != nil {
		return 0, err
	}
	d.removeLeftovers()
	data, err := d.read(ownersName, maxOwnersFile)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, d.begin(s)
	}
	if err != nil {
		return 0, err
	}
	if d.epoch, err = decodeOwners(data, s); err != nil {
		path := filepath.Join(d.dir, ownersName)
		return 0, fmt.Errorf("%w (%w): restore %s from a backup, or move it away, which forgets all owners and guests, and pair again", ErrDamaged, err, path)
	}
	if err := d.loadOthers(s, &latest); err != nil {
		return 0, err
	}
	return latest, nil
}

// loadOthers reads the files without which nobody is let in who should not be.
func (d *store) loadOthers(s *state, latest *int64) error {
	err := d.readOther(claimsName, maxClaimsFile, func(data []byte) (string, error) { return decodeClaims(data, s) })
	if err != nil {
		return err
	}
	err = d.readOther(clockName, maxClockFile, func(data []byte) (epoch string, err error) {
		*latest, epoch, err = decodeClock(data)
		return epoch, err
	})
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(filepath.Join(d.dir, grantsDir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".json")
		peer := identity.PeerID(name)
		if !ok || peer.Validate() != nil || len(s.holders) >= maxHolders {
			continue
		}
		var h *holder
		err := d.readOther(filepath.Join(grantsDir, e.Name()), maxGrantsFile, func(data []byte) (epoch string, err error) {
			h, epoch, err = decodeHolder(data, peer)
			return epoch, err
		})
		if err != nil {
			return err
		}
		if h != nil && len(h.grants) > 0 {
			s.holders[peer] = h
		}
	}
	return nil
}

// readOther reads a file unless it is missing. One of another epoch is removed, a
// damaged one put aside; decode must change nothing then.
func (d *store) readOther(name string, limit int64, decode func([]byte) (epoch string, err error)) error {
	data, err := d.read(name, limit)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	path := filepath.Join(d.dir, name)
	var head header
	if json.Unmarshal(data, &head) == nil && head.Epoch != "" && head.Epoch != d.epoch {
		return os.Remove(path) // of before a reset, which a power cut interrupted
	}
	if _, err := decode(data); err != nil {
		d.log.Error("a file is damaged and was put aside; invites or guests are forgotten", "file", path, "error", err)
		return os.Rename(path, path+".damaged")
	}
	return nil
}

// read returns the bytes of a file that nobody else may read.
func (d *store) read(name string, limit int64) ([]byte, error) {
	f, err := os.Open(filepath.Join(d.dir, name))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
		return nil, fmt.Errorf("%w: others may open %s (mode %04o); run: chmod 600 %s", ErrMode, f.Name(), mode, f.Name())
	}
	return io.ReadAll(io.LimitReader(f, limit)) // what is longer is cut, and so damaged
}

func checkFolder(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o022 != 0 {
		return fmt.Errorf("%w: others may replace files in %s (mode %04o); run: chmod 700 %s", ErrMode, dir, mode, dir)
	}
	return nil
}

// removeLeftovers removes what a power cut left of files that were being written.
func (d *store) removeLeftovers() {
	for _, pattern := range []string{".*.new-*", grantsDir + "/.*.new-*"} {
		names, err := filepath.Glob(filepath.Join(d.dir, pattern))
		if err != nil {
			return // a folder name with glob characters: nothing is lost
		}
		for _, name := range names {
			_ = os.Remove(name)
		}
	}
}

// begin writes the first file of a new epoch and removes all others.
func (d *store) begin(s *state) error {
	before := d.epoch
	d.epoch = access.NewToken()
	if d.dir == "" {
		return nil
	}
	if err := d.saveOwners(s); err != nil {
		d.epoch = before
		return err
	}
	// They are void already.
	_ = os.Remove(filepath.Join(d.dir, claimsName))
	_ = os.Remove(filepath.Join(d.dir, clockName))
	names, err := filepath.Glob(filepath.Join(d.dir, grantsDir, "*.json"))
	if err != nil {
		return nil
	}
	for _, name := range names {
		_ = os.Remove(name)
	}
	return nil
}

// save replaces a file.
func (d *store) save(name string, v any) error {
	if d.dir == "" {
		return nil
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	return d.write(filepath.Join(d.dir, name), append(data, '\n'))
}

func (d *store) saveOwners(s *state) error {
	v, err := encodeOwners(s, d.epoch)
	if err != nil {
		return err
	}
	return d.save(ownersName, v)
}

func (d *store) saveClaims(s *state) error { return d.save(claimsName, encodeClaims(s, d.epoch)) }

func (d *store) saveClock(latest int64) error {
	return d.save(clockName, clockFile{header: newHeader(d.epoch), Latest: latest})
}

func (d *store) saveHolder(peer identity.PeerID, grants []*access.Grant, seen int64) error {
	return d.save(holderName(peer), encodeHolder(grants, seen, d.epoch))
}

func (d *store) removeHolder(peer identity.PeerID) {
	if d.dir != "" {
		_ = os.Remove(filepath.Join(d.dir, holderName(peer))) // it will be ignored if it comes back
	}
}

func holderName(peer identity.PeerID) string { return filepath.Join(grantsDir, string(peer)+".json") }
