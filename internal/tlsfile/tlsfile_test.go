package tlsfile

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// machine is what an Own knows of its surroundings.
type machine struct {
	dir   string
	now   time.Time
	names Names
	log   bytes.Buffer
}

func newMachine(t *testing.T) *machine {
	return &machine{
		dir: t.TempDir(), now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC),
		names: Names{Required: []string{"localhost", "127.0.0.1", "cam", "cam.local", "192.168.1.7"}, Also: []string{"2001:db8::1"}},
	}
}

func (m *machine) file() string { return filepath.Join(m.dir, "tls.pem") }

func (m *machine) open(t *testing.T) *Own {
	t.Helper()
	c, err := OpenOwn(OwnOptions{
		File: m.file(), Names: func() Names { return m.names }, Now: func() time.Time { return m.now },
		Logger: slog.New(slog.NewTextHandler(&m.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func leaf(t *testing.T, s Source) *x509.Certificate {
	t.Helper()
	c, err := s.GetCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.Leaf
}

func TestOwn_IsForThisMachineAndStays(t *testing.T) {
	m := newMachine(t)
	first := m.open(t)
	cert := leaf(t, first)
	for _, name := range slices.Concat(m.names.Required, m.names.Also) {
		if err := cert.VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
	if cert.VerifyHostname("192.168.1.8") == nil || cert.IsCA {
		t.Error("it is for more than it should be")
	}
	if d := cert.NotAfter.Sub(cert.NotBefore); d != validity || m.now.Before(cert.NotBefore) {
		t.Errorf("valid for %v from %v", d, cert.NotBefore)
	}
	if info, err := os.Stat(m.file()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	again := m.open(t)
	if again.Fingerprint() != first.Fingerprint() || len(first.Fingerprint()) != 95 {
		t.Errorf("%s then %s", first.Fingerprint(), again.Fingerprint())
	}
	if d := first.Names(); !slices.Equal(d, []string{"localhost", "cam", "cam.local"}) {
		t.Errorf("names %v", d)
	}
}

func TestOwn_IsMadeAnewInTimeWithTheSameKey(t *testing.T) {
	made := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	clockless := time.Date(1970, 1, 1, 0, 5, 0, 0, time.UTC)
	day := 24 * time.Hour
	tests := map[string]struct {
		first, then time.Time
		change      func(*machine)
		renewed     bool
		until       time.Time // zero: 397 days after then
	}{
		"the next day":                     {made, made.Add(day), nil, false, made.Add(-skew + validity)},
		"30 days before the end":           {made, made.Add(validity - renewBefore), nil, true, time.Time{}},
		"long after the end":               {made, made.Add(3 * validity), nil, true, time.Time{}},
		"a new address":                    {made, made.Add(day), func(m *machine) { m.names.Required = append(m.names.Required, "10.0.0.9") }, true, time.Time{}},
		"an address that went":             {made, made.Add(day), func(m *machine) { m.names.Required = m.names.Required[:2] }, false, made.Add(-skew + validity)},
		"a new IPv6 address":               {made, made.Add(day), func(m *machine) { m.names.Also = []string{"2001:db8::2"} }, false, made.Add(-skew + validity)},
		"a clock that went wrong":          {made, clockless, nil, false, made.Add(-skew + validity)},
		"a wrong clock and a new address":  {made, clockless, func(m *machine) { m.names.Required = append(m.names.Required, "10.0.0.9") }, true, made.Add(-skew + validity)},
		"a clock that had run ahead":       {made.Add(5 * 365 * day), made, nil, true, time.Time{}},
		"a clock that is still wrong":      {clockless, clockless.Add(day), nil, false, someday()},
		"a clock that is right now":        {clockless, made, nil, true, time.Time{}},
		"a wrong clock, and a new address": {clockless, clockless.Add(day), func(m *machine) { m.names.Required = append(m.names.Required, "10.0.0.9") }, true, someday()},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			m.now = tt.first
			c := m.open(t)
			before := leaf(t, c)
			if m.now = tt.then; tt.change != nil {
				tt.change(m)
			}
			after := leaf(t, c)
			if renewed := !bytes.Equal(before.Raw, after.Raw); renewed != tt.renewed {
				t.Errorf("made anew: %v", renewed)
			}
			if !bytes.Equal(before.RawSubjectPublicKeyInfo, after.RawSubjectPublicKeyInfo) {
				t.Error("it has another key")
			}
			until := tt.until
			if until.IsZero() {
				until = tt.then.Add(-skew + validity)
			}
			if !after.NotAfter.Equal(until) {
				t.Errorf("it ends %v, not %v", after.NotAfter, until)
			}
			for _, name := range m.names.Required {
				if err := after.VerifyHostname(name); err != nil {
					t.Error(err)
				}
			}
			if again := m.open(t); !bytes.Equal(leaf(t, again).Raw, after.Raw) {
				t.Error("what was kept is another one")
			}
		})
	}
}

func TestOwn_LooksOnceAMinute(t *testing.T) {
	m := newMachine(t)
	c := m.open(t)
	before := c.Fingerprint()
	m.names.Required = append(m.names.Required, "10.0.0.9")
	m.now = m.now.Add(lookEvery - time.Second)
	leaf(t, c)
	if c.Fingerprint() != before {
		t.Error("made anew too soon")
	}
}

func TestOwn_RefusesAFileThatOthersMayRead(t *testing.T) {
	m := newMachine(t)
	m.open(t)
	if err := os.Chmod(m.file(), 0o640); err != nil {
		t.Fatal(err)
	}
	_, err := OpenOwn(OwnOptions{File: m.file()})
	if !errors.Is(err, ErrFileMode) || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("got %v", err)
	}
}

func TestOwn_ReplacesADamagedFile(t *testing.T) {
	m := newMachine(t)
	before := m.open(t).Fingerprint()
	whole, err := os.ReadFile(m.file())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"empty": nil, "half": whole[:len(whole)/2], "long": make([]byte, maxFile+1)} {
		if err := os.WriteFile(m.file(), text, 0o600); err != nil {
			t.Fatal(err)
		}
		m.log.Reset()
		if c := m.open(t); c.Fingerprint() == before || !strings.Contains(m.log.String(), "damaged") {
			t.Errorf("%s: %s", name, m.log.String())
		}
	}
	if strings.Contains(m.log.String(), "PRIVATE") {
		t.Error("the log shows the key")
	}
}

func TestOwn_KeepsTheOldOneWhenTheDiskIsFull(t *testing.T) {
	m := newMachine(t)
	c := m.open(t)
	before := c.Fingerprint()
	if err := os.RemoveAll(m.dir); err != nil { // nothing can be written any more
		t.Fatal(err)
	}
	m.now = m.now.Add(2 * validity)
	if leaf(t, c); c.Fingerprint() != before {
		t.Error("it shows a certificate that it could not keep")
	}
	if !strings.Contains(m.log.String(), "the old one is used") {
		t.Errorf("log: %s", m.log.String())
	}
}

func TestMachineNames(t *testing.T) {
	ip := func(text string) net.Addr {
		a, n, err := net.ParseCIDR(text)
		if err != nil {
			t.Fatal(err)
		}
		return &net.IPNet{IP: a, Mask: n.Mask}
	}
	lan := []net.Addr{ip("127.0.0.1/8"), ip("::1/128"), ip("192.168.1.7/24"), ip("fe80::1/64"), ip("2001:db8::7/64")}
	tests := map[string]struct {
		host           string
		addrs          []net.Addr
		required, also string
	}{
		"usual":      {"Cam", lan, "localhost 127.0.0.1 cam cam.local 192.168.1.7", "::1 2001:db8::7"},
		"qualified":  {"cam.example.org", nil, "localhost 127.0.0.1 cam.example.org cam.local", "::1"},
		"local":      {"cam.local", nil, "localhost 127.0.0.1 cam.local", "::1"},
		"nonsense":   {"my cam*", nil, "localhost 127.0.0.1", "::1"},
		"none":       {"", nil, "localhost 127.0.0.1", "::1"},
		"IPv6 alone": {"", []net.Addr{ip("2001:db8::7/64")}, "localhost 127.0.0.1 2001:db8::7", "::1"},
	}
	for name, tt := range tests {
		got := machineNames(tt.host, tt.addrs)
		if strings.Join(got.Required, " ") != tt.required || strings.Join(got.Also, " ") != tt.also {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := MachineNames(); len(got.Required) < 2 {
		t.Errorf("%+v", got)
	}
}

func TestFiles_AreReadAgainWhenTheyChange(t *testing.T) {
	m := newMachine(t)
	write := func(dir string) string {
		own := newMachine(t)
		own.dir = dir
		fingerprint := own.open(t).Fingerprint()
		return fingerprint
	}
	file := m.file() // one file may be both
	first := write(m.dir)
	f, err := OpenFiles(file, file, slog.New(slog.NewTextHandler(&m.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if f.Fingerprint() != first || !slices.Contains(f.Names(), "cam.local") {
		t.Errorf("%s %v", f.Fingerprint(), f.Names())
	}
	if err := os.WriteFile(file, []byte("being written"), 0o600); err != nil {
		t.Fatal(err)
	}
	f.checked = f.checked.Add(-reloadEvery)
	if leaf(t, f); f.Fingerprint() != first || !strings.Contains(m.log.String(), "the old one is used") {
		t.Errorf("half a file: %s", m.log.String())
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	second := write(m.dir)
	f.checked = f.checked.Add(-reloadEvery)
	if leaf(t, f); f.Fingerprint() != second || second == first {
		t.Error("the new files were not read")
	}
	if _, err := OpenFiles(filepath.Join(m.dir, "missing"), file, nil); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("got %v", err)
	}
}

// serve serves the address with TLS until the test ends.
func serve(t *testing.T, s Source) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0), ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.TLS != nil)
	})}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(NewListener(l, Config(s)).TLSListener()) }()
	t.Cleanup(func() {
		_ = srv.Close()
		<-done
	})
	return l.Addr().String()
}

func TestClient_TalksToItselfAlone(t *testing.T) {
	ours, others := newMachine(t).open(t), newMachine(t).open(t)
	client := Client(ours)
	t.Cleanup(client.CloseIdleConnections)
	res, err := client.Get("https://" + serve(t, ours))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); string(body) != "true" {
		t.Errorf("TLS: %s", body)
	}
	if res, err := client.Get("https://" + serve(t, others)); err == nil {
		_ = res.Body.Close()
		t.Error("it talked to somebody else")
	}
}

