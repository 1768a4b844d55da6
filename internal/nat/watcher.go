package nat

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pion/stun/v4"
)

const (
	// pollInterval is how often the machine's addresses are looked at.
	pollInterval = 500 * time.Millisecond
	// bindingLife is how often a STUN server is asked, which keeps the NAT's
	// binding alive: half of the least that RFC 4787 §4.3 allows after what is
	// seen in practice. A binding that is lost earlier halves it, down to
	// shortestLife.
	bindingLife  = 25 * time.Second
	shortestLife = 5 * time.Second
	// stunPatience is how long a server has to answer.
	stunPatience = 3 * time.Second
	// sleepGap is how much longer than the process the world lived, for it to have
	// been asleep; a clock that is set by less goes unnoticed.
	sleepGap = 5 * time.Second
	// retryAfter is the pause after no server answered; it doubles up to
	// bindingLife.
	retryAfter = 2 * time.Second
	// MaxServers is how many STUN servers are asked.
	MaxServers = 4
)

// Behaviour is how a NAT maps ports (RFC 4787 §4.1, RFC 5780 §4.3).
type Behaviour string

// The behaviours as far as a Watcher tells them apart.
const (
	BehaviourUnknown     Behaviour = "unknown"
	EndpointIndependent  Behaviour = "endpoint-independent"
	AddressDependent     Behaviour = "address-dependent"
	AddressPortDependent Behaviour = "address-and-port-dependent"
)

// UDP says whether STUN servers answer.
type UDP string

// Whether UDP gets out and back.
const (
	UDPUnknown UDP = "unknown" // no server is known, or none has been asked yet
	UDPOpen    UDP = "open"
	UDPBlocked UDP = "blocked" // no server answers
)

// State is what is known of this machine's place in the network.
type State struct {
	// Host are the machine's own addresses.
	Host []netip.Addr
	// Reflexive are what STUN servers see, at most one per protocol family and
	// server, the first server's first.
	Reflexive []netip.AddrPort
	Mapping   Behaviour
	UDP       UDP
}

func (s State) equal(o State) bool {
	return slices.Equal(s.Host, o.Host) && slices.Equal(s.Reflexive, o.Reflexive) && s.Mapping == o.Mapping && s.UDP == o.UDP
}

// WatcherOptions configure a Watcher.
type WatcherOptions struct {
	// Exchange sends from the socket whose addresses are sought.
	Exchange *Exchange
	// Interfaces are the addresses to offer.
	Interfaces Interfaces
	// Servers are STUN servers, "host:port", at most 4.
	Servers []string
	// LoopbackOnly says that the socket reaches this machine only: what lies beyond
	// is not asked.
	LoopbackOnly bool
	// Port is the socket's.
	Port uint16
	// OnChange is called after the state has changed, from the Watcher's
	// goroutine. moved says that the machine's own addresses did, or that it
	// slept: whatever was open may be dead.
	OnChange func(moved bool)
	// Logger is optional.
	Logger *slog.Logger
}

// Watcher keeps track of the addresses of a socket while Run runs.
type Watcher struct {
	o    WatcherOptions
	wake chan struct{} // capacity 1: ask the servers now

	mu      sync.Mutex
	state   State
	servers []string
	asked   []netip.Addr  // Host when the servers were asked last
	known   chan struct{} // closed once servers have answered, or will not
}

