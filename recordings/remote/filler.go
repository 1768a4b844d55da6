package remote

import (
	"context"
	"errors"
	"time"

	"github.com/sightline-cam/sightline/internal/fragment"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/recorder"
)

// filler fetches in the background what recordings lack, for all streams of one
// session, the newest first. Its goroutine owns it.
type filler struct {
	// Constant after construction.
	o       *Options
	streams []*stream
	session *attached

	// What has come of a fragment before the connection was lost is kept for the
	// next one.
	partial *partial
}

// partial is the beginning of a fragment. It is shared by one filler after another.
type partial struct {
	stream *stream
	digest fragment.Digest
	data   []byte
}

// fillEvery is how often it is looked whether something is missing, and fillAgain
// how long after a failure.
const (
	fillEvery = time.Second
	fillAgain = 2 * time.Second
)

// run fetches until ctx, the session's, ends.
func (f *filler) run(ctx context.Context) {
	for {
		s, chunk := f.choose(time.Now())
		wait := fillEvery
		if s != nil {
			wait = 0
			if err := f.fill(ctx, s, chunk); err != nil {
				wait = fillAgain
				if ctx.Err() == nil {
					s.log.Debug("what is missing did not come", "error", err)
				}
				if errors.Is(err, errStalled) { // the others' turn
					s.holes.wait(time.Now().Add(stall))
				}
			}
		}
		if sleep(ctx, wait) != nil {
			return
		}
	}
}

// choose returns the newest that is missing.
func (f *filler) choose(now time.Time) (best *stream, chunk []fragment.Entry) {
	for _, s := range f.streams {
		if !s.fillable.Load() {
			continue
		}
		c := s.holes.newest(now, f.o.ChunkDuration)
		if len(c) > 0 && (best == nil || c[len(c)-1].StartUs > chunk[len(chunk)-1].StartUs) {
			best, chunk = s, c
		}
	}
	return best, chunk
}

// fill fetches the fragments of a chunk and writes them to a segment. Those that are
// written, and those that cannot be fetched, are no holes any more.
func (f *filler) fill(ctx context.Context, s *stream, chunk []fragment.Entry) (err error) {
	client := &api{http: f.session.http, camera: s.remote, rendition: s.name.Rendition}
	var tape Tape
	defer func() {
		if tape != nil {
			err = errors.Join(err, tape.Close())
		}
	}()
	for _, e := range chunk {
		fr, err := f.piece(ctx, client, s, e)
		if err != nil {
			return err
		}
		if fr == nil { // what follows begins a segment of its own
			s.holes.remove(e)
			if tape != nil {
				err = tape.Close()
				tape = nil
			}
			if err != nil {
				return err
			}
			continue
		}
		if tape == nil {
			if err := f.o.bounds.fills.Wait(ctx); err != nil {
				return err
			}
			o := s.tapeOptions()
			o.Store = f.o.Store
			o.Origin, o.Past = recordings.Backfill, recorder.Past{Generation: int(s.generation.Load())}
			tape = f.o.NewTape(o)
		}
		tape.SetTracks(fr.VideoTrack, fr.AudioTrack)
		if err := tape.Write(ctx, fr.Video, fr.Audio, rangeOf(e).To); err != nil {
			s.holes.wait(time.Now().Add(retryStore))
			return err
		}
		s.holes.remove(e)
		s.count(func(st *StreamStatus) { st.Backfilled++; st.BackfilledBytes += int64(e.Bytes) })
	}
	return nil
}

// piece fetches a fragment, if it is wanted, missing, and there; else it is nil.
func (f *filler) piece(ctx context.Context, client *api, s *stream, e fragment.Entry) (*fragment.Fragment, error) {
	r := rangeOf(e)
	if s.gate.cause(ctx, r) != "" {
		return nil, nil
	}
	recorded, err := recordedIn(ctx, f.o.Store, s.name, recordings.Range{From: r.From, To: r.From + 1})
	if err != nil || len(recorded) > 0 {
		return nil, err
	}
	fr, err := f.fetch(ctx, client, s, e)
	if errors.Is(err, errGone) {
		s.count(func(st *StreamStatus) { st.Gone++ })
		return nil, nil
	}
	return fr, err
}

// count changes the status.
func (s *stream) count(change func(*StreamStatus)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.status)
}

// maxWrong is how often a fragment may be another one than what is listed.
const maxWrong = 3

// fetch fetches one fragment, from where the last attempt ended. Errors: errGone,
// also for what is never what is listed.
func (f *filler) fetch(ctx context.Context, client *api, s *stream, e fragment.Entry) (*fragment.Fragment, error) {
	p := f.partial
	if p.stream != s || p.digest != e.Digest {
		*p = partial{stream: s, digest: e.Digest}
	}
	to := e.Bytes
	if e.Sound != nil && !s.sound {
		to -= e.Sound.Bytes
	}
	for wrong := 0; wrong < maxWrong; wrong++ {
		if err := f.session.urgent.wait(ctx); err != nil {
			return nil, err
		}
		if len(p.data) < to {
			data, err := client.fetch(ctx, request{seq: e.Seq, from: len(p.data), to: to, background: true, rate: f.o.BackfillRate, budget: f.o.bounds.bits})
			p.data = append(p.data, data...)
			if err != nil {
				return nil, err
			}
		}
		fr, err := wholeIn(e, p.data, s.sound)
		p.data = nil
		if err == nil {
			return fr, nil
		}
	}
	s.log.Warn("the agent does not give what it lists", "fragment", e.Seq)
	return nil, errGone
}
