package portmap

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// us is our address towards a fake router.
func us() netip.Addr { return netip.MustParseAddr("127.0.0.1") }

// soon is enough for an answer over loopback.
const soon = 100 * time.Millisecond

// fakeRouter makes up a loopback address for a router, so that tests can run beside
// each other although the ports are given.
func fakeRouter() netip.Addr {
	return netip.AddrFrom4([4]byte{127, byte(1 + rand.IntN(254)), byte(rand.IntN(256)), byte(1 + rand.IntN(254))})
}

// serveUDP answers packets until the test ends.
func serveUDP(t *testing.T, at netip.AddrPort, answer func(packet []byte) [][]byte) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	var reader sync.WaitGroup
	t.Cleanup(func() { _ = conn.Close(); reader.Wait() })
	reader.Go(func() {
		packet := make([]byte, 2000)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(packet)
			if err != nil {
				return
			}
			for _, a := range answer(packet[:n]) {
				_, _ = conn.WriteToUDPAddrPort(a, from)
			}
		}
	})
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// agree is a PCP server's yes to a request.
func agree(request []byte, external netip.AddrPort, seconds uint32) []byte {
	a := append([]byte(nil), request...)
	a[1] |= pcpResponse
	a[2], a[3] = 0, 0
	clear(a[8:24])
	binary.BigEndian.PutUint32(a[4:], seconds)
	binary.BigEndian.PutUint32(a[8:], 1000)
	binary.BigEndian.PutUint16(a[pcpHeader+18:], external.Port())
	address := external.Addr().As16()
	copy(a[pcpHeader+20:], address[:])
	return a
}

func TestPCP_BelievesOnlyAnAnswerToItsRequest(t *testing.T) {
	good := outside("11.0.0.10:40000")
	change := func(f func(a []byte)) func([]byte) [][]byte {
		return func(r []byte) [][]byte {
			a := agree(r, good, 3600)
			f(a)
			return [][]byte{a}
		}
	}
	for _, c := range []struct {
		name   string
		answer func(request []byte) [][]byte
		want   string // of the error; empty: granted
	}{
		{"yes", change(func([]byte) {}), ""},
		{"garbage before a yes", func(r []byte) [][]byte {
			return [][]byte{nil, {2}, make([]byte, 1101), make([]byte, 1900), r, agree(r, good, 3600)}
		}, ""},
		{"another's nonce", change(func(a []byte) { a[pcpHeader]++ }), "no answer"},
		{"another protocol", change(func(a []byte) { a[pcpHeader+12] = protocolTCP }), "no answer"},
		{"another port", change(func(a []byte) { a[pcpHeader+17]++ }), "no answer"},
		{"another operation", change(func(a []byte) { a[1] = pcpResponse }), "no answer"},
		{"the request itself", func(r []byte) [][]byte { return [][]byte{r} }, "no answer"},
		{"short", func(r []byte) [][]byte { return [][]byte{agree(r, good, 3600)[:56]} }, "no answer"},
		{"no multiple of four", func(r []byte) [][]byte { return [][]byte{append(agree(r, good, 3600), 0)} }, "no answer"},
		{"long", func(r []byte) [][]byte { return [][]byte{append(agree(r, good, 3600), make([]byte, 1100)...)} }, "no answer"},
		{"NAT-PMP only", func([]byte) [][]byte { return [][]byte{{0, 0x81, 0, 1, 0, 0, 0, 9}} }, "another version"},
		{"no", change(func(a []byte) { a[3] = 2 }), "does not allow"},
		{"no address", change(func(a []byte) { a[3] = 7 }), "no public address"},
		{"unknown", change(func(a []byte) { a[3] = 200 }), "unknown reason"},
		{"a loopback address", func(r []byte) [][]byte { return [][]byte{agree(r, outside("127.0.0.1:40000"), 3600)} }, "cannot be"},
		{"port 0", func(r []byte) [][]byte { return [][]byte{agree(r, outside("11.0.0.10:0"), 3600)} }, "port 0"},
		{"for no time", func(r []byte) [][]byte { return [][]byte{agree(r, good, 0)} }, "no time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPCP(serveUDP(t, netip.AddrPortFrom(fakeRouter(), 0), c.answer), us(), []byte("secret"))
			if c.want == "no answer" {
				p.wait = soon
			} else {
				p.wait = patience
			}
			g, err := p.request(t.Context(), wish{transport: UDP, port: 40000, lifetime: time.Hour})
			checkGrant(t, g, err, c.want)
		})
	}
}

