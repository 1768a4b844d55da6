package spool

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/internal/fragment"
)

// scene is a spool with the hubs that it looks at.
type scene struct {
	t    *testing.T
	s    *Spool
	hubs []*camera.Hub
	next int64
	stop func()
}

// run starts a spool of one or two renditions.
func run(t *testing.T, renditions int, o Options) *scene {
	t.Helper()
	c := &scene{t: t, next: 100}
	for range renditions {
		h := camera.NewHub(camera.HubOptions{})
		h.SetTracks([]codecs.Track{{Codec: codecs.H264, ClockRate: 90_000}})
		c.hubs = append(c.hubs, h)
	}
	c.s = New(c.hubs, o)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = c.s.Run(ctx) })
	c.stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	t.Cleanup(c.stop)
	return c
}

// show delivers n seconds with 5 pictures of size bytes each, and lets them pass.
func (c *scene) show(n, size int) {
	for range n {
		for i := range int64(5) {
			for _, h := range c.hubs {
				h.WriteUnit(&codecs.Unit{
					PTS: (c.next*10 + i*2) * 9000, At: c.next*second + i*second/5, Key: i == 0, Arrived: time.Now(),
					Payload: [][]byte{bytes.Repeat([]byte{byte(c.next), byte(i)}, size/2)},
				})
			}
			<-time.After(200 * time.Millisecond)
		}
		c.next++
	}
	<-time.After(2 * look)
}

func (c *scene) list(rendition string) fragment.List {
	c.t.Helper()
	l, _, ok := c.s.List(rendition, 0, false)
	if !ok {
		c.t.Fatalf("there is no rendition %q", rendition)
	}
	return l
}

// verify fetches all that is listed and returns the starts in seconds.
func (c *scene) verify(rendition string) (starts []int64) {
	c.t.Helper()
	for _, e := range c.list(rendition).Fragments {
		same, encoded, err := c.s.Fragment(rendition, e.Seq)
		if err != nil {
			c.t.Fatal(err)
		}
		f, err := fragment.Decode(encoded)
		if err != nil || same.Digest != e.Digest || fragment.DigestOf(f.Video) != e.Digest || f.Start() != e.StartUs || len(encoded) != e.Bytes {
			c.t.Fatalf("fragment %d is not what was listed: %v", e.Seq, err)
		}
		starts = append(starts, e.StartUs/second)
	}
	return starts
}

func TestSpool_KeepsTheNewestWithinItsMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := run(t, 2, Options{MemoryBytes: 50_000})
		c.show(30, 1000) // 5 kB a second
		for _, rendition := range []string{"main", "sub", ""} {
			got := c.verify(rendition)
			if len(got) < 6 || len(got) > 9 || got[len(got)-1] != 128 {
				t.Errorf("%s: %v", rendition, got)
			}
		}
		if st := c.s.Stats(); st.Memory > 2*50_000 || st.Lost != 0 || st.Disk != 0 {
			t.Errorf("stats %+v", st)
		}
		l := c.list("main")
		if _, _, err := c.s.Fragment("main", l.First-1); !errors.Is(err, ErrGone) {
			t.Errorf("what was pushed out: %v", err)
		}
		if _, _, ok := c.s.List("other", 0, false); ok {
			t.Error("a rendition that does not exist")
		}
		heads, _, _ := c.s.List("main", l.Fragments[2].Seq, true)
		if len(heads.Fragments) != len(l.Fragments)-3 || len(heads.Fragments[0].Head) == 0 {
			t.Errorf("heads %+v", heads)
		}
	})
}

func TestSpool_DiskKeepsMoreAndIsBounded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "front")
	synctest.Test(t, func(t *testing.T) {
		c := run(t, 1, Options{MemoryBytes: 200_000, Dir: dir, DiskBytes: minDisk})
		c.show(100, 20_000) // 100 kB a second; memory has room for one
		got := c.verify("main")
		if len(got) < 25 || len(got) > 41 || got[len(got)-1] != 198 {
			t.Errorf("%v", got)
		}
		if n := used(t, dir); n > minDisk || n != c.s.Stats().Disk {
			t.Errorf("%d bytes on disk, %d known", n, c.s.Stats().Disk)
		}
	})
}

func used(t *testing.T, dir string) (n int64) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		n += info.Size()
	}
	return n
}

func TestSpool_GoesOnAfterARestart(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := run(t, 2, Options{Dir: dir})
		c.show(4, 1000)
		before := c.list("main")
		c.stop() // with a group in progress, which is kept too
		d := run(t, 2, Options{Dir: dir})
		d.next = 200
		d.show(4, 1000)
		after := d.list("main")
		if before.Epoch != after.Epoch || len(before.Fragments) != 3 {
			t.Fatalf("before %+v\nafter %+v", before, after)
		}
		got := d.verify("main")
		if want := []int64{100, 101, 102, 103, 200, 201, 202}; !equal(got, want) || !equal(d.verify("sub"), want) {
			t.Errorf("got %v, want %v", got, want)
		}
		for i, e := range before.Fragments {
			if again := after.Fragments[i]; again.Seq != e.Seq || again.Digest != e.Digest {
				t.Errorf("fragment %d became %d", e.Seq, again.Seq)
			}
		}
		if e := after.Fragments[4]; e.Seq <= after.Fragments[3].Seq || e.After != "restart" {
			t.Errorf("after the restart: %+v", e)
		}
	})
}

