package remote

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/fragment"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/viewer"
)

// recording records one camera, over one session after another. Its goroutine, run,
// owns it but for what is said to be shared.
type recording struct {
	// Constant after construction.
	o      *Options
	camera *Camera

	frames  chan viewer.Frame // from the session; what does not fit is lost, and fetched
	control chan sessionChange
	results chan func(now time.Time) // what requests came to
	ended   chan struct{}            // closed when nobody takes results any more
	done    chan struct{}            // closed when run has returned
	stop    context.CancelFunc       // ends run; set before

	collector *collector
	streams   []*stream
	session   *attached // nil while there is none
	detached  time.Time // since when there is none
	requests  sync.WaitGroup
}

// sessionChange is a new session, or none.
type sessionChange struct {
	*attached
	done chan struct{} // closed when it was taken note of
}

// attached is a session that is being used. Constant.
type attached struct {
	ctx    context.Context //nolint:containedctx // its life
	http   *http.Client
	urgent *urgency
}

const (
	// frameQueue is how many frames wait at most, some seconds of them.
	frameQueue = 256
	// tick is how often it is looked whether something is due.
	tick = 250 * time.Millisecond
	// salvageAfter is how long an agent is waited for before what came of it last is
	// written as it is.
	salvageAfter = 10 * time.Second
)

func newRecording(o *Options, c *Camera) *recording {
	r := &recording{
		o: o, camera: c, frames: make(chan viewer.Frame, frameQueue), control: make(chan sessionChange),
		results: make(chan func(time.Time)), ended: make(chan struct{}), done: make(chan struct{}),
		collector: &collector{limit: o.MemoryBytes * 2 / 3},
	}
	policy := o.Policy(c.ID())
	renditions := policy.Renditions
	if len(renditions) == 0 {
		renditions = []string{recordings.Main}
	}
	for _, rendition := range renditions {
		s := &stream{
			o: o, name: recordings.Stream{Camera: c.ID(), Rendition: rendition}, remote: c.Remote(), title: c.Name(),
			gate: gate{policy: policy, store: o.Store, camera: c.ID()}, sound: policy.Audio,
			log: o.Logger.With("camera", c.ID(), "rendition", rendition), holes: &holes{agent: &o.bounds.holes}, plain: newPlainWriter(),
			follower: &follower{liveWait: o.Patience + 2*time.Second, inlineWait: o.InlineWait, memory: o.MemoryBytes, sound: policy.Audio},
		}
		s.status = StreamStatus{Camera: c.ID(), Remote: c.Remote(), Rendition: rendition}
		if rendition == recordings.Main { // what comes live
			s.follower.live = r.collector
		}
		r.streams = append(r.streams, s)
	}
	return r
}

// attach says over which session frames come from now on; nil: there is none. It
// returns when frames of another one are over.
func (r *recording) attach(ctx context.Context, a *attached) {
	done := make(chan struct{})
	select {
	case r.control <- sessionChange{a, done}:
		<-done
	case <-ctx.Done():
	}
}

// frame takes a frame of the present session. It does not block.
func (r *recording) frame(f viewer.Frame) {
	select {
	case r.frames <- f:
	default:
	}
}

// run records until ctx ends.
func (r *recording) run(ctx context.Context) {
	defer close(r.done)
	defer func() {
		close(r.ended)
		r.requests.Wait() // ctx has ended them
		for _, s := range r.streams {
			s.close()
		}
	}()
	r.detached = time.Now()
	ticks := time.NewTicker(tick)
	defer ticks.Stop()
	for {
		select {
		case f := <-r.frames:
			r.take(f)
			continue // what follows is done by the clock
		case c := <-r.control:
			r.change(ctx, c.attached)
			close(c.done)
		case f := <-r.results:
			f(time.Now())
		case <-ticks.C:
		case <-ctx.Done():
			return
		}
		r.look(ctx, time.Now())
	}
}

// take takes a frame.
func (r *recording) take(f viewer.Frame) {
	if !f.Codec.Video() {
		if len(r.streams) > 0 && r.streams[0].sound {
			r.collector.sound(f.Codec, f.Unit)
		}
		return
	}
	r.collector.picture(f.Codec, f.Unit)
	if f.Unit.Key {
		r.soon()
	}
}

// soon says that the agent's list has something new in a moment.
func (r *recording) soon() {
	at := time.Now().Add(listSoon)
	for _, s := range r.streams {
		if s.follower.live != nil && s.listNext.After(at) {
			s.listNext = at
		}
	}
}

// change goes over to another session.
func (r *recording) change(ctx context.Context, a *attached) {
	for len(r.frames) > 0 {
		r.take(<-r.frames)
	}
	if a == nil {
		r.collector.end()
		if r.session != nil {
			r.detached = time.Now()
		}
		r.session = nil
		for _, s := range r.streams {
			s.detach()
		}
		return
	}
	r.collector.begin()
	r.session = a
	for _, s := range r.streams {
		s.detach()
		s.listNext = time.Time{}
		if s.mode == liveOnly || s.mode == absent {
			s.mode = asking // the agent may be another version by now
		}
	}
}

