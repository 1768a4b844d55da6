package agent

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/internal/check"
)

func TestAPI_OnePeersRequestsAreLimitedOverAllItsSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := newTestAgent(t, nil)
		h := a.handler(overChannel)
		busy := newIdentity(t).PeerID()
		other := newSession(t, a, newIdentity(t).PeerID())
		two := []*session{newSession(t, a, busy), newSession(t, a, busy)}
		n := 0
		for ; ; n++ {
			w := serve(h, overSession(request("GET", "/v1/time", ""), two[n%2]))
			if w.Code == 200 {
				continue
			}
			if w.Code != 429 || w.Header().Get("Retry-After") != "1" || errorCode(t, w) != "too_often" {
				t.Fatalf("request %d: %d %v", n, w.Code, w.Header())
			}
			break
		}
		if n != requestsBurst {
			t.Errorf("%d requests at once, want %d", n, requestsBurst)
		}
		if w := serve(h, overSession(request("GET", "/v1/time", ""), other)); w.Code != 200 {
			t.Errorf("another peer got %d", w.Code)
		}
		if w := serve(h, overSession(request("GET", "/healthz", ""), two[0])); w.Code != 200 {
			t.Errorf("/healthz: %d", w.Code)
		}
		if got := refusals(a, check.Rate); got != 1 {
			t.Errorf("%d refusals counted", got)
		}
		time.Sleep(time.Second) //nolint:forbidigo // virtual time
		if w := serve(h, overSession(request("GET", "/v1/time", ""), two[0])); w.Code != 200 {
			t.Errorf("a second later: %d", w.Code)
		}
	})
}

func TestAPI_OnePeersBytesAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := newTestAgent(t, nil)
		h := a.handler(overChannel)
		s := newSession(t, a, newIdentity(t).PeerID())
		body := `{"text":"` + strings.Repeat("x", maxBodyBytes-100) + `"}`
		for sent := 0; ; sent += len(body) {
			w := serve(h, overSession(request("POST", "/v1/qr", body, "Content-Type", "application/json"), s))
			if w.Code == 400 {
				continue // too long for a QR code, and read all the same
			}
			if w.Code != 429 || sent < bytesBurst-2*len(body) || sent > bytesBurst {
				t.Fatalf("%d after %d bytes", w.Code, sent)
			}
			break
		}
	})
}

// refusals returns what is counted for a check.
func refusals(a *Agent, name check.Name) uint64 {
	a.metrics.mu.Lock()
	defer a.metrics.mu.Unlock()
	return a.metrics.refusals[name]
}

func TestAllowances_RememberABoundedNumberOfPeers(t *testing.T) {
	all := newAllowances()
	now := time.Now()
	for i := range 3 * maxAllowances {
		name := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}).String()
		if all.of(now, name).requests.AllowN(now, 1); len(all.byName) > maxAllowances {
			t.Fatalf("%d peers are remembered", len(all.byName))
		}
	}
	if all.of(now, "late") != all.rest {
		t.Error("there is more room than there should be")
	}
	now = now.Add(time.Minute)
	if all.of(now, "later") == all.rest || len(all.byName) != 1 {
		t.Errorf("idle peers are not forgotten: %d", len(all.byName))
	}
	if one := all.of(now, "later"); one != all.of(now, "later") {
		t.Error("a peer has two allowances")
	}
}
