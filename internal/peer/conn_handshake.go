package peer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/sightline-cam/sightline/internal/nat"
)

// Reply is what the publisher answers to an offer.
type Reply struct {
	// SDP is the answer.
	SDP string
	// ICE are servers that help to reach it, for when no direct way works.
	ICE []ICEServer
}

// AnswerOnly makes a DialOptions.Signal of a way of signaling that carries nothing
// but the answer.
func AnswerOnly(signal func(ctx context.Context, offerSDP string) (answerSDP string, err error)) func(context.Context, string) (Reply, error) {
	return func(ctx context.Context, offer string) (Reply, error) {
		answer, err := signal(ctx, offer)
		return Reply{SDP: answer}, err
	}
}

// exchange carries an offer to the publisher and returns its answer.
type exchange func(ctx context.Context, offerSDP string) (Reply, error)

// establish carries out the handshake.
func (c *Conn) establish(ctx context.Context) error {
	offer, err := c.pc.CreateOffer(nil)
	if err != nil {
		return fmt.Errorf("make an offer: %w", err)
	}
	if err := c.negotiate(ctx, offer, c.o.Signal); err != nil {
		return err
	}
	patience := fallbackAfter
	if len(pionServers(c.o.ICEServers)) > 0 {
		patience = knownFallback
	}
	fallback := time.NewTimer(patience)
	defer fallback.Stop()
	for {
		select {
		case <-c.up:
			c.measure()
			c.start(c.keepPath)
			return nil
		case <-fallback.C:
			if c.o.Restart != nil && c.relays != nil {
				c.log.Info("no direct path so far; trying the relays too")
				if err := c.restart(ctx); err != nil {
					c.log.Info("the relays could not be tried", "error", err)
				}
			}
		case <-c.stop:
			return c.Err()
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return fmt.Errorf("connect: %w (%w)", ErrNoRoute, ctx.Err())
			}
			return fmt.Errorf("connect: %w", ctx.Err())
		}
	}
}

// negotiate makes an offer the local description, has it answered and takes the
// answer. It does not wait for a connection.
func (c *Conn) negotiate(ctx context.Context, offer webrtc.SessionDescription, carry exchange) error {
	c.answered.Store(false) // new candidates belong behind the new offer
	gathered := webrtc.GatheringCompletePromise(c.pc)
	if err := c.pc.SetLocalDescription(offer); err != nil {
		return fmt.Errorf("apply the offer: %w", err)
	}
	if err := c.awaitCandidates(ctx, gathered); err != nil {
		return err
	}
	sdp := c.describe()
	reply, err := carry(ctx, sdp)
	if err != nil {
		return fmt.Errorf("exchange descriptions: %w", err)
	}
	facts := readICE(reply.SDP)
	if facts.ours {
		c.ours.Store(true)
		c.path.activate()
	}
	c.check.describe(readICE(sdp), facts)
	c.takeServers(reply.ICE)
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: reply.SDP}); err != nil {
		return fmt.Errorf("apply the answer: %w", err)
	}
	c.answered.Store(true)
	c.tellCandidates()
	return nil
}

// awaitCandidates waits for what the offer should have: the port's address as
// the first STUN server sees it, and the relays where later candidates cannot be
// passed on. Neither is waited for long.
func (c *Conn) awaitCandidates(ctx context.Context, gathered <-chan struct{}) error {
	patience := reflexiveTime
	if c.o.OnCandidate == nil {
		patience = gatherTime
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	wait := func(done <-chan struct{}) error {
		select {
		case <-done:
		case <-timer.C:
		case <-ctx.Done():
			return fmt.Errorf("gather candidates: %w", ctx.Err())
		}
		return nil
	}
	if len(stunServers(c.o.ICEServers)) > 0 {
		if err := wait(c.port.watcher.Known()); err != nil {
			return err
		}
	}
	if c.o.OnCandidate == nil || c.o.ForceRelay {
		return wait(gathered)
	}
	return nil
}

// describe returns the offer with the port's candidates.
func (c *Conn) describe() string {
	lines := c.lines()
	sdp := withCandidates(c.pc.LocalDescription().SDP, lines)
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.told)
	for _, l := range lines {
		c.told[addressField(l)] = true
	}
	for line := range strings.Lines(sdp) {
		if l, ok := strings.CutPrefix(strings.TrimSpace(line), "a=candidate:"); ok {
			c.told[addressField("candidate:"+l)] = true
		}
	}
	return sdp
}

func (c *Conn) lines() []string {
	if c.o.ForceRelay {
		return nil
	}
	return c.port.lines()
}

// gathered takes a candidate that pion found: only relays are its business.
func (c *Conn) gathered(k *webrtc.ICECandidate) {
	if k != nil && k.Typ == webrtc.ICECandidateTypeRelay {
		c.tell(k.ToJSON().Candidate)
	}
}

// portChanged is called when the port's addresses may have changed.
func (c *Conn) portChanged(moved bool) {
	c.tellCandidates()
	if !moved {
		return
	}
	select {
	case c.moved <- struct{}{}:
	default: // it is about to be looked at
	}
	c.interrupt()
}

// tellCandidates passes on what the publisher does not know yet.
func (c *Conn) tellCandidates() {
	for _, l := range c.lines() {
		c.tell(l)
	}
	if c.answered.Load() {
		c.mu.Lock()
		late := c.late
		c.late = nil
		c.mu.Unlock()
		for _, l := range late {
			c.tell(l)
		}
	}
}

// tell passes a candidate on once there is an answer.
func (c *Conn) tell(line string) {
	if c.o.OnCandidate == nil {
		return
	}
	c.mu.Lock()
	known := c.told[addressField(line)]
	if !known && !c.answered.Load() {
		if len(c.late) < maxCandidates {
			c.late = append(c.late, line)
		}
		known = true
	}
	c.told[addressField(line)] = c.told[addressField(line)] || !known
	c.mu.Unlock()
	if !known {
		c.start(func() { c.o.OnCandidate(line) })
	}
}

// takeServers keeps the servers that the publisher named.
func (c *Conn) takeServers(servers []ICEServer) {
	if len(servers) == 0 {
		return
	}
	if stun := stunServers(servers); len(stun) > 0 && len(stunServers(c.o.ICEServers)) == 0 {
		c.port.watcher.SetServers(stun[:min(len(stun), nat.MaxServers)])
	}
	if relays := pionServers(servers); len(relays) > 0 {
		c.relays = relays
	}
}

// withRelays is the configuration with what the publisher gave.
func (c *Conn) withRelays() webrtc.Configuration {
	config := c.pc.GetConfiguration()
	config.ICEServers = c.relays
	return config
}

// AddCandidate takes a late candidate of the other side's ("candidate:…"); an
// empty one, the end of candidates, is ignored.
func (c *Conn) AddCandidate(candidate, mid string) error {
	if candidate == "" {
		return nil
	}
	if c.trickled.Add(1) > maxCandidates {
		c.trickled.Store(maxCandidates) // never wraps
		return errTooManyCandidates
	}
	if err := c.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: candidate, SDPMid: &mid}); err != nil {
		return fmt.Errorf("peer: add a candidate: %w", err)
	}
	k, ok := udpCandidate(candidate)
	if !ok {
		return nil
	}
	c.check.learn(k)
	if isClosed(c.up) && c.ours.Load() { // pion checks no more
		c.start(func() { _, _ = c.check.check(c.ctx, addressOf(k), false) })
	}
	return nil
}
