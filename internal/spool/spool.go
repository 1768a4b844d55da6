package spool

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/internal/fragment"
)

// ErrGone says that a spool does not have a fragment, or no longer.
var ErrGone = errors.New("the spool does not have this any more")

// Renditions are the names of a camera's renditions, best first.
func Renditions() []string { return []string{"main", "sub"} }

// Spool keeps what a camera has delivered last. Safe for concurrent use.
type Spool struct {
	// Constant after construction.
	o     Options
	hubs  []*camera.Hub
	disk  *disk         // nil without a folder
	write chan struct{} // capacity 1: there is something for the disk
	ready chan struct{} // closed when what an earlier process left is known

	mu      sync.Mutex
	epoch   [epochSize]byte
	rings   []ring
	seq     uint64        // of the next fragment, over all renditions
	queue   []*record     // for the disk, in order; some may be gone meanwhile
	changed chan struct{} // closed and replaced when there is more
	lost    uint64        // groups of pictures that are not kept, see Stats
}

// New returns a spool for the renditions of a camera, best first. It does nothing
// before Run.
func New(hubs []*camera.Hub, o Options) *Spool {
	o.setDefaults()
	hubs = hubs[:min(len(hubs), len(Renditions()))]
	s := &Spool{o: o, hubs: hubs, rings: make([]ring, len(hubs)), changed: make(chan struct{}), write: make(chan struct{}, 1), ready: make(chan struct{}), seq: 1}
	_, _ = rand.Read(s.epoch[:]) // never fails
	if o.Dir == "" {
		close(s.ready)
	} else {
		s.disk = newDisk(s)
	}
	return s
}

// Of returns a spool for the hubs of a camera.
func Of(c *camera.Camera, o Options) *Spool {
	hubs := make([]*camera.Hub, c.Renditions())
	for i := range hubs {
		hubs[i] = c.Hub(i)
	}
	return New(hubs, o)
}

// Run keeps what the hubs deliver until ctx ends, then writes what belongs on disk
// and returns ctx's error. Call it once.
func (s *Spool) Run(ctx context.Context) error {
	feeds := make([]*feed, len(s.hubs))
	for i, h := range s.hubs {
		feeds[i] = newFeed(s, i, h)
		defer feeds[i].close()
	}
	var writing sync.WaitGroup
	defer writing.Wait()
	if s.disk != nil {
		s.disk.recover()
		close(s.ready)
		writing.Go(s.disk.run)
	}
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		for _, f := range feeds {
			f.look(time.Now(), false)
		}
		select {
		case <-tick.C:
			continue
		case <-ctx.Done():
		}
		break
	}
	for _, f := range feeds {
		f.look(time.Now(), true)
	}
	if s.disk != nil {
		close(s.disk.last)
	}
	return ctx.Err()
}

