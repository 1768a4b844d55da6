package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/cli"
	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/internal/relay"
	"github.com/sightline-cam/sightline/internal/tlsfile"
	"github.com/sightline-cam/sightline/signaling/server"
	"github.com/sightline-cam/sightline/web"
)

// signalCommand runs the signaling server, with the web page.
type signalCommand struct {
	Listen        string     `help:"TCP address. Default 127.0.0.1:8787, or :443 with --domain." placeholder:"HOST:PORT"`
	AllowedHost   []string   `help:"Host name by which the server may be reached; needed for every name but loopback's." placeholder:"NAME"`
	AllowedOrigin []string   `help:"Further origin whose pages may connect." placeholder:"https://NAME"`
	TrustedProxy  []string   `help:"Network of a reverse proxy whose X-Forwarded-For is believed." placeholder:"CIDR"`
	TLSCert       string     `help:"Certificate, PEM; read again when it changes." placeholder:"FILE"`
	TLSKey        string     `help:"Key of the certificate, PEM." placeholder:"FILE"`
	ACME          acmeFlags  `embed:""`
	InsecureHTTP  bool       `name:"insecure-http" help:"Serve plain HTTP beyond loopback, for a reverse proxy that adds TLS."`
	PublicMetrics bool       `help:"Show /metrics to every address."`
	Relay         relayFlags `embed:""`
	LogLevel      string     `help:"Least severe message logged: debug, info, warn or error." default:"info"`
	LogFormat     string     `help:"text or json." default:"text" enum:"text,json"`
}

// Run implements the command.
func (c *signalCommand) Run(ctx context.Context, p *cli.Process) error {
	var level config.LogLevel
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return fmt.Errorf("--log-level: %w", err)
	}
	log := p.Logger(level, config.LogFormat(c.LogFormat))
	if c.Listen == "" {
		c.Listen = "127.0.0.1:8787"
		if len(c.ACME.Domain) > 0 {
			c.Listen = ":443"
		}
	}
	tlsConfig, authority, err := c.tls(log)
	if err != nil {
		return err
	}
	directory := &relay.Directory{} // filled in before anybody can ask
	s, err := server.New(server.Options{
		Logger: log, Page: web.Handler(), AllowedHosts: append(c.AllowedHost, c.ACME.Domain...), AllowedOrigins: c.AllowedOrigin,
		TrustedProxies: c.TrustedProxy, PublicMetrics: c.PublicMetrics, ICE: directory,
	})
	if err != nil {
		return err
	}
	defer s.Close() //nolint:errcheck // it has nothing to tell at the end
	// Behind a proxy on this machine it serves the world under a name.
	private := onLoopback(c.Listen) && len(c.AllowedHost) == 0
	stop, err := c.Relay.start(ctx, directory, s, relayContext{log: log, tls: tlsConfig, stateDir: c.ACME.StateDir, private: private})
	if err != nil {
		return err
	}
	defer stop() //nolint:errcheck // it has nothing to tell at the end
	lc := net.ListenConfig{}
	l, err := lc.Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s; choose another address with --listen: %w", c.Listen, err)
	}
	gated := s.Limit(l)
	if tlsConfig == nil {
		p.Say("The signaling server is at http://%s", l.Addr())
		return serve(ctx, gated, gated.ConnState, s, log)
	}
	secure := tlsfile.NewListener(gated, tlsConfig).TLSListener()
	if authority == nil {
		p.Say("The signaling server is at https://%s", l.Addr())
		return serve(ctx, secure, gated.ConnState, s, log)
	}
	p.Say("The signaling server is at %s", authority.url(l.Addr()))
	return together(ctx,
		func(ctx context.Context) error { return serve(ctx, secure, gated.ConnState, s, log) },
		func(ctx context.Context) error { return authority.run(ctx, l.Addr()) })
}

// together runs all until ctx ends or one of them fails.
func together(ctx context.Context, all ...func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, run := range all {
		wg.Go(func() {
			if errs[i] = run(ctx); errs[i] != nil {
				cancel()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// tls returns the TLS configuration, nil for plain HTTP, and where certificates
// come from if that is an authority. Plain HTTP beyond loopback is refused:
// browsers give keys to secure pages only.
func (c *signalCommand) tls(log *slog.Logger) (*tls.Config, *authority, error) {
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return nil, nil, errors.New("--tls-cert and --tls-key go together: give both")
	case len(c.ACME.Domain) > 0 && (c.TLSCert != "" || c.InsecureHTTP):
		return nil, nil, errors.New("--domain gets a certificate by ACME; give either it, or --tls-cert and --tls-key, or --insecure-http")
	case len(c.ACME.Domain) > 0:
		a, err := newAuthority(&c.ACME, log)
		if err != nil {
			return nil, nil, err
		}
		return a.config(), a, nil
	case c.TLSCert != "":
		files, err := tlsfile.OpenFiles(c.TLSCert, c.TLSKey, log)
		if err != nil {
			return nil, nil, err
		}
		return tlsfile.Config(files), nil, nil
	case c.InsecureHTTP || onLoopback(c.Listen):
		return nil, nil, nil
	}
	return nil, nil, fmt.Errorf("plain HTTP on %s is refused: browsers give this page no keys without TLS, and everyone on the way sees who watches; "+
		"give --domain, or --tls-cert and --tls-key, or listen on 127.0.0.1, or use --insecure-http behind a reverse proxy that adds TLS", c.Listen)
}

func onLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// serve serves until ctx ends. state hears of the connections.
func serve(ctx context.Context, l net.Listener, state func(net.Conn, http.ConnState), s *server.Server, log *slog.Logger) error {
	srv := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), ConnState: state,
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	err := s.Close() // the WebSockets, which Shutdown does not know
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if srv.Shutdown(stop) != nil {
		err = errors.Join(err, srv.Close())
	}
	if e := <-failed; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}