// NewWatcher makes a Watcher. The machine's own addresses are known at once.
func NewWatcher(o WatcherOptions) *Watcher {
	if o.OnChange == nil {
		o.OnChange = func(bool) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	w := &Watcher{o: o, wake: make(chan struct{}, 1), known: make(chan struct{})}
	w.state = State{Mapping: BehaviourUnknown, UDP: UDPUnknown}
	w.state.Host, _ = o.Interfaces.Addresses() // Run tries again
	w.SetServers(o.Servers)
	return w
}

// State returns what is known now.
func (w *Watcher) State() State {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.state
	s.Host, s.Reflexive = slices.Clone(s.Host), slices.Clone(s.Reflexive)
	return s
}

// SetServers replaces the STUN servers.
func (w *Watcher) SetServers(servers []string) {
	servers = slices.Clone(servers[:min(len(servers), MaxServers)])
	w.mu.Lock()
	same := slices.Equal(w.servers, servers)
	w.servers = servers
	w.mu.Unlock()
	if !same {
		w.Wake()
	}
}

// Wake asks the servers now.
func (w *Watcher) Wake() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Known is closed once the STUN servers have answered for the first time, or it
// is clear that they do not.
func (w *Watcher) Known() <-chan struct{} { return w.known }

// Run watches until ctx ends.
func (w *Watcher) Run(ctx context.Context) {
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	life, pause := bindingLife, retryAfter
	ask := time.NewTimer(0)
	defer ask.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
			pause = retryAfter
		case <-ask.C:
		case now := <-poll.C:
			// The wall clock goes on while a machine sleeps, the other does not.
			slept := now.Round(0).Sub(last.Round(0))-now.Sub(last) > sleepGap
			last = now
			changed, gone := w.lookAround()
			if !changed && !slept {
				continue
			}
			w.o.OnChange(gone || slept)
			pause = retryAfter
		}
		before := w.State()
		after := w.bind(ctx)
		if ctx.Err() != nil {
			return
		}
		next := life
		switch {
		case after.UDP == UDPBlocked:
			next, pause = pause, min(2*pause, bindingLife)
		case slices.Equal(before.Host, after.Host) && after.Mapping != AddressPortDependent && len(before.Reflexive) > 0 && len(after.Reflexive) > 0 &&
			before.Reflexive[0].Addr() == after.Reflexive[0].Addr() && before.Reflexive[0].Port() != after.Reflexive[0].Port():
			life = max(life/2, shortestLife) // the NAT forgot it in between
			next = life
		}
		if !before.equal(after) {
			w.o.Logger.Info("the network is known", "addresses", after.Host, "public", after.Reflexive, "mapping", after.Mapping, "udp", after.UDP)
			w.o.OnChange(false)
		}
		ask.Reset(next)
	}
}

