package spool

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"
)

// disk is the part of a spool that outlives the process: append-only files in one
// folder. A file is never written to again once it was closed; whole files are
// removed when the bound is passed. Whatever fails, the spool goes on in memory.
type disk struct {
	// Constant after construction.
	spool *Spool
	dir   string
	last  chan struct{} // closed when nothing more comes

	used   atomic.Int64
	failed atomic.Bool

	// Owned by the goroutine of run; recover runs before it.
	files   []*logFile // the oldest first
	number  uint64     // of the next file
	current *openFile  // nil while there is none
	retry   time.Time  // when a disk that failed is tried again
	lasting bool       // Run ends
}

// logFile is a file of records.
type logFile struct {
	path string // constant
	size int64  // owned as disk.files
}

// openFile is the one that is being written.
type openFile struct {
	*logFile
	file  file
	dirty bool
}

func newDisk(s *Spool) *disk {
	return &disk{spool: s, dir: s.o.Dir, last: make(chan struct{}), number: 1}
}

// Bounds of the files of one camera.
const (
	maxFile    = 64 << 20
	minFile    = 1 << 20
	maxFiles   = 256
	maxRecords = 32 << 10
)

// fileSize is when another file is begun: what is removed is a sixteenth of all.
func (d *disk) fileSize() int64 {
	return min(max(d.spool.o.DiskBytes/16, minFile), maxFile)
}

// run writes until nothing more comes.
func (d *disk) run() {
	syncs := time.NewTicker(syncEvery)
	defer syncs.Stop()
	for {
		select {
		case <-d.spool.write:
			d.drain()
			continue
		case <-syncs.C:
			d.sync()
			continue
		case <-d.last:
		}
		break
	}
	d.lasting = true
	d.drain()
	d.sync()
	d.close()
}

// drain writes what waits.
func (d *disk) drain() {
	for {
		r, encoded := d.next()
		if r == nil {
			return
		}
		if encoded == nil {
			continue // too late
		}
		if d.failed.Load() && (d.lasting || time.Now().Before(d.retry)) {
			continue
		}
		if err := d.append(r, encoded); err != nil {
			d.fail(err)
			continue
		}
		if d.failed.Swap(false) {
			d.spool.o.Logger.Info("the spool is on disk again", "dir", d.dir)
		}
	}
}

// next takes the first record of the queue.
func (d *disk) next() (*record, []byte) {
	s := d.spool
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return nil, nil
	}
	r := s.queue[0]
	s.queue[0] = nil
	s.queue = s.queue[1:]
	return r, r.memory
}

// append writes one record.
func (d *disk) append(r *record, encoded []byte) error {
	r.describe(encoded)
	need := int64(recordHeader + len(encoded))
	if need > d.spool.o.DiskBytes/2 {
		return nil // it would be all there is
	}
	if d.current != nil && d.current.size+need > d.fileSize() {
		d.sync()
		d.close()
	}
	d.makeRoom(need)
	if d.current == nil {
		if d.failed.Load() && time.Now().Before(d.retry) {
			return errors.New("the disk has just failed")
		}
		if err := d.open(r.seq); err != nil {
			return err
		}
	}
	c := d.current
	offset := c.size
	c.dirty = true
	for _, part := range [][]byte{r.appendHeader(nil, encoded), encoded} {
		n, err := c.file.Write(part)
		c.size += int64(n)
		d.used.Add(int64(n))
		if err != nil {
			return fmt.Errorf("write %s: %w", c.path, err)
		}
	}
	s := d.spool
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.memory != nil { // else it has just been forgotten
		r.file, r.offset = c.logFile, offset
	}
	return nil
}

// open begins a file.
func (d *disk) open(base uint64) error {
	path := filepath.Join(d.dir, fileName(d.number))
	f, err := d.spool.o.files.Create(d.dir, path)
	if err != nil {
		return fmt.Errorf("begin a file: %w", err)
	}
	d.number++
	l := &logFile{path: path}
	d.files = append(d.files, l)
	d.current = &openFile{logFile: l, file: f, dirty: true}
	d.spool.mu.Lock()
	epoch := d.spool.epoch
	d.spool.mu.Unlock()
	n, err := f.Write(appendFileHeader(nil, epoch, d.number-1, base))
	l.size = int64(n)
	d.used.Add(int64(n))
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// makeRoom removes the oldest files until need fits.
func (d *disk) makeRoom(need int64) {
	if d.current == nil {
		need += fileHeader
	}
	for len(d.files) > 0 && (d.used.Load()+need > d.spool.o.DiskBytes || len(d.files) >= maxFiles || d.records() >= maxRecords) {
		if oldest := d.files[0]; d.current != nil && d.current.logFile == oldest {
			d.close()
		}
		d.removeOldest()
	}
}

func (d *disk) records() int {
	d.spool.mu.Lock()
	defer d.spool.mu.Unlock()
	n := 0
	for i := range d.spool.rings {
		n += len(d.spool.rings[i].records)
	}
	return n
}

func (d *disk) removeOldest() {
	f := d.files[0]
	d.files = d.files[1:]
	s := d.spool
	s.mu.Lock()
	for i := range s.rings {
		s.rings[i].forget(f)
	}
	s.mu.Unlock()
	d.used.Add(-f.size)
	if err := s.o.files.Remove(f.path); err != nil {
		s.o.Logger.Debug("an old file of the spool was not removed", "file", f.path, "error", err)
	}
}

// sync makes everything durable that was written.
func (d *disk) sync() {
	c := d.current
	if c == nil || !c.dirty {
		return
	}
	c.dirty = false
	if err := c.file.Sync(); err != nil {
		d.fail(fmt.Errorf("sync %s: %w", c.path, err))
	}
}

func (d *disk) close() {
	if d.current != nil {
		_ = d.current.file.Close() // it was synced, or failed
		d.current = nil
	}
}

// fail goes on in memory for a while. One line is logged, until the disk works
// again.
func (d *disk) fail(err error) {
	if c := d.current; c != nil {
		d.close()
		if c.size <= fileHeader {
			d.files = d.files[:len(d.files)-1]
			d.used.Add(-c.size)
			_ = d.spool.o.files.Remove(c.path) // it is only in the way of the next one's name
		}
	}
	d.retry = time.Now().Add(retryDisk)
	if !d.failed.Swap(true) {
		d.spool.o.Logger.Error("the spool's disk failed; what recorders miss is kept in memory only", "dir", d.dir, "error", err)
	}
}

func fileName(number uint64) string { return fmt.Sprintf("spool-%012d", number) }
