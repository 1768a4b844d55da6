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
	"time"

	"github.com/sightline-cam/sightline/internal/cli"
	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/signaling/server"
	"github.com/sightline-cam/sightline/web"
)

// signalCommand runs the signaling server, with the web page.
type signalCommand struct {
	Listen        string   `help:"TCP address." default:"127.0.0.1:8787" placeholder:"HOST:PORT"`
	AllowedHost   []string `help:"Host name by which the server may be reached; needed for every name but loopback's." placeholder:"NAME"`
	AllowedOrigin []string `help:"Further origin whose pages may connect." placeholder:"https://NAME"`
	TrustedProxy  []string `help:"Network of a reverse proxy whose X-Forwarded-For is believed." placeholder:"CIDR"`
	TLSCert       string   `help:"Certificate, PEM." placeholder:"FILE"`
	TLSKey        string   `help:"Key of the certificate, PEM." placeholder:"FILE"`
	InsecureHTTP  bool     `name:"insecure-http" help:"Serve plain HTTP beyond loopback, for a reverse proxy that adds TLS."`
	PublicMetrics bool     `help:"Show /metrics to every address."`
	LogLevel      string   `help:"Least severe message logged: debug, info, warn or error." default:"info"`
	LogFormat     string   `help:"text or json." default:"text" enum:"text,json"`
}

// Run implements the command.
func (c *signalCommand) Run(ctx context.Context, p *cli.Process) error {
	var level config.LogLevel
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return fmt.Errorf("--log-level: %w", err)
	}
	log := p.Logger(level, config.LogFormat(c.LogFormat))
	tlsConfig, err := c.tls()
	if err != nil {
		return err
	}
	s, err := server.New(server.Options{
		Logger: log, Page: web.Handler(), AllowedHosts: c.AllowedHost, AllowedOrigins: c.AllowedOrigin,
		TrustedProxies: c.TrustedProxy, PublicMetrics: c.PublicMetrics,
	})
	if err != nil {
		return err
	}
	defer s.Close() //nolint:errcheck // it has nothing to tell at the end
	lc := net.ListenConfig{}
	l, err := lc.Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s; choose another address with --listen: %w", c.Listen, err)
	}
	gated := s.Limit(l)
	l = gated
	scheme := "http://"
	if tlsConfig != nil {
		l, scheme = tls.NewListener(l, tlsConfig), "https://"
	}
	p.Say("The signaling server is at %s%s", scheme, l.Addr())
	return serve(ctx, l, gated.ConnState, s, log)
}

// tls returns the TLS configuration, nil for plain HTTP. Plain HTTP beyond
// loopback is refused: browsers give keys to secure pages only.
func (c *signalCommand) tls() (*tls.Config, error) {
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return nil, errors.New("--tls-cert and --tls-key go together: give both")
	case c.TLSCert != "":
		pair, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
		if err != nil {
			return nil, fmt.Errorf("read the certificate: %w", err)
		}
		return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}, nil
	case c.InsecureHTTP || onLoopback(c.Listen):
		return nil, nil
	}
	return nil, fmt.Errorf("plain HTTP on %s is refused: browsers give this page no keys without TLS, and everyone on the way sees who watches; "+
		"give --tls-cert and --tls-key, or listen on 127.0.0.1, or use --insecure-http behind a reverse proxy that adds TLS", c.Listen)
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
