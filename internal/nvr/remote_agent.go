package nvr

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/recorder"
	"github.com/sightline-cam/sightline/recordings/remote"
	"github.com/sightline-cam/sightline/viewer"
)

// remoteAgent records the cameras of one agent elsewhere.
type remoteAgent struct {
	// Constant after construction.
	opts     Remote
	policy   recorder.Policy
	memory   *RemoteMemory
	ids      *localIDs
	onCamera func(id string)
	log      *slog.Logger
	remote   *remote.Remote
	answered chan struct{} // closed when the agent has listed its cameras, or refused to

	answeredOnce, crowded sync.Once

	mu      sync.Mutex // guards what follows
	cameras []*remoteCamera
	started bool // what is published is settled
	failure failure
	failed  time.Time // when it was noted
}

// failure is why the agent could not be reached the last time; the zero value: it
// was.
type failure struct {
	kind, reason string
	final        bool // the agent has decided so
}

// newRemoteAgent takes up what is remembered of the agent. make returns the rest of
// the options of a remote.Remote.
func newRemoteAgent(opts Remote, a *remoteAgent, base remote.Options) (*remoteAgent, error) {
	var err error
	a.opts, a.answered = opts, make(chan struct{})
	a.log = a.log.With("agent", opts.title())
	if a.policy, err = opts.policy(); err != nil {
		return nil, err
	}
	a.recall()
	base.Dial, base.Cameras, base.LocalID, base.OnCamera = a.dial, opts.Cameras, a.localID, a.found
	base.Policy = func(string) recorder.Policy { return a.policy }
	base.NotBefore = a.notBefore
	base.Logger = a.log
	a.remote, err = remote.New(base)
	return a, err
}

// recall takes up the cameras that are remembered.
func (a *remoteAgent) recall() {
	for _, known := range a.memory.cameras(a.opts.Peer) {
		if known.Gone || !a.opts.wants(known.ID) {
			continue
		}
		local := known.Local
		if !fitsID(a.opts.Prefix, known.ID, local) || !a.ids.take(a.opts.Peer, local) {
			local = a.ids.give(a.opts.Peer, a.opts.Prefix, known.ID)
			a.log.Warn("a camera of the agent has another id from now on; what was recorded of it stays under the one before",
				"camera", known.ID, "before", known.Local, "now", local)
			a.remember(known.ID, func(c *rememberedCamera) { c.Local, c.Deleted = local, nil })
		}
		a.add(&remoteCamera{
			id: local, remote: known.ID, source: newRemoteSource(), name: a.opts.cameraName(known.Name, known.ID), testPattern: known.TestPattern,
		})
	}
}

// add takes up a camera.
func (a *remoteAgent) add(c *remoteCamera) {
	a.mu.Lock()
	a.cameras = append(a.cameras, c)
	c.source.reason = a.failure.reason
	a.mu.Unlock()
	a.onCamera(c.id)
}

func (a *remoteAgent) remember(id string, change func(*rememberedCamera)) {
	if err := a.memory.change(a.opts.Peer, id, change); err != nil {
		a.log.Warn("after the next start this camera may be missing until the agent is reached, or have another id", "camera", id, "error", err)
	}
}

// run records until ctx ends.
func (a *remoteAgent) run(ctx context.Context) {
	_ = a.remote.Run(ctx) // only ever ctx's error
}

// localID is remote.Options.LocalID. It is empty for one camera too many.
func (a *remoteAgent) localID(id string) string {
	if c := a.byRemote(id); c != nil {
		return c.id
	}
	if !a.memory.room(a.opts.Peer, id) {
		a.crowded.Do(func() {
			a.log.Warn("the agent has more cameras than are recorded of one, with those that it does not have any more and that something is recorded of; name those that matter in the settings", "most", maxRemoteCameras)
		})
		return ""
	}
	local := ""
	for _, known := range a.memory.cameras(a.opts.Peer) {
		if known.ID == id && fitsID(a.opts.Prefix, id, known.Local) && a.ids.take(a.opts.Peer, known.Local) {
			local = known.Local // it was gone
		}
	}
	if local == "" {
		local = a.ids.give(a.opts.Peer, a.opts.Prefix, id)
	}
	a.remember(id, func(c *rememberedCamera) {
		if c.Local != local {
			c.Local, c.Deleted = local, nil
		}
	})
	a.add(&remoteCamera{id: local, remote: id, source: newRemoteSource(), name: a.opts.cameraName("", id)})
	return local
}

func (a *remoteAgent) byRemote(id string) *remoteCamera {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.cameras {
		if c.remote == id {
			return c
		}
	}
	return nil
}

