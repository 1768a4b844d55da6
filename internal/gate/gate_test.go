package gate

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = time.Minute

// house is an HTTP server behind a gate.
type house struct {
	*httptest.Server
	t      testing.TB
	gate   *Listener
	closed atomic.Int64
}

func open(t testing.TB, o Options, secure bool) *house {
	t.Helper()
	h := &house{t: t}
	o.OnClose = func() { h.closed.Add(1) }
	h.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hijack" {
			c, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
				t.Cleanup(func() { _ = c.Close() })
			}
			return
		}
		_, _ = io.WriteString(w, "hello")
	}))
	h.gate = New(h.Listener, o)
	h.Listener = h.gate
	h.Config.ReadHeaderTimeout = 10 * patience // ends none of those that wait
	// httptest has a ConnState of its own.
	h.Config.ConnState = h.gate.ConnState
	if secure {
		h.StartTLS()
	} else {
		h.Start()
	}
	t.Cleanup(h.Close)
	return h
}

// dial opens a connection and says nothing; from is an address of 127.0.0.0/8.
func (h *house) dial(from string) net.Conn {
	h.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: patience}
	c, err := d.DialContext(context.Background(), "tcp", h.Listener.Addr().String())
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c
}

// ask makes a request over a connection.
func (h *house) ask(c net.Conn, path string) (int, error) {
	h.t.Helper()
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path); err != nil {
		return 0, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// waiting waits until so many connections wait.
func (h *house) waiting(n int) {
	h.t.Helper()
	deadline := time.After(patience)
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for h.gate.Waiting() != n {
		select {
		case <-poll.C:
		case <-deadline:
			h.t.Fatalf("%d connections wait, not %d", h.gate.Waiting(), n)
		}
	}
}

func isCut(c net.Conn) bool {
	_, err := c.Read(make([]byte, 1))
	var timeout net.Error
	return err != nil && (!errors.As(err, &timeout) || !timeout.Timeout())
}

func TestListener_TheOneThatIsSilentLongestMakesRoom(t *testing.T) {
	h := open(t, Options{Max: 3, MaxPerAddress: 1}, false)
	first := h.dial("127.0.0.1")
	h.waiting(1)
	second := h.dial("127.0.0.2")
	h.waiting(2)
	if status, err := h.ask(first, "/"); status != http.StatusOK || err != nil {
		t.Fatal(status, err) // it waits again, behind the second
	}
	h.waiting(2)
	third := h.dial("127.0.0.3")
	h.waiting(3)
	fourth := h.dial("127.0.0.4")
	if !isCut(second) || h.closed.Load() != 1 {
		t.Errorf("%d connections were closed, the silent one not among them", h.closed.Load())
	}
	for i, c := range []net.Conn{first, third, fourth} {
		if status, err := h.ask(c, "/"); status != http.StatusOK || err != nil {
			t.Error(i, status, err)
		}
	}
}

func TestListener_BoundsEachAddress(t *testing.T) {
	h := open(t, Options{MaxPerAddress: 1}, false)
	other := h.dial("127.0.0.3")
	h.waiting(1)
	var own []net.Conn
	for i := range loopbackFactor {
		own = append(own, h.dial("127.0.0.2"))
		h.waiting(i + 2)
	}
	late := h.dial("127.0.0.2")
	if !isCut(own[0]) || h.closed.Load() != 1 {
		t.Errorf("%d connections were closed", h.closed.Load())
	}
	for _, c := range []net.Conn{other, own[1], late} {
		if status, err := h.ask(c, "/"); status != http.StatusOK || err != nil {
			t.Error(status, err)
		}
	}
}

func TestListener_AProxyHasNoBoundOfItsOwn(t *testing.T) {
	h := open(t, Options{Max: 30, MaxPerAddress: 1, Unlimited: func(ip netip.Addr) bool { return ip.String() == "127.0.0.2" }}, false)
	for range 30 {
		h.dial("127.0.0.2")
	}
	h.waiting(30)
	if h.closed.Load() != 0 {
		t.Errorf("%d connections were closed", h.closed.Load())
	}
}

func TestListener_WhoeverSpeaksIsNotCounted(t *testing.T) {
	h := open(t, Options{Max: 2}, false)
	for range 5 {
		c := h.dial("127.0.0.1")
		if status, err := h.ask(c, "/hijack"); status != http.StatusSwitchingProtocols || err != nil {
			t.Fatal(status, err)
		}
	}
	h.waiting(0)
	gone := h.dial("127.0.0.1")
	h.waiting(1)
	_ = gone.Close()
	h.waiting(0)
	if h.closed.Load() != 0 || len(h.gate.addresses) != 0 {
		t.Errorf("%d were closed, %d addresses are left", h.closed.Load(), len(h.gate.addresses))
	}
}

func TestListener_FindsConnectionsUnderTLS(t *testing.T) {
	h := open(t, Options{Max: 2}, true)
	for range 5 {
		c := tls.Client(h.dial("127.0.0.1"), &tls.Config{InsecureSkipVerify: true})
		if status, err := h.ask(c, "/hijack"); status != http.StatusSwitchingProtocols || err != nil {
			t.Fatal(status, err)
		}
	}
	h.waiting(0)
	if h.closed.Load() != 0 {
		t.Errorf("%d were closed", h.closed.Load())
	}
}

// TestListener_ACrowdThatNeverSpeaksHurtsNobody opens and opens connections, from
// the very address of an honest client too.
func TestListener_ACrowdThatNeverSpeaksHurtsNobody(t *testing.T) {
	h := open(t, Options{Max: 50, MaxPerAddress: 2}, false)
	for i := range 1000 {
		h.dial(fmt.Sprintf("127.0.0.%d", 1+i%10))
		if i%100 == 0 {
			if status, err := h.ask(h.dial("127.0.0.1"), "/"); status != http.StatusOK || err != nil {
				t.Fatalf("after %d: %d, %v", i, status, err)
			}
		}
	}
	h.waiting(50)
	deadline := time.After(patience) // the last of them may not have been looked at yet
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for h.closed.Load() < 900 {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatalf("%d were closed", h.closed.Load())
		}
	}
}

func TestPrefix_CountsAHouseholdAsOne(t *testing.T) {
	for ip, want := range map[string]string{
		"::1": "::1/128", "127.0.0.1": "127.0.0.1/32", "192.0.2.1": "192.0.2.1/32", "::ffff:192.0.2.1": "192.0.2.1/32",
		"2001:db8::1": "2001:db8::/64", "2001:db8::ffff:1%eth0": "2001:db8::/64",
	} {
		if got := Prefix(netip.MustParseAddr(ip)); got.String() != want {
			t.Errorf("%s is in %s", ip, got)
		}
	}
	if Prefix(netip.Addr{}) != (netip.Prefix{}) {
		t.Error("no address has a prefix")
	}
}
