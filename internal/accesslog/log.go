package accesslog

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// MaxRead is the most lines that Read returns at a time.
	MaxRead = 500

	queueLength = 256
	maxFileSize = 4 << 20 // bytes
	maxFiles    = 8
)

// Options are the settings of a Log. The zero value works.
type Options struct {
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Logger gets what went wrong with the files. Default: discard.
	Logger *slog.Logger

	fileSize int64 // default maxFileSize
	files    int   // default maxFiles
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.fileSize == 0 {
		o.fileSize = maxFileSize
	}
	if o.files == 0 {
		o.files = maxFiles
	}
	return o
}

// Head is the last line: its number and its hash. Zero before the first.
type Head struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
}

// store keeps the lines. The writer alone calls append, anybody read.
type store interface {
	// append makes lines durable, the first of which has number seq, or none of
	// them. Each ends in a newline.
	append(seq int64, lines [][]byte) error
	// read returns up to limit lines after a number, but none above last, and
	// the number of the oldest line that is kept.
	read(after, last int64, limit int) (lines []string, floor int64, err error)
	close() error
}

// Log is an open log. Safe for concurrent use.
type Log struct {
	// constant after Open
	options Options
	store   store
	queue   chan Entry
	flushes chan chan struct{}
	closing chan struct{}
	done    chan struct{}
	finish  func() error

	head    atomic.Pointer[Head] // of what is durable; written by the writer
	waiting atomic.Int64         // entries that were lost, and are not in the log yet
	lost    atomic.Int64         // all that were ever lost

	failing bool // the writer's: the last attempt to write failed
}

// Open opens the log in dir, or begins one: files of at most 4 MiB, mode 0600,
// the newest eight. It verifies the newest file. What a power cut left of a last
// line is moved into a file of its own; everything else stays as it is, and what
// does not fit is said in a new entry. With dir "" the log is kept in memory,
// its last lines only. Close it.
func Open(dir string, o Options) (*Log, error) {
	o = o.withDefaults()
	l := &Log{
		options: o,
		queue:   make(chan Entry, queueLength),
		flushes: make(chan chan struct{}),
		closing: make(chan struct{}),
		done:    make(chan struct{}),
	}
	var head Head
	if dir == "" {
		l.store = &memoryStore{}
	} else {
		files, found, err := openFiles(dir, o)
		if err != nil {
			return nil, fmt.Errorf("open the access log: %w", err)
		}
		l.store, head = files, found.head
		for _, what := range found.damages {
			o.Logger.Error("the access log is damaged", "dir", dir, "what", what)
			l.Add(Entry{Kind: Lost, What: what})
		}
	}
	l.head.Store(&head)
	l.finish = sync.OnceValue(func() error {
		close(l.closing)
		<-l.done
		return l.store.close()
	})
	go l.run()
	return l, nil
}

// Add queues an entry. It never blocks: when 256 are waiting the entry is lost,
// which is counted, and said in the log as soon as there is a place again. After
// Close it does nothing.
func (l *Log) Add(e Entry) {
	if e.Time.IsZero() {
		e.Time = l.options.Now()
	}
	select {
	case l.queue <- e.cut():
	default:
		l.lose(1)
	}
}

// Lost returns how many entries could not be written since Open.
func (l *Log) Lost() int64 { return l.lost.Load() }

func (l *Log) lose(n int64) {
	l.waiting.Add(n)
	l.lost.Add(n)
}

// Flush waits until everything added before is on disk, or was lost. It returns
// the context's error if that ends first, and nil after Close.
func (l *Log) Flush(ctx context.Context) error {
	flushed := make(chan struct{})
	select {
	case l.flushes <- flushed:
	case <-l.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-flushed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Head returns the last line that is on disk.
func (l *Log) Head() Head { return *l.head.Load() }

// Read returns up to limit lines, at most MaxRead, after the one with number
// after, without their newlines; and the number of the oldest line that is kept,
// 1 if there is none yet. Lines before it are gone: the first line returned may
// have a higher number than after+1.
func (l *Log) Read(after int64, limit int) (lines []string, floor int64, err error) {
	lines, floor, err = l.store.read(max(after, 0), l.Head().Seq, min(max(limit, 0), MaxRead))
	if err != nil {
		return nil, 0, fmt.Errorf("read the access log: %w", err)
	}
	return lines, floor, nil
}

// Close writes what is queued and closes the files. It waits for that.
// Idempotent.
func (l *Log) Close() error { return l.finish() }