func checkGrant(t *testing.T, g grant, err error, want string) {
	t.Helper()
	switch {
	case want == "" && (err != nil || g.external != outside("11.0.0.10:40000") || g.internal != 40000 || g.lifetime != time.Hour):
		t.Errorf("%+v, %v", g, err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("%+v, %v; want %q", g, err, want)
	case errors.Is(err, errNoAnswer) != (want == "no answer"):
		t.Errorf("%v is taken for the wrong kind", err)
	}
}

func TestPCP_NonceIsTheSameForTheSameMappingOnly(t *testing.T) {
	server := netip.MustParseAddrPort("192.168.1.1:5351")
	a, b := newPCP(server, us(), []byte("a")), newPCP(server, us(), []byte("b"))
	if a.nonce(UDP, 1) != newPCP(server, us(), []byte("a")).nonce(UDP, 1) {
		t.Error("the next process cannot renew")
	}
	if a.nonce(UDP, 1) == a.nonce(TCP, 1) || a.nonce(UDP, 1) == a.nonce(UDP, 2) || a.nonce(UDP, 1) == b.nonce(UDP, 1) {
		t.Error("one nonce for two mappings")
	}
}

func TestNATPMP_BelievesOnlyWhatMakesSense(t *testing.T) {
	address := []byte{0, 0x80, 0, 0, 0, 0, 3, 232, 11, 0, 0, 10}
	mapping := func(internal, external uint16, seconds uint32) []byte {
		a := []byte{0, 0x81, 0, 0, 0, 0, 3, 232}
		a = binary.BigEndian.AppendUint16(a, internal)
		a = binary.BigEndian.AppendUint16(a, external)
		return binary.BigEndian.AppendUint32(a, seconds)
	}
	for _, c := range []struct {
		name             string
		address, mapping []byte
		want             string
	}{
		{"yes", address, mapping(40000, 40000, 3600), ""},
		{"silence", nil, nil, "no answer"},
		{"an address and silence", address, nil, "no answer"},
		{"another port", address, mapping(40001, 40000, 3600), "nobody asked for"},
		{"port 0", address, mapping(40000, 0, 3600), "port 0"},
		{"for no time", address, mapping(40000, 40000, 0), "no time"},
		{"no address", []byte{0, 0x80, 0, 0, 0, 0, 3, 232, 0, 0, 0, 0}, mapping(40000, 40000, 3600), "no public address"},
		{"a loopback address", []byte{0, 0x80, 0, 0, 0, 0, 3, 232, 127, 0, 0, 1}, mapping(40000, 40000, 3600), "cannot be"},
		{"network failure", []byte{0, 0x80, 0, 3, 0, 0, 3, 232, 0, 0, 0, 0}, nil, "no public address"},
		{"no", address, []byte{0, 0x81, 0, 2, 0, 0, 3, 232, 0, 0, 0, 0, 0, 0, 0, 0}, "Refused"},
		{"PCP", []byte{2, 0x80, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, nil, "version 2"},
		{"short", []byte{0}, nil, "result size"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			router := fakeRouter()
			serveUDP(t, netip.AddrPortFrom(router, controlPort), func(r []byte) [][]byte {
				a := c.mapping
				if len(r) == 2 {
					a = c.address
				}
				if a == nil {
					return nil
				}
				return [][]byte{a}
			})
			n := &natPMP{gateway: router, local: us(), wait: patience}
			if c.want == "no answer" {
				n.wait = natPMPWait
			}
			g, err := n.request(t.Context(), wish{transport: UDP, port: 40000, lifetime: time.Hour})
			checkGrant(t, g, err, c.want)
		})
	}
}

// igd is a fake UPnP router: what it answers to searches, and documents.
type igd struct {
	router   netip.Addr
	location string // %s is its own HTTP server
	handler  http.HandlerFunc
	requests atomic.Int64
}

func (f *igd) start(t *testing.T) (base string) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.requests.Add(1)
		f.handler(w, r)
	}))
	_ = server.Listener.Close()
	l, err := net.Listen("tcp4", netip.AddrPortFrom(f.router, 0).String())
	if err != nil {
		t.Fatal(err)
	}
	server.Listener = l
	server.Start()
	t.Cleanup(server.Close)
	location := strings.ReplaceAll(f.location, "%s", server.URL)
	serveUDP(t, netip.AddrPortFrom(f.router, ssdpPort), func([]byte) [][]byte {
		return [][]byte{[]byte("garbage"), fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nLocation: %s\r\n\r\n", location)}
	})
	return server.URL
}