func TestListener_TellsPlainClientsWhereToGo(t *testing.T) {
	address := serve(t, newMachine(t).open(t))
	ask := func(request string) string {
		t.Helper()
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(c)
		if err != nil {
			t.Fatal(err)
		}
		return string(answer)
	}
	tests := map[string]struct{ request, want string }{
		"page":        {"GET /a?b=c HTTP/1.1\r\nHost: cam.local:8788\r\n\r\n", "Location: https://cam.local:8788/a?b=c\r\n"},
		"post":        {"POST /whep/x HTTP/1.1\r\nHost: cam.local:8788\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 400 Bad Request"},
		"no host":     {"GET / HTTP/1.0\r\n\r\n", "https://" + address + "/\n"},
		"evil host":   {"GET / HTTP/1.1\r\nHost: a\"><script>\r\n\r\n", "https://" + address + "/\n"},
		"user":        {"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", "https://" + address + "/\n"},
		"evil target": {"GET //evil/ HTTP/1.1\r\nHost: cam\r\n\r\n", "Location: https://cam/\r\n"},
		"split":       {"GET /\x0b HTTP/1.1\r\nHost: cam\r\n\r\n", "Location: https://cam/\r\n"},
	}
	for name, tt := range tests {
		if got := ask(tt.request); !strings.Contains(got, tt.want) || !strings.Contains(got, "speaks HTTPS only: https://") {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := ask("\x01\x02"); got != "" {
		t.Errorf("what is no HTTP was answered %q", got)
	}
	c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
}

func FuzzPlainAnswer(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\nHost: cam\r\n\r\n"))
	f.Add([]byte("GET //x HTTP/1.1\r\nHost: a\rb\r\n"))
	f.Fuzz(func(t *testing.T, head []byte) {
		answer := plainAnswer(head, "127.0.0.1:1")
		header, body, ok := strings.Cut(answer, "\r\n\r\n")
		if !ok || !strings.HasPrefix(body, "This address speaks HTTPS only: https://") {
			t.Fatalf("%q", answer)
		}
		if n := strings.Count(header, "\r\n"); n > 5 || strings.Count(header, "\n") != n || strings.Count(header, "\r") != n {
			t.Fatalf("a header was added: %q", header)
		}
	})
}

func TestOwn_KeepsTheOldCertificateWhenANewOneCannotBeKept(t *testing.T) {
	m := newMachine(t)
	before := m.open(t).Fingerprint()
	// Another address, and a disk that takes nothing.
	m.names.Required = append(m.names.Required, "192.168.1.8")
	text, err := os.ReadFile(m.file())
	if err != nil {
		t.Fatal(err)
	}
	full := filepath.Join(m.dir, "full")
	if err := os.Mkdir(full, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(full, strings.Repeat("n", 250)) // too long for the name of a temporary file beside it
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := OpenOwn(OwnOptions{File: file, Names: func() Names { return m.names }, Now: func() time.Time { return m.now }, Logger: slog.New(slog.NewTextHandler(&m.log, nil))})
	if err != nil || c.Fingerprint() != before || !strings.Contains(m.log.String(), "the old one is used") {
		t.Errorf("%v, %s", err, m.log.String())
	}
}
