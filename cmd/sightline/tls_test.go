package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// agentByTLS is a camera that listens on all addresses.
type agentByTLS struct {
	process
	port        string
	fingerprint string
	lines       []string // up to the link
}

// launchByTLS starts a camera and waits for its link.
func launchByTLS(t *testing.T, state string, args ...string) *agentByTLS {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	a := &agentByTLS{process: process{output: &lockedBuffer{}}}
	args = append([]string{"camera", "--state-dir", state, "--listen", "0.0.0.0:0", "--udp", "127.0.0.1:0", "rtsp://127.0.0.1:1/s"}, args...)
	a.cmd = exec.CommandContext(ctx, "sightline", args...)
	a.cmd.Stderr = a.output
	stdout, err := a.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		a.read.Wait()
		_ = a.cmd.Wait()
	})
	late := time.AfterFunc(patience, cancel)
	defer late.Stop()
	link := regexp.MustCompile(`^(https?://[^/]+)/#peer=[a-z2-7]{52}$`)
	sum := regexp.MustCompile(`SHA-256 is ((?:[0-9A-F]{2}:){31}[0-9A-F]{2})$`)
	for lines := bufio.NewScanner(io.TeeReader(stdout, a.output)); lines.Scan(); {
		a.lines = append(a.lines, lines.Text())
		if m := sum.FindStringSubmatch(lines.Text()); m != nil {
			a.fingerprint = m[1]
		}
		if m := link.FindStringSubmatch(lines.Text()); m != nil {
			a.link, a.base = m[0], m[1]
			a.port = a.base[strings.LastIndex(a.base, ":")+1:]
			a.read.Go(func() { _, _ = io.Copy(a.output, stdout) })
			return a
		}
	}
	t.Fatalf("no link:\n%s", a.output)
	return nil
}

// browser accepts the certificate with the fingerprint and no other.
func (a *agentByTLS) browser(t *testing.T) *http.Client {
	c := &http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "tcp", "127.0.0.1:"+a.port)
			},
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(s tls.ConnectionState) error {
				if sum := sha256.Sum256(s.PeerCertificates[0].Raw); !strings.EqualFold(fmt.Sprintf("%x", sum), strings.ReplaceAll(a.fingerprint, ":", "")) {
					return fmt.Errorf("its fingerprint is %x", sum)
				}
				return s.PeerCertificates[0].VerifyHostname("127.0.0.1")
			}},
		},
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func ask(t *testing.T, c *http.Client, url string, header ...string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// The link is printed once the agent is registered: it has reached its own
// signaling server through TLS by then.
func TestCamera_BeyondLoopbackThePageComesByTLS(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	a := launchByTLS(t, state)
	if a.fingerprint == "" || !strings.HasPrefix(a.base, "https://") || strings.Contains(a.base, "0.0.0.0") {
		t.Fatalf("%q", a.lines)
	}
	c := a.browser(t)
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "localhost", strings.ToLower(name)} {
		if status, body := ask(t, c, "https://"+host+":"+a.port+"/"); status != http.StatusOK || !strings.Contains(body, "<html") {
			t.Errorf("%s: %d %.100s", host, status, body)
		}
	}
	if status, _ := ask(t, c, "https://rebound.example.org:"+a.port+"/"); status != http.StatusMisdirectedRequest {
		t.Errorf("another name: %d", status)
	}
	own, other := "https://127.0.0.1:"+a.port, "https://evil.example.org"
	if status, body := ask(t, c, own+"/v1/cameras", "Origin", own); status != http.StatusUnauthorized {
		t.Errorf("its own page: %d %s", status, body)
	}
	if status, _ := ask(t, c, own+"/v1/cameras", "Origin", other); status != http.StatusForbidden {
		t.Errorf("a page of another origin: %d", status)
	}
	if status, body := ask(t, c, "http://127.0.0.1:"+a.port+"/"); status != http.StatusTemporaryRedirect || !strings.Contains(body, own) {
		t.Errorf("plain HTTP: %d %s", status, body)
	}
	for name, want := range map[string]os.FileMode{"tls.pem": 0o600, "agent.pem": 0o600, "agent.sock": 0o600} {
		if info, err := os.Stat(filepath.Join(state, name)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
	second := exec.CommandContext(t.Context(), "sightline", "camera", "--state-dir", state, "--listen", "127.0.0.1:0", "rtsp://127.0.0.1:1/s")
	if text, err := second.CombinedOutput(); err == nil || !strings.Contains(string(text), "another agent runs with the state folder") {
		t.Errorf("a second agent: %v %s", err, text)
	}
	a.stop(t, syscall.SIGTERM)
	if _, err := os.Stat(filepath.Join(state, "agent.sock")); err == nil {
		t.Error("the socket is left behind")
	}
	if again := launchByTLS(t, state); again.fingerprint != a.fingerprint {
		t.Errorf("another certificate after a restart: %s, %s", a.fingerprint, again.fingerprint)
	}
}

func TestCamera_PlainHTTPBeyondLoopbackWhenAskedFor(t *testing.T) {
	a := launchByTLS(t, filepath.Join(t.TempDir(), "state"), "--insecure-http")
	if a.fingerprint != "" || !strings.HasPrefix(a.base, "http://") {
		t.Fatalf("%q", a.lines)
	}
	if status, body := ask(t, http.DefaultClient, "http://127.0.0.1:"+a.port+"/"); status != http.StatusOK || !strings.Contains(body, "<html") {
		t.Errorf("%d %.100s", status, body)
	}
}

func TestCamera_WithCertificateFilesItsNameIsInTheLink(t *testing.T) {
	dir := t.TempDir()
	first := launchByTLS(t, filepath.Join(dir, "first")) // makes a file to use
	first.stop(t, syscall.SIGTERM)
	file := filepath.Join(dir, "first", "tls.pem")
	a := launchByTLS(t, filepath.Join(dir, "second"), "--tls-cert", file, "--tls-key", file)
	if a.base != "https://localhost:"+a.port || a.fingerprint != "" {
		t.Errorf("%q", a.lines)
	}
	a.fingerprint = first.fingerprint
	if status, _ := ask(t, a.browser(t), a.base+"/"); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	if _, err := os.Stat(filepath.Join(dir, "second", "tls.pem")); err == nil {
		t.Error("it made a certificate of its own")
	}
}