// describe is a description whose connection is controlled at a URL.
func describeIGD(control string) string {
	return `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceList><device><serviceList><service>` +
		`<serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>` + control +
		`</controlURL></service></serviceList></device></deviceList></device></root>`
}

func envelope(body string) string {
	return `<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>` + body + `</s:Body></s:Envelope>`
}

func upnpFault(w http.ResponseWriter, code int) {
	w.WriteHeader(http.StatusInternalServerError)
	fmt.Fprint(w, envelope(fmt.Sprintf(`<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>`+
		`<UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>%d</errorCode></UPnPError></detail></s:Fault>`, code)))
}

// routerWith answers as a good router does, but for one action.
func routerWith(action string, odd http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := strings.Trim(r.Header.Get("SOAPAction"), `"`)
		name = name[strings.Index(name, "#")+1:]
		switch {
		case name == action && odd != nil:
			odd(w, r)
		case r.Method == http.MethodGet:
			fmt.Fprint(w, describeIGD("/control"))
		case name == "GetExternalIPAddress":
			fmt.Fprint(w, envelope(`<u:R xmlns:u="x"><NewExternalIPAddress>11.0.0.10</NewExternalIPAddress></u:R>`))
		default:
			fmt.Fprint(w, envelope(`<u:R xmlns:u="x"></u:R>`))
		}
	}
}

func text(s string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, s) }
}

// patientUPnP waits for a busy machine.
func patientUPnP(router netip.Addr) *upnp {
	u := newUPnP(router, us())
	u.wait, u.patience, u.client.Timeout = patience, patience, patience
	return u
}

