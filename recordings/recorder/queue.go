package recorder

import (
	"sync"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
)

// job is something for the goroutine that writes a stream.
type job struct {
	tracks *tracks // what follows is coded so; nil: as before
	// cause, unless it is empty, begins a gap since then.
	cause recordings.Cause
	since recordings.Time
	// video is shown before end; sound came with it.
	video, sound []*codecs.Unit
	end          recordings.Time
	bytes        int64
}

type tracks struct {
	video codecs.Track
	sound *codecs.Track
}

// maxJobs bounds what has no bytes: a camera that comes and goes while the disk
// hangs.
const maxJobs = 1000

// queue is what waits for the disk. Its bytes are bounded by who fills it. Safe for
// concurrent use.
type queue struct {
	wake chan struct{} // capacity 1

	mu     sync.Mutex // guards what follows
	jobs   []job
	bytes  int64 // of jobs, and of those that are being done
	closed bool
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

func (q *queue) push(j job) {
	q.mu.Lock()
	if n := len(q.jobs); n >= maxJobs && j.cause != "" && q.jobs[n-1].cause != "" {
		j.since = q.jobs[n-1].since
		q.jobs[n-1] = j
	} else {
		q.jobs = append(q.jobs, j)
	}
	q.bytes += j.bytes
	q.mu.Unlock()
	signal(q.wake)
}

// take waits for jobs and returns them; none: the queue is closed and empty.
func (q *queue) take() []job {
	for {
		q.mu.Lock()
		jobs, closed := q.jobs, q.closed
		q.jobs = nil
		q.mu.Unlock()
		if len(jobs) > 0 || closed {
			return jobs
		}
		<-q.wake
	}
}

// done says that a job was done.
func (q *queue) done(j job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.bytes -= j.bytes
}

// load returns how many bytes wait.
func (q *queue) load() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes
}

// close lets take return once the queue is empty. Idempotent.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	signal(q.wake)
}
