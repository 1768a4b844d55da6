package peer

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"
)

const (
	// watchInterval is how often the path is looked at.
	watchInterval = 250 * time.Millisecond
	// silentMedia is how long a running stream may pause before other paths are
	// tried, silentIdle how long a session without one may: its keep-alives come
	// every second.
	silentMedia = 700 * time.Millisecond
	silentIdle  = 3 * time.Second
	// runningStream is for how many watchIntervals in a row packets have to come to
	// be a stream that does not pause by itself: a camera may send a frame a second.
	runningStream = 4
	// roundTime is how long the addresses of one round have to answer.
	roundTime = 2 * time.Second
	// askedTime is the same where the publisher has asked for a restart.
	askedTime = 400 * time.Millisecond
	// nominateAgain is after how long a nomination is repeated; it doubles.
	nominateAgain = 25 * time.Millisecond
	// fallbackAfter is how long a direct path is waited for before ICE restarts
	// with the relays that came in the answer.
	// or, sooner, with those that were known before.
	fallbackAfter = 1500 * time.Millisecond
	knownFallback = 700 * time.Millisecond
	// reachTime is how long signaling has to show that it works, restartTime how
	// long a restart may take.
	reachTime   = 3 * time.Second
	restartTime = 2500 * time.Millisecond
	// maxFailedRestarts is how many restarts may stay without an answer: the first
	// may be lost with the publisher's old connection to the signaling server.
	maxFailedRestarts = 2
	// firstRestart is the pause after a restart of ICE; it doubles up to lastRestart
	// as long as no path works.
	firstRestart = time.Second
	lastRestart  = 8 * time.Second
)

// keepPath finds better paths and new ones for lost ones, until the session ends.
func (c *Conn) keepPath() {
	if !c.ours.Load() {
		return
	}
	w := pathWatch{conn: c, restartWait: firstRestart, improveWait: time.Second}
	w.nextImprovement = time.Now().Add(w.improveWait)
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-c.moved:
			w.find("this machine's addresses changed")
		case reason := <-c.restartAsked:
			// The publisher moved; perhaps its new address answers already.
			if _, ok := c.round(anyPath, true, askedTime); !ok {
				w.restart(reason)
			}
		case <-tick.C:
			w.look(time.Now())
		}
	}
}

// pathWatch is the state of keepPath.
type pathWatch struct {
	conn            *Conn
	count           uint64 // packets at the last look
	steady          int    // looks in a row with new packets
	running         bool   // a stream was running when the last packets came
	failed          int    // restarts in a row that were not answered
	nextRestart     time.Time
	restartWait     time.Duration
	nextImprovement time.Time
	improveWait     time.Duration
}

// look is called every watchInterval.
func (w *pathWatch) look(now time.Time) {
	c := w.conn
	for _, a := range c.path.newAddresses() {
		c.check.learnAddress(a, ice.CandidateTypePeerReflexive)
	}
	if count := c.port.conn.count.Load(); count != w.count {
		w.steady++
		w.running = w.steady >= runningStream
		w.count = count
	} else {
		w.steady = 0
	}
	limit := silentIdle
	if w.running {
		limit = silentMedia
	}
	if last := c.path.lastReceived(); !last.IsZero() && now.Sub(last) > limit {
		w.find("nothing arrives any more")
		return
	}
	switch rank := c.path.rank(); {
	case rank == noPath, now.Before(w.nextImprovement):
	default:
		w.improve(rank)
		// A direct path is looked at twice, in case the first one to answer was not
		// the best; a relayed one ever again.
		w.improveWait = min(2*w.improveWait, lastImprovement)
		w.nextImprovement = now.Add(w.improveWait)
		if rank > relayedPath && w.improveWait > 4*time.Second {
			w.nextImprovement = now.Add(time.Hour)
		}
	}
}

// improve looks for a better path than the one in use.
func (w *pathWatch) improve(than pathRank) {
	if best, ok := w.conn.round(func(r pathRank) bool { return r > than }, false, roundTime); ok {
		w.conn.log.Info("a better path is used", "remote", best)
	}
}

func anyPath(pathRank) bool { return true }

// find looks for any path at all; if none answers, ICE restarts.
func (w *pathWatch) find(why string) {
	c := w.conn
	c.log.Info("looking for a path", "why", why)
	w.improveWait = time.Second
	w.nextImprovement = time.Now().Add(w.improveWait)
	if _, ok := c.round(anyPath, true, roundTime); ok {
		w.restartWait = firstRestart
		w.running = false // until packets come again: the camera may have paused
		return
	}
	if len(c.moved) == 0 && len(c.restartAsked) == 0 { // what interrupted the round comes next
		w.restart(why)
	}
}