func TestUPnP_BelievesOnlyTheRouter(t *testing.T) {
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	endless := func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, map[bool]string{
			true:  `<root xmlns="urn:schemas-upnp-org:device-1-0">`,
			false: `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>`,
		}[r.Method == http.MethodGet])
		for r.Context().Err() == nil {
			if _, err := fmt.Fprint(w, strings.Repeat("and so on, ", 1000)); err != nil {
				return
			}
		}
	}
	for _, c := range []struct {
		name, location, action string
		odd                    http.HandlerFunc
		want                   string
	}{
		{name: "good"},
		{name: "the description is elsewhere", location: other.URL + "/desc.xml", want: "no answer"},
		{name: "a name", location: "http://localhost/desc.xml", want: "no answer"},
		{name: "another scheme", location: "file:///etc/passwd", want: "no answer"},
		{name: "a password", location: strings.Replace(other.URL, "http://", "http://u:p@", 1), want: "no answer"},
		{name: "it redirects", odd: http.RedirectHandler(other.URL, http.StatusFound).ServeHTTP, want: "HTTP 302"},
		{name: "control is elsewhere", odd: text(describeIGD(other.URL + "/control")), want: "no connection"},
		{name: "its base is elsewhere", odd: text(strings.Replace(describeIGD("/c"), "<device>", "<URLBase>"+other.URL+"</URLBase><device>", 1)), want: "no connection"},
		{name: "control redirects", action: "AddPortMapping", odd: http.RedirectHandler(other.URL, http.StatusTemporaryRedirect).ServeHTTP, want: "refus"},
		{name: "no service", odd: text("<root/>"), want: "no connection"},
		{name: "no XML", odd: text("\x00\xff<<<"), want: "description"},
		{name: "an endless description", odd: endless, want: "too long"},
		{name: "an endless answer", action: "AddPortMapping", odd: endless, want: "too long"},
		{name: "no address", action: "GetExternalIPAddress", odd: text(envelope(`<u:R xmlns:u="x"></u:R>`)), want: "no public address"},
		{name: "an address that cannot be", action: "GetExternalIPAddress", odd: text(envelope(`<u:R xmlns:u="x"><NewExternalIPAddress>127.0.0.1</NewExternalIPAddress></u:R>`)), want: "cannot be"},
		{name: "an address with a story", action: "GetExternalIPAddress", odd: text(envelope(`<u:R xmlns:u="x"><NewExternalIPAddress>fe80::1%` + strings.Repeat("\u009b", 1000) + `</NewExternalIPAddress></u:R>`)), want: "is fe80::1, which cannot be"},
		{name: "no", action: "AddPortMapping", odd: func(w http.ResponseWriter, _ *http.Request) { upnpFault(w, 606) }, want: "does not allow"},
		{name: "always a conflict", action: "AddPortMapping", odd: func(w http.ResponseWriter, _ *http.Request) { upnpFault(w, 718) }, want: "taken"},
		{name: "an unknown fault", action: "AddPortMapping", odd: func(w http.ResponseWriter, _ *http.Request) { upnpFault(w, 999) }, want: "error 999"},
		{name: "an error", action: "AddPortMapping", odd: http.NotFound, want: "goupnp"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := &igd{router: fakeRouter(), location: c.location, handler: routerWith(c.action, c.odd)}
			if f.location == "" {
				f.location = "%s/desc.xml"
			}
			f.start(t)
			u := patientUPnP(f.router)
			if c.want != "" {
				u.wait = time.Second // which it waits to its end, twice
			}
			g, err := u.request(t.Context(), wish{transport: UDP, port: 40000, lifetime: time.Hour})
			if strings.Contains(c.want, "refus") {
				if err == nil {
					t.Errorf("%+v", g)
				}
			} else {
				checkGrant(t, g, err, c.want)
			}
			if err != nil && len(err.Error()) > 300 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			if n := f.requests.Load(); n > 20 {
				t.Errorf("%d requests", n)
			}
		})
	}
	t.Cleanup(func() {
		if n := elsewhere.Load(); n > 0 {
			t.Errorf("somebody else than the router had %d requests", n)
		}
	})
}

// A router that is slow with everything, and has one connection after the other to
// try, does not keep the mapping of ports busy for half an hour.
func TestUPnP_GivesUpOnASlowRouter(t *testing.T) {
	f := &igd{router: fakeRouter(), location: "%s/desc.xml"}
	good := routerWith("", nil)
	f.handler = func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			good(w, r)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body) // else it is not told when the client goes
		<-r.Context().Done()
	}
	f.start(t)
	u := newUPnP(f.router, us())
	// Nothing else ends it than the patience for all of it.
	u.wait, u.patience, u.client.Timeout = patience, 2*time.Second, 0
	g, err := u.request(t.Context(), wish{transport: UDP, port: 40000, lifetime: time.Hour})
	if !errors.Is(err, errNoAnswer) {
		t.Errorf("%+v, %v", g, err)
	}
}

