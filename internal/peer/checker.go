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
	"github.com/pion/stun/v4"
	"github.com/pion/webrtc/v4"
)

const (
	// checkPatience is how long a check is repeated: long enough for the other
	// side to open its NAT for us.
	checkPatience = 4 * time.Second
	// knock is after how long a check is sent again first: the other side's NAT may
	// just be opening.
	knock = 50 * time.Millisecond
	// maxChecks bounds the checks of a session that are under way.
	maxChecks = 32
	// checkPriority is that of a peer-reflexive candidate (RFC 8445 §7.1.1).
	checkPriority = 110<<24 | 0xffff00 | 255
)

// checker sends connectivity checks of its own (RFC 8445 §7) from the port,
// beside pion's, which checks nothing any more once it has a path: they open this
// side's NAT for candidates that come late, and find better paths.
type checker struct {
	// Constant after construction.
	port        *port
	controlling bool

	mu       sync.Mutex
	local    string // our fragment
	fragment string // theirs, with password
	password string
	remotes  []*remote // in order of arrival
	running  int
}

// remote is what is known of an address of the other side's.
type remote struct {
	address  netip.AddrPort
	kind     ice.CandidateType
	checking bool
	asked    int
	answered time.Time // zero: never
	rtt      time.Duration
	err      error
}

// describe sets the parameters of both sides, after a description was exchanged.
// Other credentials than before begin a new list of candidates.
func (c *checker) describe(local, remote iceFacts) {
	c.mu.Lock()
	if c.fragment != remote.fragment || c.local != local.fragment {
		c.remotes = nil
	}
	c.local, c.fragment, c.password = local.fragment, remote.fragment, remote.password
	c.mu.Unlock()
	for _, k := range remote.candidates {
		c.learn(k)
	}
}

// learn adds a candidate of the other side's.
func (c *checker) learn(k ice.Candidate) { c.learnAddress(addressOf(k), k.Type()) }

func (c *checker) learnAddress(a netip.AddrPort, kind ice.CandidateType) (known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.find(a); r != nil {
		if r.kind == ice.CandidateTypePeerReflexive {
			r.kind = kind // whose address it is was not known when it was first heard
		}
		return true
	}
	if !a.IsValid() || len(c.remotes) >= maxCandidates {
		return true
	}
	c.remotes = append(c.remotes, &remote{address: a, kind: kind})
	return false
}

// find returns what is known of an address; nil for nothing. c.mu is held.
func (c *checker) find(a netip.AddrPort) *remote {
	if i := slices.IndexFunc(c.remotes, func(r *remote) bool { return r.address == a }); i >= 0 {
		return c.remotes[i]
	}
	return nil
}

// armed reports whether checks can be made: the other side's password is known.
func (c *checker) armed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.password != ""
}

// lastAnswer is when an address answered a check last; zero for never.
func (c *checker) lastAnswer(a netip.AddrPort) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.find(a); r != nil {
		return r.answered
	}
	return time.Time{}
}

// busy reports whether an address is being checked.
func (c *checker) busy(a netip.AddrPort) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.find(a)
	return r != nil && r.checking
}

// answered reports whether an address has answered a check within consentFor.
func (c *checker) answered(a netip.AddrPort) bool {
	return time.Since(c.lastAnswer(a)) < consentFor
}

// isRelay reports whether an address is that of a relay of the other side's,
// whatever pion took it for when it first heard from there.
func (c *checker) isRelay(k *webrtc.ICECandidate) bool {
	a, err := netip.ParseAddr(k.Address)
	if err != nil {
		return false
	}
	at := netip.AddrPortFrom(a.Unmap(), k.Port)
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.remotes, func(r *remote) bool { return r.address == at && r.kind == ice.CandidateTypeRelay })
}

// addresses returns all there are.
func (c *checker) addresses() []netip.AddrPort {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]netip.AddrPort, 0, len(c.remotes))
	for _, r := range c.remotes {
		out = append(out, r.address)
	}
	return out
}

var errChecksFull = errors.New("too many connectivity checks are under way")

// check asks one address, until it answers or ctx or checkPatience ends.
func (c *checker) check(ctx context.Context, a netip.AddrPort, nominate bool) (time.Duration, error) {
	r, password, setters, err := c.begin(a, nominate)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, checkPatience)
	defer cancel()
	started := time.Now()
	answer, err := c.port.exchange.Knock(ctx, knock, a, stun.BindingRequest, setters...)
	if err == nil {
		err = verified(answer.Message, password)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running--
	r.checking, r.err = false, err
	if err == nil {
		// The time since the last of several requests is not known; the first
		// is mostly the one.
		r.answered, r.rtt = time.Now(), time.Since(started)
	}
	return r.rtt, err
}

func (c *checker) begin(a netip.AddrPort, nominate bool) (*remote, string, []stun.Setter, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.find(a)
	if r == nil || c.fragment == "" || c.password == "" {
		return nil, "", nil, errors.New("the address is not of this session")
	}
	if c.running >= maxChecks {
		return nil, "", nil, errChecksFull
	}
	c.running++
	r.checking = true
	r.asked++
	role := stun.Setter(ice.AttrControlled(c.port.tie))
	if c.controlling {
		role = ice.AttrControlling(c.port.tie)
	}
	setters := []stun.Setter{stun.NewUsername(c.fragment + ":" + c.local), role, ice.PriorityAttr(checkPriority)}
	if nominate {
		setters = append(setters, ice.UseCandidate())
	}
	return r, c.password, append(setters, stun.NewShortTermIntegrity(c.password)), nil
}

// verified checks that a response is a success and was made by who has the
// password (RFC 8445 §7.2.5.2).
func verified(m *stun.Message, password string) error {
	if m.Type != stun.BindingSuccess {
		return fmt.Errorf("the other side refused: %s", m.Type)
	}
	if err := stun.NewShortTermIntegrity(password).Check(m); err != nil {
		return fmt.Errorf("the answer is not the other side's: %w", err)
	}
	return nil
}

// PairStats is one pair of addresses that was tried.
type PairStats struct {
	// Local and Remote are "kind address"; Local is the port's own where the
	// system chooses the address.
	Local  string `json:"local"`
	Remote string `json:"remote"`
	// State is "waiting", "checking", "answered" or "failed".
	State string `json:"state"`
	// RTTMs is the round trip of the last check that was answered.
	RTTMs float64 `json:"rttMs"`
	// Nominated says that this is the path in use.
	Nominated bool `json:"nominated"`
}

// pairs describes what was tried. used is the remote address in use.
func (c *checker) pairs(used netip.AddrPort) []PairStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]PairStats, 0, len(c.remotes))
	for _, r := range c.remotes {
		s := PairStats{
			Local: "host " + c.port.local().String(), Remote: r.kind.String() + " " + r.address.String(), State: "waiting",
			RTTMs: float64(r.rtt.Microseconds()) / 1e3, Nominated: r.address == used,
		}
		switch {
		case !r.answered.IsZero() || s.Nominated:
			s.State = "answered"
		case r.checking:
			s.State = "checking"
		case r.err != nil:
			s.State = "failed"
		}
		out = append(out, s)
	}
	return out
}