// lookAround reads the machine's addresses, and reports whether they changed, and
// whether one of the old ones is gone: a new one breaks nothing.
func (w *Watcher) lookAround() (changed, gone bool) {
	addrs, err := w.o.Interfaces.Addresses()
	if err != nil {
		w.o.Logger.Debug("the machine's addresses are not known", "error", err)
		return false, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if slices.Equal(addrs, w.state.Host) {
		return false, false
	}
	gone = len(w.state.Host) == 0 || slices.ContainsFunc(w.state.Host, func(a netip.Addr) bool { return !slices.Contains(addrs, a) })
	w.state.Host = addrs
	return true, gone
}

type binding struct {
	server netip.AddrPort
	mapped netip.AddrPort
}

// bind asks all servers and enters what they say.
func (w *Watcher) bind(ctx context.Context) State {
	w.mu.Lock()
	servers, host := w.servers, w.asked
	w.asked = slices.Clone(w.state.Host)
	w.mu.Unlock()
	var answers []binding
	if len(servers) > 0 {
		answers = w.ask(ctx, servers)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	// Where no server answers, what they saw last may hold again when they do, as
	// long as this machine has not moved.
	stays := len(answers) == 0 && len(servers) > 0 && slices.Equal(w.state.Host, host)
	if !stays {
		w.state.Reflexive = nil
	}
	w.state.Mapping, w.state.UDP = BehaviourUnknown, UDPUnknown
	for _, a := range answers {
		if !slices.Contains(w.state.Reflexive, a.mapped) {
			w.state.Reflexive = append(w.state.Reflexive, a.mapped)
		}
	}
	w.state.Mapping = w.behaviour(answers)
	if len(servers) > 0 {
		switch {
		case len(answers) > 0:
			w.state.UDP = UDPOpen
		case !w.o.LoopbackOnly:
			w.state.UDP = UDPBlocked
		}
		if ctx.Err() == nil && !isClosed(w.known) {
			close(w.known)
		}
	}
	return w.state
}

// ask asks every server over every family at once. The answers are in the order
// of the servers.
func (w *Watcher) ask(ctx context.Context, servers []string) []binding {
	ctx, cancel := context.WithTimeout(ctx, stunPatience)
	defer cancel()
	targets := w.resolve(ctx, servers)
	results := make([]binding, len(targets))
	var wg sync.WaitGroup
	for i, to := range targets {
		wg.Go(func() {
			r, err := w.o.Exchange.Do(ctx, to, stun.BindingRequest)
			if err != nil {
				w.o.Logger.Debug("a STUN server does not answer", "server", to, "error", err)
				return
			}
			mapped, err := MappedAddress(r.Message)
			if err != nil {
				w.o.Logger.Debug("a STUN server's answer is of no use", "server", to, "error", err)
				return
			}
			results[i] = binding{to, mapped}
			w.early(mapped)
		})
	}
	wg.Wait()
	return slices.DeleteFunc(results, func(b binding) bool { return !b.mapped.IsValid() })
}

// early enters an answer while others are waited for.
func (w *Watcher) early(mapped netip.AddrPort) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Contains(w.state.Reflexive, mapped) {
		w.state.Reflexive = append(w.state.Reflexive, mapped)
	}
	w.state.UDP = UDPOpen
	if !isClosed(w.known) {
		close(w.known)
	}
}

// resolve finds the servers' addresses, for each at most one of each family.
func (w *Watcher) resolve(ctx context.Context, servers []string) []netip.AddrPort {
	found := make([][]netip.AddrPort, len(servers))
	var wg sync.WaitGroup
	for i, s := range servers {
		wg.Go(func() { found[i] = w.lookup(ctx, s) })
	}
	wg.Wait()
	return slices.DeleteFunc(slices.Concat(found...), func(a netip.AddrPort) bool { return w.o.LoopbackOnly && !a.Addr().IsLoopback() })
}

func (w *Watcher) lookup(ctx context.Context, server string) (out []netip.AddrPort) {
	if ap, err := netip.ParseAddrPort(server); err == nil {
		return []netip.AddrPort{ap}
	}
	if w.o.Interfaces.Net != nil {
		if a, err := w.o.Interfaces.Net.ResolveUDPAddr("udp", server); err == nil {
			return []netip.AddrPort{a.AddrPort()}
		}
		return nil
	}
	host, port, err := net.SplitHostPort(server)
	if err != nil {
		return nil
	}
	number, err := net.DefaultResolver.LookupPort(ctx, "udp", port)
	if err != nil {
		return nil
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		w.o.Logger.Debug("a STUN server's name is not found", "server", server, "error", err)
		return nil
	}
	for _, four := range []bool{true, false} {
		same := func(a netip.Addr) bool { return a.Unmap().Is4() == four }
		if i := slices.IndexFunc(addrs, same); i >= 0 {
			out = append(out, netip.AddrPortFrom(addrs[i].Unmap(), uint16(number))) // LookupPort bounds it
		}
	}
	return out
}

// behaviour compares what several servers, or several ports of one, saw.
func (w *Watcher) behaviour(answers []binding) Behaviour {
	b := BehaviourUnknown
	for i, x := range answers {
		if !x.mapped.Addr().Is4() {
			continue
		}
		if slices.Contains(w.state.Host, x.mapped.Addr()) {
			return EndpointIndependent // nothing is translated
		}
		for _, y := range answers[:i] {
			switch {
			case !y.mapped.Addr().Is4() || x.server == y.server:
			case x.mapped == y.mapped:
				if b == BehaviourUnknown && x.server.Addr() != y.server.Addr() {
					b = EndpointIndependent
				}
			case x.server.Addr() == y.server.Addr():
				return AddressPortDependent
			default:
				b = AddressDependent
			}
		}
	}
	return b
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
