package spool

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// jump is how far the numbers of fragments go on after a restart beyond the last
// one that is known: fragments that a power cut took had numbers too, and a
// recorder may have heard of them.
const jump = 1 << 16

// recover reads what an earlier process left. Files are only read: new fragments
// go into a new file.
func (d *disk) recover() {
	names, err := d.spool.o.files.List(d.dir)
	if err != nil {
		d.fail(err)
		return
	}
	slices.Sort(names) // their numbers have leading zeros
	var numbers []uint64
	for _, name := range names {
		digits, ok := strings.CutPrefix(name, "spool-")
		n, err := strconv.ParseUint(digits, 10, 63)
		if ok && err == nil && name == fileName(n) {
			numbers = append(numbers, n)
		}
	}
	found := make([]*found, 0, len(numbers))
	for i, n := range numbers {
		d.number = n + 1
		f := d.scan(n, i == len(numbers)-1)
		if f == nil {
			continue
		}
		found = append(found, f)
	}
	if len(found) == 0 {
		return
	}
	d.adopt(found)
}

// found is what is in a file.
type found struct {
	*logFile
	epoch   [epochSize]byte
	base    uint64
	records []*record
}

// scan finds the whole records of a file; nil if there are none, and the file is
// removed. A power cut tears the newest file only, since the others were synced, so
// that only its fragments are read.
func (d *disk) scan(number uint64, newest bool) *found {
	path := filepath.Join(d.dir, fileName(number))
	f, err := d.spool.o.files.Open(path)
	if err != nil {
		d.spool.o.Logger.Warn("a file of the spool cannot be read", "file", path, "error", err)
		return nil
	}
	defer f.Close() //nolint:errcheck // only read
	size, err := f.Size()
	header := make([]byte, fileHeader)
	if err == nil && size >= fileHeader {
		_, err = f.ReadAt(header, 0)
	}
	out := &found{logFile: &logFile{path: path, size: size}}
	if err == nil {
		out.epoch, _, out.base, err = parseFileHeader(header)
	}
	for at := int64(fileHeader); err == nil && at+recordHeader <= size; {
		b := make([]byte, recordHeader)
		if _, err := f.ReadAt(b, at); err != nil {
			break
		}
		r, _, err := parseHeader(b)
		if err != nil || at+recordHeader+int64(r.bytes) > size {
			break // the rest is torn
		}
		if newest {
			if _, err := verify(f, at, r.seq); err != nil {
				break
			}
		}
		r.file, r.offset = out.logFile, at
		out.records = append(out.records, r)
		at += recordHeader + int64(r.bytes)
	}
	if len(out.records) == 0 {
		_ = d.spool.o.files.Remove(path) // nothing in it is of use
		return nil
	}
	return out
}

// adopt takes over what was found. Files of another epoch than the newest one's are
// not of this spool.
func (d *disk) adopt(all []*found) {
	epoch := all[len(all)-1].epoch
	s := d.spool
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch = epoch
	for _, f := range all {
		d.files = append(d.files, f.logFile)
		d.used.Add(f.size)
		s.seq = max(s.seq, f.base+1)
		if f.epoch != epoch {
			continue
		}
		for _, r := range f.records {
			if r.rendition >= len(s.rings) {
				continue // the camera had more of them
			}
			g := &s.rings[r.rendition]
			if n := len(g.records); n == 0 || g.records[n-1].seq < r.seq {
				g.records = append(g.records, r)
			}
			s.seq = max(s.seq, r.seq+1)
		}
	}
	s.seq += jump
}