// add keeps a fragment. busy is what is in progress, in bytes.
func (s *Spool) add(rendition int, f *fragment.Fragment, busy int64) error {
	encoded, err := fragment.Encode(f)
	if err != nil {
		return err
	}
	h, err := fragment.DecodeHead(encoded)
	if err != nil {
		return fmt.Errorf("read what was encoded: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &record{rendition: rendition, seq: s.seq, headBytes: h.Bytes, bytes: len(encoded), memory: encoded}
	s.seq++
	s.rings[rendition].add(r)
	s.rings[rendition].trim(s.o.MemoryBytes - busy)
	if s.disk != nil {
		if len(s.queue) == maxQueue {
			s.queue = s.queue[1:]
		}
		s.queue = append(s.queue, r)
		select {
		case s.write <- struct{}{}:
		default:
		}
	}
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

// maxQueue bounds the records that wait for the disk; their bytes are bounded as
// those in memory. The oldest stay in memory only.
const maxQueue = 1024

// rendition returns the number of a rendition by its name; "" is the first.
func (s *Spool) rendition(name string) (int, bool) {
	if name == "" {
		return 0, true
	}
	for i, n := range Renditions()[:len(s.rings)] {
		if n == name {
			return i, true
		}
	}
	return 0, false
}

// List returns the fragments of a rendition with a greater number than after, and a
// channel that is closed when there may be more. With heads, each entry has its
// head. ok is false if there is no such rendition.
func (s *Spool) List(rendition string, after uint64, heads bool) (l fragment.List, changed <-chan struct{}, ok bool) {
	number, ok := s.rendition(rendition)
	if !ok {
		return l, nil, false
	}
	most := fragment.MaxEntries
	if heads {
		most = fragment.MaxHeads
	}
	s.mu.Lock()
	g := &s.rings[number]
	l = fragment.List{Epoch: base64.RawURLEncoding.EncodeToString(s.epoch[:]), Next: s.seq, First: s.seq, Fragments: []fragment.Entry{}}
	if len(g.records) > 0 {
		l.First = g.records[0].seq
	}
	changed = s.changed
	i := g.after(after)
	page := make([]listed, 0, min(len(g.records)-i, most))
	for _, r := range g.records[i:] {
		if len(page) == most {
			l.More = true
			break
		}
		page = append(page, listed{r, r.memory})
	}
	s.mu.Unlock()
	size := 0
	for _, p := range page {
		e, ok := s.entry(p, heads)
		if !ok {
			continue // it has just gone
		}
		if size += len(e.Head); size > maxHeads && len(l.Fragments) > 0 {
			l.More = true
			break
		}
		l.Fragments = append(l.Fragments, e)
	}
	return l, changed, true
}

// maxHeads bounds the heads of one answer, in bytes.
const maxHeads = 512 << 10

// listed is a record, and its fragment where that was in memory.
type listed struct {
	*record
	encoded []byte
}

// entry describes a record.
func (s *Spool) entry(p listed, head bool) (fragment.Entry, bool) {
	if p.encoded != nil || !head {
		e := p.describe(p.encoded)
		if head {
			e.Head = p.encoded[:p.headBytes]
		}
		return e, true
	}
	src, err := s.open(Renditions()[p.rendition], p.seq)
	if err != nil {
		return fragment.Entry{}, false
	}
	defer src.close()
	e := src.entry
	e.Head = make([]byte, min(p.headBytes, src.size))
	if _, err := src.ReadAt(e.Head, 0); err != nil {
		return fragment.Entry{}, false
	}
	return e, true
}

// Fragment returns an encoded fragment and its entry. Errors: ErrGone.
func (s *Spool) Fragment(rendition string, seq uint64) (fragment.Entry, []byte, error) {
	src, err := s.open(rendition, seq)
	if err != nil {
		return fragment.Entry{}, nil, err
	}
	defer src.close()
	encoded := make([]byte, src.size)
	if _, err := src.ReadAt(encoded, 0); err != nil {
		return fragment.Entry{}, nil, fmt.Errorf("%w: %w", ErrGone, err)
	}
	return src.entry, encoded, nil
}

// drop takes out a record that cannot be read.
func (s *Spool) drop(r *record, at *logFile) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := &s.rings[r.rendition]
	if i, found := g.find(r.seq); found && g.records[i] == r && r.file == at && r.memory == nil {
		g.records = append(g.records[:i:i], g.records[i+1:]...)
	}
}

// Stats are what a spool has, of all renditions.
type Stats struct {
	Fragments int
	// Memory and Disk are bytes.
	Memory, Disk int64
	// Lost counts groups of pictures that are not kept: the process was too slow,
	// or they are too large.
	Lost uint64
	// DiskFailed says that nothing is written to disk at the moment.
	DiskFailed bool
}

// Stats returns what there is now.
func (s *Spool) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Stats{Lost: s.lost}
	for i := range s.rings {
		st.Fragments += len(s.rings[i].records)
		st.Memory += s.rings[i].memory
	}
	if s.disk != nil {
		st.Disk, st.DiskFailed = s.disk.used.Load(), s.disk.failed.Load()
	}
	return st
}