// Routers that know only leases without an end get one, and it is taken back.
func TestUPnP_AsksForALeaseWithoutAnEndWhereNothingElseIsKnown(t *testing.T) {
	for _, code := range []int{faultPermanentOnly, faultInvalidArgs} {
		var journal []string
		var mu sync.Mutex
		f := &igd{router: fakeRouter(), location: "%s/desc.xml"}
		good := routerWith("", nil)
		f.handler = func(w http.ResponseWriter, r *http.Request) {
			body := new(strings.Builder)
			_, _ = fmt.Fprint(body, r.Header.Get("SOAPAction"))
			_ = r.Write(body)
			mu.Lock()
			defer mu.Unlock()
			switch all := body.String(); {
			case strings.Contains(all, "<NewLeaseDuration>0<"):
				journal = append(journal, "for ever")
			case strings.Contains(all, "<NewLeaseDuration>"):
				journal = append(journal, "for a time")
				upnpFault(w, code)
				return
			case strings.Contains(all, "#DeletePortMapping"):
				journal = append(journal, "delete")
			}
			good(w, r)
		}
		f.start(t)
		u := patientUPnP(f.router)
		for range 2 {
			g, err := u.request(t.Context(), wish{transport: UDP, port: 40000, lifetime: time.Hour})
			if err != nil || g.lifetime != 0 {
				t.Fatalf("%+v, %v", g, err)
			}
		}
		if err := u.release(t.Context(), UDP, grant{external: outside("11.0.0.10:40000")}); err != nil {
			t.Error(err)
		}
		if got := strings.Join(journal, ", "); got != "for a time, for ever, for ever, delete" {
			t.Errorf("code %d: %s", code, got)
		}
	}
}

// Some routers refuse to renew what they have: it counts if it is ours.
func TestUPnP_TakesAConflictWithItselfForARenewal(t *testing.T) {
	for _, c := range []struct {
		client string
		want   string
	}{{us().String(), ""}, {"127.0.0.2", "taken"}} {
		f := &igd{router: fakeRouter(), location: "%s/desc.xml"}
		good := routerWith("GetSpecificPortMappingEntry", text(envelope(`<u:R xmlns:u="x"><NewInternalPort>40000</NewInternalPort><NewInternalClient>`+
			c.client+`</NewInternalClient><NewEnabled>1</NewEnabled><NewLeaseDuration>3600</NewLeaseDuration></u:R>`)))
		f.handler = func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.Header.Get("SOAPAction"), "#AddPortMapping") {
				upnpFault(w, faultConflict)
				return
			}
			good(w, r)
		}
		f.start(t)
		u := patientUPnP(f.router)
		u.wait = 2 * time.Second
		g, err := u.request(t.Context(), wish{transport: UDP, port: 40000, lifetime: 2 * time.Hour})
		checkGrant(t, g, err, c.want)
	}
}

// A router that restarted may be controlled at another address.
func TestUPnP_LooksAgainWhereTheConnectionIs(t *testing.T) {
	f := &igd{router: fakeRouter(), location: "%s/desc.xml"}
	var path atomic.Value
	path.Store("/one")
	good := routerWith("", nil)
	f.handler = func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodGet:
			fmt.Fprint(w, describeIGD(path.Load().(string)))
		case r.URL.Path != path.Load():
			http.NotFound(w, r)
		default:
			good(w, r)
		}
	}
	f.start(t)
	u := patientUPnP(f.router)
	for _, p := range []string{"/one", "/two"} {
		path.Store(p)
		g, err := u.request(t.Context(), wish{transport: UDP, port: 40000, lifetime: time.Hour})
		checkGrant(t, g, err, "")
	}
}

// What ends the client ends each protocol's request.
func TestMappers_EndWithTheirContext(t *testing.T) {
	router := fakeRouter()
	for _, port := range []uint16{controlPort, ssdpPort} {
		serveUDP(t, netip.AddrPortFrom(router, port), func([]byte) [][]byte { return nil })
	}
	all := newMappers(router, us(), []byte("secret"))
	for _, w := range all { // nothing else is to end them
		switch m := w.mapper.(type) {
		case *pcp:
			m.wait = time.Hour
		case *natPMP:
			m.wait = time.Hour
		case *upnp:
			m.wait, m.patience = time.Hour, time.Hour
		}
	}
	for _, w := range all {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, err := w.mapper.request(ctx, wish{transport: UDP, port: 40000, lifetime: time.Hour})
		cancel()
		if !errors.Is(err, errNoAnswer) {
			t.Errorf("%s: %v", w.protocol, err)
		}
	}
}