// found is remote.Options.OnCamera.
func (a *remoteAgent) found(r *remote.Camera) {
	c := a.byRemote(r.Remote())
	if c == nil {
		return // localID has made it
	}
	name := printableName(r.Name())
	a.remember(c.remote, func(known *rememberedCamera) {
		known.Name, known.TestPattern, known.Gone = name, r.TestPattern(), false
	})
	c.source.set(r)
	a.mu.Lock()
	c.name, c.testPattern, c.gone = a.opts.cameraName(name, c.remote), r.TestPattern(), false
	late := a.started && !c.published
	a.mu.Unlock()
	if late {
		a.log.Info("a further camera of the agent is recorded; to watch it live here as well, start this recorder anew", "camera", c.id, "name", name)
	}
}

// dial is remote.Options.Dial: it notes how that went.
func (a *remoteAgent) dial(ctx context.Context, w remote.Want) (remote.Session, error) {
	if len(w.Cameras) > 0 {
		a.list()
	}
	if err := a.awaitMercy(ctx); err != nil {
		return nil, err
	}
	asks := len(w.Cameras) == 0 && a.remote.Status().Connected // whether it would answer another session
	s, err := a.opts.Dial(ctx, w)
	if ctx.Err() == nil && !asks {
		a.note(err)
	}
	return s, err
}

// list notes that the agent's list has come: those that it does not have any more
// are not published the next time.
func (a *remoteAgent) list() {
	there := make(map[string]bool)
	for _, c := range a.remote.Cameras() {
		there[c.Remote()] = true
	}
	a.mu.Lock()
	var gone []string
	for _, c := range a.cameras {
		if c.gone = !there[c.remote]; c.gone {
			gone = append(gone, c.remote)
		}
	}
	a.mu.Unlock()
	for _, id := range gone {
		a.remember(id, func(c *rememberedCamera) { c.Gone = true })
	}
	a.answer()
}

// answer notes that the agent has answered.
func (a *remoteAgent) answer() { a.answeredOnce.Do(func() { close(a.answered) }) }

// note says once why the agent cannot be reached.
func (a *remoteAgent) note(err error) {
	f := failureOf(err)
	a.mu.Lock()
	before := a.failure
	a.failure, a.failed = f, time.Now()
	sources := make([]*remoteSource, 0, len(a.cameras))
	for _, c := range a.cameras {
		sources = append(sources, c.source)
	}
	a.mu.Unlock()
	for _, s := range sources {
		s.fail(f.reason)
	}
	if f.final {
		a.answer()
	}
	if f.kind != "" && f.kind != before.kind {
		a.log.Warn("the cameras of the agent are not recorded; it is tried again", "reason", f.reason, "error", err)
	}
}

// refusedAgain is how long an agent that has refused this recorder is left alone: its
// owners see each attempt.
const refusedAgain = time.Minute

// awaitMercy waits until an agent that refused may be asked again.
func (a *remoteAgent) awaitMercy(ctx context.Context) error {
	a.mu.Lock()
	wait := time.Duration(0)
	if a.failure.final {
		wait = refusedAgain - time.Since(a.failed)
	}
	a.mu.Unlock()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// failureOf says in a sentence what an error of Dial means. The sentence is one of
// ours: what the agent, or the network, said is for the log, and guests see reasons.
func failureOf(err error) failure {
	if err == nil {
		return failure{}
	}
	_, refused := errors.AsType[*viewer.RejectedError](err)
	_, unclaimed := errors.AsType[*viewer.APIError](err)
	switch {
	case refused && unclaimed:
		return failure{"refused link", "The agent refuses this recorder, and does not accept its link. Its owner can make a new invitation.", true}
	case refused:
		return failure{"refused", "The agent refuses this recorder. Its owner lets it in by an invitation that gives live and playback.", true}
	case unclaimed:
		return failure{"link", "The agent does not accept the link. Its owner can make a new invitation.", true}
	}
	return failure{"unreachable", "The agent cannot be reached.", false}
}

// notBefore is remote.Options.NotBefore: what the rules would delete at once is not
// fetched, and neither is what was deleted.
func (a *remoteAgent) notBefore(s recordings.Stream) recordings.Time {
	first := recordings.Time(0)
	if keep := a.opts.Settings.Keep.Std(); keep > 0 {
		first = recordings.TimeOf(time.Now().Add(-keep))
	}
	for _, c := range a.memory.cameras(a.opts.Peer) {
		if c.Local == s.Camera {
			first = max(first, c.until(s.Rendition))
		}
	}
	return first
}

// publish returns the cameras to watch live here, once.
func (a *remoteAgent) publish() ([]*camera.Camera, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.started = true
	out := make([]*camera.Camera, 0, len(a.cameras))
	for _, c := range a.cameras {
		if c.gone {
			continue
		}
		w, err := c.watchable(Quiet(a.log)) // whoever keeps the connection says how it stands
		if err != nil {
			return nil, err
		}
		c.published = true
		out = append(out, w)
	}
	return out, nil
}