func (w *pathWatch) restart(why string) {
	c := w.conn
	now := time.Now()
	if c.o.Restart == nil || c.ending() || now.Before(w.nextRestart) {
		return
	}
	if c.o.Reachable != nil {
		ctx, cancel := context.WithTimeout(c.ctx, reachTime)
		err := c.o.Reachable(ctx)
		cancel()
		if err != nil {
			c.log.Debug("the path is not renewed: the publisher cannot be signaled to", "error", err)
			return
		}
	}
	w.nextRestart = now.Add(w.restartWait)
	w.restartWait = min(2*w.restartWait, lastRestart)
	ctx, cancel := context.WithTimeout(c.ctx, restartTime)
	defer cancel()
	if err := c.restart(ctx); err != nil {
		c.log.Info("the path could not be renewed", "why", why, "error", err)
		if w.failed++; w.failed == maxFailedRestarts {
			// The publisher is there and does not answer: it has ended the session.
			c.end(errPathLost)
		}
		w.nextRestart = time.Time{} // the old path is given up; there is nothing to wait for
		select {
		case c.restartAsked <- "the last restart was not answered":
		default:
		}
		return
	}
	w.failed = 0
	w.improveWait = time.Second
	w.nextImprovement = time.Now().Add(w.improveWait)
}

// round checks all addresses of the publisher that would do and nominates the
// first that answers or, unless it is urgent, the best.
func (c *Conn) round(would func(pathRank) bool, urgent bool, patience time.Duration) (netip.AddrPort, bool) {
	ctx, cancel := context.WithTimeout(c.ctx, patience)
	defer cancel()
	c.mu.Lock()
	c.endRound = cancel
	c.mu.Unlock()
	type result struct {
		address netip.AddrPort
		rank    pathRank
		rtt     time.Duration
	}
	var asked sync.WaitGroup
	targets := c.check.ranked()
	answers := make(chan result, len(targets))
	for _, t := range targets {
		if !would(t.rank) {
			continue
		}
		asked.Go(func() {
			if rtt, err := c.check.check(ctx, t.address, urgent); err == nil {
				answers <- result{t.address, t.rank, rtt}
			}
		})
	}
	go func() { // ends with the checks
		asked.Wait()
		close(answers)
	}()
	var best result
	for r := range answers {
		if urgent {
			c.path.nominate(r.address)
			c.start(func() { _ = c.nominate(r.address) })
			cancel()
			asked.Wait()
			return r.address, true
		}
		if r.rank > best.rank || r.rank == best.rank && r.rtt < best.rtt {
			best = r
		}
	}
	if !best.address.IsValid() {
		return netip.AddrPort{}, false
	}
	return best.address, c.nominate(best.address) == nil
}

// nominate tells the publisher to use a path, and does so itself as soon as a
// request comes over it. The publisher first asks an address that is new to it, so
// it is told again when the answer must be there.
func (c *Conn) nominate(a netip.AddrPort) error {
	ctx, cancel := context.WithTimeout(c.ctx, roundTime)
	defer cancel()
	c.path.nominate(a)
	_, err := c.check.check(ctx, a, true)
	for wait := nominateAgain; err == nil && wait <= 4*nominateAgain; wait *= 2 {
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
			_, err = c.check.check(ctx, a, true)
		case <-ctx.Done():
			timer.Stop()
			err = ctx.Err()
		}
	}
	return err
}

// target is an address and how good a path to it would be.
type target struct {
	address netip.AddrPort
	rank    pathRank
}

// ranked returns the addresses, the best first.
func (c *checker) ranked() []target {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]target, 0, len(c.remotes))
	for _, r := range c.remotes {
		out = append(out, target{r.address, rankOf(r.kind, r.address.Addr())})
	}
	slices.SortStableFunc(out, func(a, b target) int { return int(b.rank - a.rank) })
	return out
}

// errNoRestart says that the other side's way of signaling knows no restarts.
var errNoRestart = errors.New("ICE cannot be restarted over this way of signaling")

// Restart makes new ICE parameters with the publisher, for a path that is lost or
// could be better; streams and connections go on. See DialOptions.Restart.
func (c *Conn) Restart(ctx context.Context) error {
	if err := c.restart(ctx); err != nil {
		return fmt.Errorf("peer: restart ICE: %w", err)
	}
	return nil
}

// AskRestart is for when the publisher asks for a restart. It does not wait.
func (c *Conn) AskRestart(reason string) {
	select {
	case c.restartAsked <- reason:
	default: // one is asked for already
	}
	c.interrupt()
}

// interrupt ends the round of checks that runs: what it finds would be of no use.
func (c *Conn) interrupt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.endRound != nil {
		c.endRound()
	}
}

func (c *Conn) restart(ctx context.Context) error {
	if c.o.Restart == nil {
		return errNoRestart
	}
	c.restarting.Lock()
	defer c.restarting.Unlock()
	c.path.restart()
	if c.relays != nil { // CreateOffer begins to gather
		if err := c.pc.SetConfiguration(c.withRelays()); err != nil {
			return fmt.Errorf("use the relays: %w", err)
		}
	}
	offer, err := c.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: true})
	if err != nil {
		return fmt.Errorf("make an offer: %w", err)
	}
	return c.negotiate(ctx, offer, c.o.Restart)
}