func equal(a, b []int64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// What a power cut leaves is a whole number of records and rubbish behind, or
// nothing of the file at all.
func TestSpool_TornEndOfAFileIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		c := run(t, 1, Options{Dir: dir})
		c.show(5, 1000)
		seqs := c.list("main").Fragments
		c.stop()
		path := filepath.Join(dir, fileName(1))
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		record := (len(whole) - fileHeader) / 5
		r := rand.New(rand.NewPCG(1, 2))
		for _, n := range []int{0, 1, fileHeader - 1, fileHeader, fileHeader + 5, fileHeader + record - 1, fileHeader + record, fileHeader + 2*record + 50, len(whole) - 1, len(whole)} {
			for _, tail := range [][]byte{nil, make([]byte, 3000), randomBytes(r, 3000)} {
				dir := t.TempDir()
				if err := os.WriteFile(filepath.Join(dir, fileName(1)), append(bytes.Clone(whole[:n]), tail...), 0o600); err != nil {
					t.Fatal(err)
				}
				d := run(t, 1, Options{Dir: dir})
				d.next = 300
				d.show(2, 1000)
				got := d.verify("main")
				want := max(n-fileHeader, 0) / record
				if len(got) != want+1 || want > 0 && got[0] != 100 {
					t.Errorf("cut to %d of %d bytes: got %v, want %d", n, len(whole), got, want)
				}
				if l := d.list("main").Fragments; want > 0 && l[want].Seq <= seqs[len(seqs)-1].Seq {
					t.Errorf("number %d was given again", l[want].Seq)
				}
				d.stop()
			}
		}
	})
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestSpool_DamagedFragmentIsNotGivenOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		c := run(t, 1, Options{Dir: dir})
		c.show(5, 1000)
		c.stop()
		path := filepath.Join(dir, fileName(1))
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		// A second file makes the first one old, whose bytes are not read at the start.
		d := run(t, 1, Options{Dir: dir})
		d.show(2, 1000)
		d.stop()
		b[fileHeader+recordHeader+2000] ^= 1
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		e := run(t, 1, Options{Dir: dir})
		<-time.After(time.Second)
		l := e.list("main").Fragments
		if _, _, err := e.s.Fragment("main", l[0].Seq); !errors.Is(err, ErrGone) {
			t.Errorf("a damaged fragment: %v", err)
		}
		if n := len(e.verify("main")); n != len(l)-1 {
			t.Errorf("%d of %d are left", n, len(l))
		}
	})
}

// faulty is a disk that fails while it is told to.
type faulty struct {
	system
	mu   sync.Mutex
	fail error
	at   string // "create", "write", "sync"
}

func (f *faulty) set(at string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at, f.fail = at, err
}

func (f *faulty) check(at string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.at == at {
		return f.fail
	}
	return nil
}

func (f *faulty) Create(dir, path string) (file, error) {
	if err := f.check("create"); err != nil {
		return nil, err
	}
	w, err := f.system.Create(dir, path)
	return &faultyFile{w, f}, err
}

type faultyFile struct {
	file
	disk *faulty
}

func (f *faultyFile) Write(p []byte) (int, error) {
	if err := f.disk.check("write"); err != nil {
		n, _ := f.file.Write(p[:len(p)/2])
		return n, err
	}
	return f.file.Write(p)
}

func (f *faultyFile) Sync() error {
	if err := f.disk.check("sync"); err != nil {
		return err
	}
	return f.file.Sync()
}

func TestSpool_FailingDiskCostsOneLineAndNoPicture(t *testing.T) {
	for _, at := range []string{"create", "write", "sync"} {
		t.Run(at, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				var log lines
				disk := &faulty{}
				if at == "create" {
					disk.set(at, errors.New("input/output error"))
				}
				c := run(t, 1, Options{Dir: dir, files: disk, Logger: slog.New(slog.NewTextHandler(&log, nil))})
				c.show(5, 1000)
				disk.set(at, errors.New("input/output error"))
				c.show(20, 1000)
				if got := c.verify("main"); len(got) != 24 {
					t.Errorf("with the disk gone: %v", got)
				}
				if !c.s.Stats().DiskFailed || log.count("spool's disk failed") != 1 {
					t.Errorf("log: %s", log.String())
				}
				disk.set("", nil)
				c.show(70, 1000)
				if c.s.Stats().DiskFailed || log.count("on disk again") != 1 || log.count("level=ERROR") != 1 {
					t.Errorf("log: %s", log.String())
				}
				c.stop()
				d := run(t, 1, Options{Dir: dir})
				<-time.After(time.Second)
				if got := d.verify("main"); len(got) < 10 || got[len(got)-1] != 194 {
					t.Errorf("after all: %v", got)
				}
			})
		})
	}
}

// lines is a log.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lines) count(text string) int { return strings.Count(l.String(), text) }

var _ io.Writer = (*lines)(nil)

func FuzzRecord(f *testing.F) {
	fr := &fragment.Fragment{VideoTrack: video(), Video: []*codecs.Unit{picture(second, true, 50)}, Duration: time.Second}
	encoded, err := fragment.Encode(fr)
	if err != nil {
		f.Fatal(err)
	}
	r := &record{seq: 9, headBytes: 30, bytes: len(encoded)}
	r.describe(encoded)
	f.Add(append(r.appendHeader(nil, encoded), encoded...))
	f.Add(appendFileHeader(nil, [epochSize]byte{1}, 3, 4))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _, _, _ = parseFileHeader(b)
		got, err := verify(memory(b), 0, 9)
		if err != nil {
			return
		}
		data := b[recordHeader : recordHeader+got.bytes]
		if again := append(got.appendHeader(nil, data), data...); !bytes.Equal(again[:recordHeader], b[:recordHeader]) {
			t.Fatalf("another header: %x, was %x", again[:recordHeader], b[:recordHeader])
		}
	})
}

type memory []byte

func (m memory) ReadAt(p []byte, off int64) (int, error) { return bytes.NewReader(m).ReadAt(p, off) }
func (m memory) Size() (int64, error)                    { return int64(len(m)), nil }
func (m memory) Close() error                            { return nil }
