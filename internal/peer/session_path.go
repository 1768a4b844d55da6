package peer

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/pion/webrtc/v4"
)

const (
	// resolveTime is how long a viewer's .local name is looked for.
	resolveTime = 3 * time.Second
	// maxNames is how many names of one viewer are looked for at a time.
	maxNames = 8
	// consentFor is how long a path is used without a sign that the viewer still
	// wants what comes (RFC 7675 §5.1).
	consentFor = 30 * time.Second
	// liteCheck is how often the path of a direct call is checked.
	liteCheck = 5 * time.Second
	// pathCheck is how often the path is looked at.
	pathCheck = time.Second
	// silentViewer is how long nothing may come from a viewer before STUN servers are
	// asked whether this side's address is still the same.
	silentViewer = 2500 * time.Millisecond
	// firstImprovement is after how long on a relay a direct path is tried for;
	// the wait doubles up to lastImprovement.
	firstImprovement = 2 * time.Second
	lastImprovement  = time.Minute
)

var errConsent = errors.New("the viewer has not confirmed for 30 s that it wants the stream")

// AddCandidate adds one of the viewer's ICE candidates (the value of an
// a=candidate attribute, with or without the name); empty ends them. A name in
// the place of an address is looked for on the own network meanwhile.
func (s *Session) AddCandidate(candidate, mid string) error {
	if candidate == "" {
		return nil
	}
	if s.trickled.Add(1) > maxCandidates {
		s.trickled.Store(maxCandidates) // never wraps
		return errTooManyCandidates
	}
	candidate = strings.TrimPrefix(candidate, "a=")
	if localName(candidate) != "" {
		s.resolve(candidate, mid)
		return nil
	}
	return s.addCandidate(candidate, mid)
}

func (s *Session) addCandidate(candidate, mid string) error {
	if err := s.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: candidate, SDPMid: &mid}); err != nil {
		return errors.Join(errors.New("add the viewer's candidate"), err)
	}
	k, ok := udpCandidate(candidate)
	if !ok {
		return nil
	}
	s.check.learn(k)
	if s.ready() { // pion checks no more
		s.reach(addressOf(k))
	}
	return nil
}

// resolve looks for the address behind a candidate's name, and adds it.
func (s *Session) resolve(candidate, mid string) {
	look := s.endpoint.options.Resolve
	if look == nil {
		return
	}
	if s.resolving.Add(1) > maxNames {
		s.resolving.Add(-1)
		return
	}
	ok := s.start(func() {
		defer s.resolving.Add(-1)
		ctx, cancel := context.WithTimeout(s.ctx, resolveTime)
		defer cancel()
		a, err := look(ctx, localName(candidate))
		if err == nil {
			err = s.addCandidate(withAddress(candidate, a), mid)
		}
		if err != nil {
			s.endpoint.options.Logger.Debug("a viewer's .local candidate is of no use", "error", err)
		}
	})
	if !ok {
		s.resolving.Add(-1)
	}
}

// reach sends checks to an address of the viewer's, which opens this side's NAT
// for it.
func (s *Session) reach(a netip.AddrPort) {
	s.start(func() { _, _ = s.check.check(s.ctx, a, false) })
}

// start runs f on a goroutine that the session's end waits for, unless it has
// ended.
func (s *Session) start(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.wg.Go(f)
	return true
}

// described is called after descriptions were exchanged.
func (s *Session) described(offer, answer string) {
	if s.lite {
		return // it is reached already
	}
	remote := readICE(offer)
	s.check.describe(readICE(answer), remote)
	for _, line := range remote.names {
		s.resolve(line, "")
	}
}

// networkChanged tells the viewer of new addresses, and shows it the new one by
// a packet from there.
func (s *Session) networkChanged(moved bool) {
	fresh := s.tellCandidates()
	if !moved && (!fresh || s.path.silence(time.Now()) < deadAfter) {
		return
	}
	for _, a := range s.check.addresses() {
		s.reach(a)
	}
	if s.onMoved != nil && s.ready() {
		s.start(s.onMoved)
	}
}

// tellCandidates passes on what is new among the port's candidates, and reports
// whether there is anything.
func (s *Session) tellCandidates() bool {
	lines := s.endpoint.port.lines()
	s.mu.Lock()
	fresh := slices.DeleteFunc(lines, func(l string) bool { return s.told[addressField(l)] })
	for _, l := range fresh {
		s.told[addressField(l)] = true
	}
	s.mu.Unlock()
	if s.onCandidate == nil || len(fresh) == 0 {
		return false
	}
	return s.start(func() {
		for _, l := range fresh {
			s.onCandidate(l)
		}
	})
}

// addressField is what tells two candidates apart: transport, address and port.
func addressField(line string) string {
	f := strings.Fields(line)
	if len(f) < 6 {
		return line
	}
	return f[2] + " " + f[4] + " " + f[5]
}

// keepPath watches over the path in use until the session ends.
func (s *Session) keepPath() {
	tick := time.NewTicker(pathCheck)
	defer tick.Stop()
	wait := firstImprovement
	var next, asked time.Time
	var agreed consent
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.ended:
			return
		case <-tick.C:
		}
		if !s.ready() {
			continue
		}
		now := time.Now()
		if agreed.expired(s, now) {
			s.fail(errConsent)
			s.end()
			return
		}
		if silent := s.path.silence(now); silent > silentViewer && now.Sub(asked) > silentViewer {
			// Has the router got another address, perhaps?
			asked = now
			s.endpoint.port.watcher.Wake()
		}
		switch {
		case !s.path.relayed():
			wait, next = firstImprovement, time.Time{}
		case next.IsZero():
			next = now.Add(wait)
		case now.After(next):
			for _, a := range s.check.addresses() {
				s.reach(a)
			}
			wait = min(2*wait, lastImprovement)
			next = now.Add(wait)
		}
	}
}

// consent follows whether the viewer still answers checks. Other packets prove
// nothing: anybody can send them in its name.
type consent struct {
	pair    string // in use at the last look
	answers uint64 // that had come over it
	at      time.Time
}

// expired takes a look at the path in use.
func (c *consent) expired(s *Session, now time.Time) bool {
	st, ok := s.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePairStats()
	pair := st.LocalCandidateID + " " + st.RemoteCandidateID
	// Another pair is no answer: who moves from one to the next without answering
	// on any has not agreed.
	answered := ok && pair == c.pair && st.ResponsesReceived != c.answers
	if c.at.IsZero() || answered {
		c.at = now
	}
	if ok {
		c.pair, c.answers = pair, st.ResponsesReceived
	}
	if s.lite {
		// pion checks nothing then. Before the password is known, next to nothing is
		// sent, and pion ends the session if the viewer stops asking.
		remote := s.path.overUDP()
		last := s.check.lastAnswer(remote)
		switch {
		case !s.check.armed(), !remote.IsValid():
			c.at = now
		case last.After(c.at):
			c.at = last
		}
		if remote.IsValid() && now.Sub(last) > liteCheck {
			s.path.probe(remote)
		}
	}
	return now.Sub(c.at) > consentFor
}

// gatherRelays passes on the candidates that pion finds after the answer: those
// of relays.
func (s *Session) gatherRelays(c *webrtc.ICECandidate) {
	if c == nil || c.Typ != webrtc.ICECandidateTypeRelay || s.onCandidate == nil {
		return
	}
	line := c.ToJSON().Candidate
	s.start(func() { s.onCandidate(line) })
}

// Pairs returns the addresses of the viewer that were tried.
func (s *Session) Pairs() []PairStats { return s.check.pairs(s.path.remote()) }
