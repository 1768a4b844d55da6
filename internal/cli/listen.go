package cli

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"

	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/internal/tlsfile"
)

// TLSFile is the name of the file in the state folder with the certificate that
// the agent makes for its own page.
const TLSFile = "tls.pem"

// listenerCertificate returns the certificate for the agent's listener; nil for
// plain HTTP: on loopback, which is as safe, and where it was asked for.
func listenerCertificate(cfg *config.Config, log *slog.Logger) (tlsfile.Source, error) {
	switch {
	case cfg.TLSCert != "":
		return tlsfile.OpenFiles(cfg.TLSCert, cfg.TLSKey, log)
	case cfg.InsecureHTTP || config.LoopbackAddress(cfg.Listen):
		return nil, nil
	}
	return tlsfile.OpenOwn(tlsfile.OwnOptions{File: filepath.Join(cfg.StateDir, TLSFile), Logger: log})
}

// listen opens the agent's listener.
func listen(ctx context.Context, address string) (net.Listener, error) {
	lc := net.ListenConfig{}
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s; choose another address with --listen: %w", address, err)
	}
	return l, nil
}

// baseURL returns where others reach a listener: https with a certificate, by
// the first name of one that somebody gave, else by an address.
func baseURL(ctx context.Context, a net.Addr, s tlsfile.Source) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return ""
	}
	scheme := "http://"
	if s != nil {
		scheme = "https://"
	}
	if given, ok := s.(*tlsfile.Files); ok && len(given.Names()) > 0 {
		host = given.Names()[0]
	} else if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		host = lanAddress(ctx)
	}
	return scheme + net.JoinHostPort(host, port)
}

// lanAddress returns the address by which this machine is known in its network:
// the one it would talk to the world from, or else any.
func lanAddress(ctx context.Context) string {
	// A UDP socket sends nothing by being connected. The address is nobody's (RFC
	// 5737).
	if c, err := (&net.Dialer{}).DialContext(ctx, "udp4", "192.0.2.1:9"); err == nil {
		defer c.Close() //nolint:errcheck // nothing was sent
		if a, err := netip.ParseAddrPort(c.LocalAddr().String()); err == nil && !a.Addr().IsUnspecified() {
			return a.Addr().String()
		}
	}
	for _, name := range tlsfile.MachineNames().Required {
		if ip, err := netip.ParseAddr(name); err == nil && !ip.IsLoopback() {
			return name
		}
	}
	return "127.0.0.1"
}
