package agent

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/trust"
)

// What one peer may ask of the agent, over all its sessions. A page that works
// asks for far less; somebody who was let in and misbehaves gets no more.
const (
	requestsPerSecond  = 50
	requestsBurst      = 200
	bytesPerSecond     = 1 << 20 // of request bodies
	bytesBurst         = 4 << 20
	messagesPerSecond  = 50 // through signaling; an honest server allows less
	messagesBurst      = 200
	offersPerSecond    = 2 // an answer is the most expensive thing there is
	offersBurst        = 30
	changesPerSecond   = 0.1 // what is kept on disk or said in the access log
	changesBurst       = 60
	strangersPerSecond = 10 // messages of all peers that are not known
	strangersBurst     = 40
	maxAllowances      = 1024
)

// errTooOften says that a peer asks for more than it may.
var errTooOften = errors.New("more requests than one peer may make")

// within takes n from what is left to a peer.
func within(left *rate.Limiter, now time.Time, n int) error {
	if !check.Off(check.Rate) && !left.AllowN(now, n) {
		return check.Refused(check.Rate, errTooOften)
	}
	return nil
}

// allowance is what is left to one peer. Safe for concurrent use.
type allowance struct{ requests, bytes, messages, offers, changes *rate.Limiter }

func newAllowance() *allowance {
	return &allowance{
		requests: rate.NewLimiter(requestsPerSecond, requestsBurst),
		bytes:    rate.NewLimiter(bytesPerSecond, bytesBurst),
		messages: rate.NewLimiter(messagesPerSecond, messagesBurst),
		offers:   rate.NewLimiter(offersPerSecond, offersBurst),
		changes:  rate.NewLimiter(changesPerSecond, changesBurst),
	}
}

// mayChange counts a request that ends in a line of the access log, or more on the
// disk. Nobody may wear out a memory card, or fill the log until it drops what it
// says about them; the console may.
func (a *Agent) mayChange(r *http.Request) *apiError {
	if principalOf(r).Role == trust.RoleConsole {
		return nil
	}
	if err := within(a.allow.of(time.Now(), askerOf(r)).changes, time.Now(), 1); err != nil {
		e := tooOften(err)
		e.RetryAfter = changeAgain
		return e
	}
	return nil
}

// changeAgain is how long it takes until one more change is allowed.
const changeAgain = 10 * time.Second

// idle reports whether nothing of it is used up: it may be forgotten then.
func (a *allowance) idle(now time.Time) bool {
	return a.requests.TokensAt(now) >= requestsBurst && a.bytes.TokensAt(now) >= bytesBurst &&
		a.messages.TokensAt(now) >= messagesBurst && a.offers.TokensAt(now) >= offersBurst && a.changes.TokensAt(now) >= changesBurst
}

// allowances has the allowance of each peer, and of each address of those who
// proved no identity. Its memory is bounded. Safe for concurrent use.
type allowances struct {
	mu     sync.Mutex // guards what follows
	byName map[string]*allowance
	rest   *allowance // shared by whoever comes when there is no place left
}

func newAllowances() *allowances {
	return &allowances{byName: make(map[string]*allowance), rest: newAllowance()}
}

// of returns the allowance of a peer or an address.
func (a *allowances) of(now time.Time, name string) *allowance {
	a.mu.Lock()
	defer a.mu.Unlock()
	if one, ok := a.byName[name]; ok {
		return one
	}
	if len(a.byName) >= maxAllowances {
		for other, one := range a.byName {
			if one.idle(now) {
				delete(a.byName, other)
			}
		}
	}
	if len(a.byName) >= maxAllowances {
		return a.rest
	}
	one := newAllowance()
	a.byName[name] = one
	return one
}