// look does what is due.
func (r *recording) look(ctx context.Context, now time.Time) {
	memory := r.o.bounds.memory(r.o.MemoryBytes)
	r.collector.limit = memory * 2 / 3
	for _, s := range r.streams {
		s.follower.memory = memory
		if s.tape == nil {
			if err := s.open(ctx); err != nil {
				s.report(err)
				continue
			}
		}
		switch s.mode {
		case liveOnly:
			for _, f := range s.plain.take(r.collector, s.sound) {
				s.write(ctx, f, fragment.Entry{}, false)
			}
		case verified:
			s.settle(ctx, s.follower.step(now, r.session != nil))
			s.recheck(ctx, now)
		case asking, absent:
		}
		if r.session != nil {
			r.ask(ctx, s, now)
		} else if now.Sub(r.detached) >= salvageAfter {
			s.salvage(ctx)
		}
		s.publish(r.session != nil)
	}
}

// ask makes the requests that are due.
func (r *recording) ask(ctx context.Context, s *stream, now time.Time) {
	a := r.session
	client := &api{http: a.http, camera: s.remote, rendition: s.name.Rendition}
	if !s.listing && s.mode != liveOnly && s.mode != absent && !now.Before(s.listNext) && (!s.joined || !s.follower.full()) {
		s.listing, s.listNext = true, now.Add(listEvery)
		if s.joined {
			r.list(a, s, client)
		} else {
			s.settle(ctx, s.follower.flush(now))
			r.join(a, s, client)
		}
	}
	if s.mode != verified || !s.joined {
		return
	}
	if i, p := s.follower.fetch(now); i != nil && !s.fetching {
		i.fetching, s.fetching = true, true
		r.fetch(a.ctx, a.urgent, s, client, i, p) //nolint:contextcheck // it ends with the session
	}
}

// result hands over what a request came to.
func (r *recording) result(f func(now time.Time)) {
	select {
	case r.results <- f:
	case <-r.ended:
	}
}

// list asks for what is new.
func (r *recording) list(a *attached, s *stream, client *api) {
	after := s.follower.cursor
	r.requests.Go(func() {
		l, err := client.list(a.ctx, after, true)
		r.result(func(now time.Time) {
			s.listing = false
			if r.session != a {
				return
			}
			switch {
			case err != nil:
				s.noList(err)
			case l.Epoch != s.epoch:
				s.joined, s.listNext = false, now.Add(listSoon)
			default:
				s.listed(now, l)
				if l.More && len(l.Fragments) > 0 {
					s.listNext = now
				}
			}
		})
	})
}

// join asks for all that the agent has, and what of it is missing.
func (r *recording) join(a *attached, s *stream, client *api) {
	first := s.o.NotBefore(s.name)
	r.requests.Go(func() {
		j, err := joined{}, error(nil)
		if leave, full := s.o.bounds.join(a.ctx); full != nil {
			err = full
		} else {
			j, err = join(a.ctx, client, s.o.Store, s.name, first)
			leave()
		}
		r.result(func(now time.Time) {
			s.listing = false
			if r.session != a {
				return
			}
			if err != nil {
				s.noList(err)
				return
			}
			s.join(a.ctx, j)
			s.listNext = now
		})
	})
}

// fetch fetches what an item lacks.
func (r *recording) fetch(ctx context.Context, urgent *urgency, s *stream, client *api, i *item, p part) {
	e, got := i.entry, i.got
	ctx, stop := context.WithCancel(ctx)
	i.stop = stop
	urgent.enter()
	r.requests.Go(func() {
		defer stop()
		defer urgent.leave()
		q := request{seq: e.Seq, to: e.Bytes}
		if p == onlySound {
			q.from = e.Bytes - e.Sound.Bytes
		} else if e.Sound != nil && !s.sound {
			q.to = e.Bytes - e.Sound.Bytes
		}
		from := q.from
		q.from += len(got)
		data, err := client.fetch(ctx, q)
		got = append(got, data...)
		if err == nil && len(got) != q.to-from {
			err = errAnswer
		}
		r.result(func(now time.Time) {
			i.got, s.fetching = got, false
			s.fetched(now, i, p, err)
		})
	})
}

// listed takes entries of the agent's list.
func (s *stream) listed(now time.Time, l fragment.List) {
	entries, odd := believable(now, l.Fragments)
	if odd != nil {
		s.tellOdd()
	}
	s.follower.listed(now, entries)
	if n := len(l.Fragments); n > 0 && !s.follower.full() {
		s.follower.cursor = max(s.follower.cursor, l.Fragments[n-1].Seq) // those left out as well
	}
}

// noList takes that there was no list.
func (s *stream) noList(err error) {
	switch {
	case errors.Is(err, errNoSpool) && s.mode != liveOnly && s.follower.live != nil:
		s.mode = liveOnly
		if s.told {
			break
		}
		s.told = true
		s.log.Warn("recorded as it comes live; what is lost on the way cannot be fetched again. Let the agent keep pictures for recorders, and give this recorder the right to play back", "reason", err)
	case errors.Is(err, errNoSpool), errors.Is(err, errGone):
		s.mode = absent
	default:
		s.log.Debug("the agent's list did not come", "error", err)
	}
}
