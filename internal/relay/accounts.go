package relay

import (
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/sightline-cam/sightline/internal/identity"
)

// maxAccounts bounds the table of agents: some 15 MB.
const maxAccounts = 1 << 16

// Why an allocation or a packet is refused; labels of metrics.
const (
	refusedAllocations = "agent_allocations"
	refusedTotal       = "total_allocations"
	refusedBudget      = "budget"
	refusedTotalBudget = "total_budget"
	refusedRate        = "rate"
)

// refusal is an error with one of the reasons above.
type refusal struct{ reason string }

func (r *refusal) Error() string { return "the relay refuses: " + r.reason }

func reasonOf(err error) string {
	var r *refusal
	if errors.As(err, &r) {
		return r.reason
	}
	return "error"
}

// accounts is what each agent uses of the relay.
type accounts struct {
	// constant after construction
	limits *Limits
	total  budget // of all agents

	mu sync.Mutex
	// guarded by mu
	table       map[identity.PeerID]*account
	allocations int // of all
}

// account is what one agent uses.
type account struct {
	// constant after construction
	agent   identity.PeerID
	limiter *rate.Limiter // nil: no limit
	total   *budget       // of all agents

	budget      budget
	allocations int // guarded by accounts.mu
}

func newAccounts(l *Limits) *accounts {
	return &accounts{limits: l, total: budget{limit: l.TotalBytesPerDay}, table: make(map[identity.PeerID]*account)}
}

// check reports, as open would, whether an agent may have one allocation more.
func (a *accounts) check(now time.Time, agent identity.PeerID) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, err := a.checkLocked(now, agent)
	return err
}

// open counts an allocation, until close is called for the account.
func (a *accounts) open(now time.Time, agent identity.PeerID) (*account, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	acc, err := a.checkLocked(now, agent)
	if err != nil {
		return nil, err
	}
	acc.allocations++
	a.allocations++
	return acc, nil
}

func (a *accounts) close(acc *account) {
	a.mu.Lock()
	defer a.mu.Unlock()
	acc.allocations--
	a.allocations--
}

func (a *accounts) checkLocked(now time.Time, agent identity.PeerID) (*account, error) {
	acc := a.table[agent]
	if acc == nil {
		if len(a.table) >= maxAccounts {
			a.sweepLocked(now)
		}
		if len(a.table) >= maxAccounts {
			return nil, &refusal{refusedTotal}
		}
		acc = &account{agent: agent, total: &a.total, budget: budget{limit: a.limits.BytesPerDay}}
		if r := a.limits.BytesPerSecond; r > 0 {
			acc.limiter = rate.NewLimiter(rate.Limit(r), int(max(r, minBurst)))
		}
		a.table[agent] = acc
	}
	switch {
	case a.allocations >= a.limits.TotalAllocations:
		return nil, &refusal{refusedTotal}
	case acc.allocations >= a.limits.Allocations:
		return nil, &refusal{refusedAllocations}
	case !a.total.left(now):
		return nil, &refusal{refusedTotalBudget}
	case !acc.budget.left(now):
		return nil, &refusal{refusedBudget}
	}
	return acc, nil
}

// sweepLocked forgets agents that hold nothing and have spent nothing today.
func (a *accounts) sweepLocked(now time.Time) {
	for id, acc := range a.table {
		if acc.idle(now) {
			delete(a.table, id)
		}
	}
}

// spend takes n bytes from the agent's budget and from that of all. A non-empty
// reason says that they must not be relayed; first is true once a day and
// budget, when it is spent.
func (acc *account) spend(now time.Time, n int) (reason string, first bool) {
	if acc.limiter != nil && !acc.limiter.AllowN(now, n) {
		return refusedRate, false
	}
	// What one agent tries beyond its own is not the others' expense.
	if ok, first := acc.budget.spend(now, n); !ok {
		return refusedBudget, first
	}
	if ok, first := acc.total.spend(now, n); !ok {
		return refusedTotalBudget, first
	}
	return "", false
}

// idle reports whether the account says no more than a new one would.
func (acc *account) idle(now time.Time) bool {
	return acc.allocations == 0 && acc.budget.untouched(now)
}
