package accesslog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/sightline-cam/sightline/internal/atomicfile"
)

// fileStore keeps the lines in files, each named after the number of its first
// line.
type fileStore struct {
	// constant after openFiles
	dir      string
	fileSize int64
	maxFiles int
	sync     func(*os.File) error

	// the writer's
	current *os.File // nil: the next append begins a file
	size    int64    // of current, whole lines

	mu    sync.Mutex // guards what follows
	first []int64    // of each file, ascending
}

func (s *fileStore) path(first int64) string {
	return filepath.Join(s.dir, fmt.Sprintf("access-%020d.jsonl", first))
}

// append implements store. After an error the file ends where it ended before,
// or is left alone from now on.
func (s *fileStore) append(seq int64, lines [][]byte) error {
	data := slices.Concat(lines...)
	if s.current == nil || s.size > 0 && s.size+int64(len(data)) > s.fileSize {
		if err := s.begin(seq); err != nil {
			return err
		}
	}
	_, err := s.current.Write(data)
	if err == nil {
		err = s.sync(s.current)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write: %w", err), s.takeBack())
	}
	s.size += int64(len(data))
	return nil
}

// takeBack removes what an append left that failed.
func (s *fileStore) takeBack() error {
	err := s.current.Truncate(s.size)
	if err == nil {
		err = s.sync(s.current)
	}
	if err != nil || s.size == 0 {
		// What is in the file now, nobody knows.
		err = errors.Join(err, s.current.Close())
		s.current = nil
	}
	return err
}

// begin makes the file whose first line has number seq, and removes the oldest.
func (s *fileStore) begin(seq int64) error {
	if s.current != nil {
		err := s.current.Close()
		s.current = nil
		if err != nil {
			return fmt.Errorf("close a full file: %w", err)
		}
	}
	// There is one of that name only if nothing of it was ever acknowledged.
	f, err := os.OpenFile(s.path(seq), os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("begin a file: %w", err)
	}
	if err := atomicfile.SyncDir(s.dir); err != nil {
		return errors.Join(err, f.Close())
	}
	s.current, s.size = f, 0
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.first, seq) {
		s.first = append(s.first, seq)
	}
	for len(s.first) > s.maxFiles {
		if err := os.Remove(s.path(s.first[0])); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove the oldest file: %w", err)
		}
		s.first = s.first[1:]
	}
	return nil
}

// read implements store.
func (s *fileStore) read(after, last int64, limit int) ([]string, int64, error) {
	s.mu.Lock()
	files := slices.Clone(s.first)
	s.mu.Unlock()
	lines, floor := []string{}, int64(1)
	if len(files) > 0 {
		floor = files[0]
	}
	for i, first := range files {
		end := last // number of the last line that may be in this file
		if i+1 < len(files) {
			end = min(last, files[i+1]-1)
		}
		if end <= after || len(lines) >= limit {
			continue
		}
		some, err := s.readFile(first, after, end, limit-len(lines))
		if errors.Is(err, fs.ErrNotExist) && len(lines) == 0 {
			floor = end + 1 // it was removed meanwhile
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		lines = append(lines, some...)
	}
	return lines, floor, nil
}

// readFile returns up to limit lines with numbers above after and up to end.
func (s *fileStore) readFile(first, after, end int64, limit int) ([]string, error) {
	f, err := os.Open(s.path(first))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	var lines []string
	seq := first - 1
	for line, err := range wholeLines(f) {
		if err != nil {
			return nil, err
		}
		seq++
		if seq > after && seq <= end {
			lines = append(lines, string(line))
		}
		if seq >= end || len(lines) >= limit {
			break
		}
	}
	return lines, nil
}

// close implements store.
func (s *fileStore) close() error {
	if s.current == nil {
		return nil
	}
	return s.current.Close()
}
