package accesslog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/sightline-cam/sightline/internal/atomicfile"
)

// maxTorn is how many files with torn lines are kept.
const maxTorn = 4

// found is what was on disk.
type found struct {
	head    Head
	damages []string // in words
}

// openFiles finds the files in dir and where the chain ends.
func openFiles(dir string, o Options) (*fileStore, found, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, found{}, err
	}
	s := &fileStore{dir: dir, fileSize: o.fileSize, maxFiles: o.files, sync: datasync}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, found{}, err
	}
	for _, e := range entries {
		if seq, ok := numberOf(e.Name()); ok && e.Type().IsRegular() {
			s.first = append(s.first, seq)
		}
	}
	slices.Sort(s.first)
	var all found
	for len(s.first) > 0 {
		f, err := s.continueLast()
		if err != nil {
			return nil, found{}, err
		}
		all.damages = append(all.damages, f.damages...)
		if all.head = f.head; f.head.Seq > 0 {
			break
		}
		// A file without a whole line, that a crash left, is begun again.
		s.first = s.first[:len(s.first)-1]
	}
	return s, all, nil
}

// numberOf reads the number of a file's first line out of its name.
func numberOf(name string) (int64, bool) {
	digits, ok := strings.CutPrefix(name, "access-")
	digits, ok2 := strings.CutSuffix(digits, ".jsonl")
	seq, err := strconv.ParseInt(digits, 10, 64)
	return seq, ok && ok2 && err == nil && seq > 0 && len(digits) == 20
}

// continueLast looks through the newest file and opens it for appending if it is
// sound. The head is zero if there is not one whole line in it.
func (s *fileStore) continueLast() (found, error) {
	first := s.first[len(s.first)-1]
	f, err := os.OpenFile(s.path(first), os.O_RDWR|os.O_APPEND, 0)
	readOnly := err != nil
	if readOnly {
		f, err = os.Open(s.path(first)) // a card that went read-only: the past can be read
	}
	if err != nil {
		return found{}, err
	}
	t, err := s.lookThrough(f, first)
	if err != nil {
		return found{}, errors.Join(err, f.Close())
	}
	t.closed = t.closed || readOnly
	out := found{}
	if t.torn > 0 {
		out.damages = append(out.damages, fmt.Sprintf("%d bytes of a torn line were moved aside", t.torn))
		if err := s.moveAside(f, t); err != nil {
			out.damages[0] = fmt.Sprintf("%d bytes of a torn line are left in the file", t.torn)
			t.closed = true
		}
	}
	if t.broken > 0 {
		out.damages = append(out.damages, fmt.Sprintf("entry %d does not follow the one before; it is left as it is", t.broken))
		t.closed = true
	}
	out.head = t.head
	if t.closed || t.head.Seq == 0 {
		return out, f.Close()
	}
	s.current, s.size = f, t.size
	return out, nil
}

// tail is what was found in the newest file.
type tail struct {
	head   Head  // of the last whole line, by its place
	size   int64 // of what is whole
	torn   int64 // bytes behind it
	broken int64 // number of the first line that does not follow; 0: none
	closed bool  // nothing is appended to it any more
}

func (s *fileStore) lookThrough(f *os.File, first int64) (tail, error) {
	info, err := f.Stat()
	if err != nil {
		return tail{}, err
	}
	before := Head{Seq: first - 1}
	if len(s.first) > 1 {
		before.Hash = s.lastHash(s.first[len(s.first)-2])
	}
	var t tail
	at, seq := int64(0), first-1
	for line, err := range wholeLines(f) {
		if errors.Is(err, bufio.ErrTooLong) {
			break // as torn: no line of ours is so long
		}
		if err != nil {
			return tail{}, err
		}
		at += int64(len(line)) + 1
		seq++
		next, err := follow(line, before)
		if err != nil {
			next = Head{Seq: seq, Hash: hashOf(line)}
			if t.broken == 0 {
				t.broken = seq
			}
		}
		before = next
		if _, err := parse(line); err == nil {
			t.head, t.size = next, at
		}
	}
	t.torn = info.Size() - t.size
	if t.broken > t.head.Seq {
		t.broken = 0 // it is in what is torn
	}
	return t, nil
}

// lastHash returns the hash of a file's last line, or "" if that cannot be read.
func (s *fileStore) lastHash(first int64) string {
	f, err := os.Open(s.path(first))
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // only read
	hash := ""
	for line, err := range wholeLines(f) {
		if err != nil {
			return ""
		}
		hash = hashOf(line)
	}
	return hash
}

// tornPath returns a name for what is torn that no file has yet.
func (s *fileStore) tornPath(seq int64) string {
	for n := 0; ; n++ {
		path := filepath.Join(s.dir, fmt.Sprintf("torn-%020d-%04d.txt", seq, n))
		if _, err := os.Lstat(path); err != nil {
			return path
		}
	}
}

// moveAside keeps what is torn in a file of its own and cuts it off.
func (s *fileStore) moveAside(f *os.File, t tail) error {
	path := s.tornPath(max(t.head.Seq+1, s.first[len(s.first)-1]))
	err := atomicfile.WriteFrom(path, func(w io.Writer) error {
		_, err := io.Copy(w, io.NewSectionReader(f, t.size, t.torn))
		return err
	})
	if err != nil {
		return err
	}
	if err := f.Truncate(t.size); err != nil {
		return err
	}
	if err := s.sync(f); err != nil {
		return err
	}
	names, err := filepath.Glob(filepath.Join(s.dir, "torn-*.txt")) // sorted
	for len(names) > maxTorn && err == nil {
		err = os.Remove(names[0])
		names = names[1:]
	}
	return err
}

// wholeLines yields the lines of r that end with a newline, without it. A line
// that is longer than any of ours is bufio.ErrTooLong, the last thing yielded.
func wholeLines(r io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		scan := bufio.NewScanner(r)
		scan.Buffer(make([]byte, 0, maxLine), maxLine)
		scan.Split(func(data []byte, _ bool) (int, []byte, error) {
			if i := bytes.IndexByte(data, '\n'); i >= 0 {
				return i + 1, data[:i], nil
			}
			return 0, nil, nil
		})
		for scan.Scan() {
			if !yield(scan.Bytes(), nil) {
				return
			}
		}
		if err := scan.Err(); err != nil {
			yield(nil, err)
		}
	}
}
