package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/freeport"
	"github.com/sightline-cam/sightline/internal/tlsfile"
)

const domain = "signal.example.test"

// testAuthority is Pebble, the ACME server that Let's Encrypt tests with, and a
// name server that leads every name to this machine.
type testAuthority struct {
	dir, ca string // the directory's address, and a file with its certificate
	roots   *x509.CertPool
	stop    func()
}

// background runs a program until stop or the end of the test.
func background(t *testing.T, env []string, name string, args ...string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	output := &lockedBuffer{}
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait()
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			t.Logf("%s said:\n%.4000s", filepath.Base(name), output)
		}
	})
	return stop
}

// startAuthority starts Pebble, which asks at the ports.
func startAuthority(t *testing.T, httpPort, tlsPort string) *testAuthority {
	t.Helper()
	var programs []string
	for _, name := range []string{"pebble", "pebble-challtestsrv"} {
		path, err := exec.LookPath(name)
		if err != nil && os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", name)
		}
		if err != nil {
			t.Skipf("%s is not installed (Debian: apt-get install pebble)", name)
		}
		programs = append(programs, path)
	}
	dir := t.TempDir()
	a := &testAuthority{ca: filepath.Join(dir, "ca.pem")}
	own, err := tlsfile.OpenOwn(tlsfile.OwnOptions{File: a.ca})
	if err != nil {
		t.Fatal(err)
	}
	names, listen, manage := freeport.Address(t), freeport.Address(t), freeport.Address(t)
	a.dir = "https://" + listen + "/dir"
	text, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": listen, "managementListenAddress": manage, "certificate": a.ca, "privateKey": a.ca,
		"httpPort": json.Number(httpPort), "tlsPort": json.Number(tlsPort),
	}})
	if err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(dir, "pebble.json")
	if err := os.WriteFile(settings, text, 0o600); err != nil {
		t.Fatal(err)
	}
	background(t, nil, programs[1], "-dns01", names, "-http01", "", "-https01", "", "-tlsalpn01", "", "-management", freeport.Address(t), "-defaultIPv6", "")
	a.stop = background(t, []string{"PEBBLE_VA_NOSLEEP=1"}, programs[0], "-config", settings, "-dnsserver", names, "-strict")
	client := tlsfile.Client(own)
	t.Cleanup(client.CloseIdleConnections)
	var root []byte
	eventually(t, func() error {
		res, err := client.Get("https://" + manage + "/roots/0")
		if err != nil {
			return err
		}
		defer res.Body.Close()
		root, err = io.ReadAll(res.Body)
		return err
	})
	a.roots = x509.NewCertPool()
	if !a.roots.AppendCertsFromPEM(root) {
		t.Fatalf("no root: %s", root)
	}
	return a
}

// eventually waits until try succeeds.
func eventually(t *testing.T, try func() error) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("it did not come about: %v", err)
		}
	}
}

// visitor is a browser that trusts the authority and finds the domain at a port
// of this machine.
func visitor(t *testing.T, roots *x509.CertPool, port string) *http.Client {
	c := &http.Client{
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots},
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "tcp", "127.0.0.1:"+port)
			},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       patience,
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func visit(c *http.Client, url string) (status int, location string, err error) {
	res, err := c.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, res.Header.Get("Location"), err
}

func TestSignal_GetsItsCertificateFromAnAuthority(t *testing.T) {
	for _, way := range []string{"TLS-ALPN-01", "HTTP-01"} {
		t.Run(way, func(t *testing.T) {
			tlsPort, httpPort := strconv.Itoa(freeport.Get(t)), strconv.Itoa(freeport.Get(t))
			askTLS, askHTTP := tlsPort, strconv.Itoa(freeport.Get(t))
			if way == "HTTP-01" {
				askTLS, askHTTP = strconv.Itoa(freeport.Get(t)), httpPort
			}
			a := startAuthority(t, askHTTP, askTLS)
			state := filepath.Join(t.TempDir(), "state")
			args := []string{"signal", "--domain", domain, "--listen", "127.0.0.1:" + tlsPort, "--acme-http", "127.0.0.1:" + httpPort,
				"--acme-dir", a.dir, "--acme-ca", a.ca, "--acme-email", "owner@example.test", "--state-dir", state}
			stop := background(t, nil, "sightline", args...)
			home := fmt.Sprintf("https://%s:%s/", domain, tlsPort)
			eventually(t, func() error {
				status, _, err := visit(visitor(t, a.roots, tlsPort), home)
				if err == nil && status != http.StatusOK {
					t.Fatalf("%s: %d", home, status)
				}
				return err
			})
			if status, _, err := visit(visitor(t, a.roots, tlsPort), "https://other.example.test:"+tlsPort+"/"); err == nil {
				t.Errorf("another name has a certificate: %d", status)
			}
			plain := visitor(t, nil, httpPort)
			if _, location, err := visit(plain, "http://"+domain+"/a?b=c"); err != nil || location != home+"a?b=c" {
				t.Errorf("plain HTTP leads to %q: %v", location, err)
			}
			if status, _, err := visit(plain, "http://evil.example.test/"); err != nil || status != http.StatusMisdirectedRequest {
				t.Errorf("another name by plain HTTP: %d %v", status, err)
			}
			if info, err := os.Stat(filepath.Join(state, "acme")); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("%v %v", info, err)
			}
			eventually(t, func() error { // it is shown before it is kept
				_, err := os.Stat(filepath.Join(state, "acme", domain))
				return err
			})
			stop()
			a.stop()
			background(t, nil, "sightline", args...)
			eventually(t, func() error { // with what was kept: there is no authority any more
				_, _, err := visit(visitor(t, a.roots, tlsPort), home)
				return err
			})
		})
	}
}

func TestSignal_CertificateFilesAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "tls.pem")
	renew := func() *tlsfile.Own {
		if err := os.RemoveAll(file); err != nil {
			t.Fatal(err)
		}
		own, err := tlsfile.OpenOwn(tlsfile.OwnOptions{File: file})
		if err != nil {
			t.Fatal(err)
		}
		return own
	}
	own, port := renew(), strconv.Itoa(freeport.Get(t))
	background(t, nil, "sightline", "signal", "--listen", "127.0.0.1:"+port, "--tls-cert", file, "--tls-key", file)
	reached := func(own *tlsfile.Own) error {
		client := tlsfile.Client(own)
		defer client.CloseIdleConnections()
		_, _, err := visit(client, "https://127.0.0.1:"+port+"/healthz")
		return err
	}
	eventually(t, func() error { return reached(own) })
	next := renew()
	eventually(t, func() error { return reached(next) })
	if _, location, err := visit(visitor(t, nil, port), "http://127.0.0.1:"+port+"/"); err != nil || !strings.HasPrefix(location, "https://127.0.0.1:"+port) {
		t.Errorf("plain HTTP leads to %q: %v", location, err)
	}
}
