package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"github.com/sightline-cam/sightline/internal/cli"
	"github.com/sightline-cam/sightline/internal/gate"
)

// acmeFlags are how to get a certificate from an authority (RFC 8555).
type acmeFlags struct {
	Domain    []string `help:"Name of this server; a certificate for it comes by ACME, whose terms are agreed to. Several may be given." sep:"none" placeholder:"NAME"`
	AcmeEmail string   `help:"Address that the authority may write to." placeholder:"NAME@HOST"`
	AcmeDir   string   `help:"Directory of the authority. Default: Let's Encrypt." placeholder:"URL"`
	AcmeCA    string   `name:"acme-ca" help:"Certificates that the directory's own is signed by, PEM. Default: the system's." placeholder:"FILE"`
	AcmeHTTP  string   `name:"acme-http" help:"TCP address where the authority may ask by plain HTTP too; others are sent to https. Default :80, if it is free." placeholder:"HOST:PORT"`
	StateDir  string   `help:"Folder in which certificates are kept, in acme/, and the secret of the relay. Default ~/.local/state/sightline." placeholder:"DIR"`
}

const (
	// acmeDir is the name of the folder with certificates in the state folder.
	acmeDir = "acme"
	// acmePort is where authorities ask by plain HTTP (RFC 8555 §8.3).
	acmePort = ":80"
	// complainEvery is how often a certificate that does not come is logged.
	complainEvery = time.Minute
	maxCAFile     = 1 << 20
)

// authority gets certificates and keeps them. It implements the part of
// tlsfile.Source that a listener needs.
type authority struct {
	// Constant.
	domains []string
	http    string // "" is acmePort, which may be taken
	manager *autocert.Manager
	log     *slog.Logger

	mu         sync.Mutex
	complained time.Time // guarded by mu
}

// newAuthority checks the flags.
func newAuthority(f *acmeFlags, log *slog.Logger) (*authority, error) {
	domains := make([]string, len(f.Domain))
	for i, d := range f.Domain {
		domains[i] = strings.ToLower(strings.TrimSuffix(d, "."))
		if net.ParseIP(d) != nil || !strings.Contains(domains[i], ".") || strings.ContainsAny(d, "/:*@ ") {
			return nil, fmt.Errorf("--domain %s: give a full host name, as in https://signal.example.org", d)
		}
	}
	if u, err := url.Parse(f.AcmeDir); f.AcmeDir != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		return nil, errors.New("--acme-dir: give the https:// address of the authority's directory")
	}
	dir, err := cli.StateFolder(f.StateDir)
	if err != nil {
		return nil, err
	}
	client, err := f.client()
	if err != nil {
		return nil, err
	}
	dir = filepath.Join(dir, acmeDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for certificates: %w", err)
	}
	return &authority{
		domains: domains, http: f.AcmeHTTP, log: log,
		manager: &autocert.Manager{
			Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(dir), HostPolicy: autocert.HostWhitelist(domains...),
			Email: f.AcmeEmail, Client: client,
		},
	}, nil
}

// client returns what talks to the authority; nil for the usual one.
func (f *acmeFlags) client() (*acme.Client, error) {
	if f.AcmeDir == "" && f.AcmeCA == "" {
		return nil, nil
	}
	client := &acme.Client{DirectoryURL: f.AcmeDir}
	if f.AcmeDir == "" {
		client.DirectoryURL = autocert.DefaultACMEDirectory
	}
	if f.AcmeCA == "" {
		return client, nil
	}
	info, err := os.Stat(f.AcmeCA)
	if err == nil && info.Size() > maxCAFile {
		err = errors.New("far too large")
	}
	if err != nil {
		return nil, fmt.Errorf("--acme-ca: %w", err)
	}
	text, err := os.ReadFile(f.AcmeCA)
	if err != nil {
		return nil, fmt.Errorf("--acme-ca: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--acme-ca: there is no certificate in %s", f.AcmeCA)
	}
	client.HTTPClient = &http.Client{Timeout: time.Minute, Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
	}}
	return client, nil
}

// config returns the TLS configuration of the listener, which answers the
// authority's questions by TLS-ALPN-01 (RFC 8737) too.
func (a *authority) config() *tls.Config {
	return &tls.Config{GetCertificate: a.certificate, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1", acme.ALPNProto}}
}

func (a *authority) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	cert, err := a.manager.GetCertificate(hello)
	if err != nil && slices.Contains(a.domains, strings.TrimSuffix(strings.ToLower(hello.ServerName), ".")) {
		a.complain(hello.ServerName, err)
	}
	return cert, err
}

func (a *authority) complain(domain string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now := time.Now(); now.Sub(a.complained) >= complainEvery {
		a.complained = now
		a.log.Error("no certificate; the name must lead here, with port 443 or 80 open to the authority", "domain", domain, "error", err)
	}
}

// run gets the certificates before anybody asks for them, and answers plain
// HTTP, until ctx ends. at is the address of the TLS listener.
func (a *authority) run(ctx context.Context, at net.Addr) error {
	address := a.http
	if address == "" {
		address = acmePort
	}
	lc := net.ListenConfig{}
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil && a.http != "" {
		return fmt.Errorf("listen on %s; choose another address with --acme-http: %w", address, err)
	}
	go a.fetch(ctx) // an exchange with the authority cannot be cut short; it is left to the end of the process
	if err != nil {
		a.log.Info("certificates come by TLS-ALPN-01 alone, which needs port 443", "reason", err)
		<-ctx.Done()
		return nil
	}
	gated := gate.New(l, gate.Options{})
	srv := &http.Server{
		Handler: withoutPort(a.manager.HTTPHandler(a.toHTTPS(at))), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second,
		WriteTimeout: 5 * time.Second, MaxHeaderBytes: 8 << 10, ConnState: gated.ConnState,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.Serve(gated); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", address, err)
	}
	return nil
}

// fetch gets every certificate that is not there yet.
func (a *authority) fetch(ctx context.Context) {
	for _, d := range a.domains {
		if ctx.Err() != nil {
			return
		}
		// As a browser asks: for an ECDSA certificate.
		hello := &tls.ClientHelloInfo{
			ServerName: d, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
			SupportedCurves: []tls.CurveID{tls.CurveP256}, SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256},
		}
		if cert, err := a.certificate(hello); err == nil && cert.Leaf != nil {
			a.log.Info("there is a certificate", "domain", d, "until", cert.Leaf.NotAfter.Format(time.DateOnly))
		}
	}
}

// withoutPort takes the port off Host, which names us at any.
func withoutPort(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.Clone(r.Context())
		if host, _, err := net.SplitHostPort(r.Host); err == nil {
			r.Host = host
		}
		r.Host = strings.TrimSuffix(strings.ToLower(r.Host), ".")
		h.ServeHTTP(w, r)
	})
}

// toHTTPS sends browsers to the TLS listener, by our own names only.
func (a *authority) toHTTPS(at net.Addr) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(a.domains, r.Host) {
			http.Error(w, "This server is not known by that name.", http.StatusMisdirectedRequest)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "This server speaks HTTPS only: "+a.url(at), http.StatusBadRequest)
			return
		}
		to := url.URL{Scheme: "https", Host: r.Host + portOf(at), Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
		http.Redirect(w, r, to.String(), http.StatusTemporaryRedirect)
	})
}

// url is the address of the server.
func (a *authority) url(at net.Addr) string { return "https://" + a.domains[0] + portOf(at) }

// portOf returns ":PORT", empty for that of https.
func portOf(at net.Addr) string {
	if _, port, err := net.SplitHostPort(at.String()); err == nil && port != "443" {
		return ":" + port
	}
	return ""
}
