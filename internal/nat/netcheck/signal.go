package netcheck

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"
)

const maxHeader = 16 << 10 // bytes

// signal asks the signaling service whether it lives, and what time it is there.
func (c *check) signal(ctx context.Context) SignalReport {
	r := SignalReport{URL: withoutLogin(c.o.Signal)}
	u, err := healthURL(c.o.Signal)
	if err != nil {
		r.Problem = err.Error()
		return r
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	transport := &http.Transport{
		DialContext: c.o.Dial, TLSClientConfig: c.o.TLS.Clone(), DisableKeepAlives: true,
		MaxResponseHeaderBytes: maxHeader, Proxy: http.ProxyFromEnvironment,
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		r.Problem = "its address is not one; write wss://HOST"
		return r
	}
	start := time.Now()
	res, err := client.Do(req)
	if err != nil {
		r.Problem = explainHTTP(err, u.Hostname())
		return r
	}
	took := time.Since(start)
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxHeader)) // lets it end in peace
	_ = res.Body.Close()
	r.Reachable, r.RTTms = true, took.Milliseconds()
	r.Clock = compareClocks(res.Header.Get("Date"), start, took)
	switch {
	case res.StatusCode == http.StatusMisdirectedRequest:
		r.Problem = "it does not know itself by this name; start it with --allowed-host " + u.Hostname()
	case res.StatusCode != http.StatusOK:
		r.Problem = "something answers there that is no signaling service (" + http.StatusText(res.StatusCode) + "); check the address"
	}
	return r
}

// withoutLogin leaves out of an address what may be a password. It need not be a
// good address.
func withoutLogin(text string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return text
	}
	return scheme + "://" + rest[strings.LastIndex(rest, "@")+1:]
}

// healthURL returns where a signaling service says that it lives.
func healthURL(signal string) (*url.URL, error) {
	u, err := url.Parse(signal)
	if err != nil || u.Host == "" || u.User != nil {
		return nil, errors.New("its address is not one; write wss://HOST")
	}
	switch u.Scheme {
	case "wss", "https":
		u.Scheme = "https"
	case "ws", "http":
		u.Scheme = "http"
	default:
		return nil, errors.New("its address begins with neither wss:// nor ws://; write wss://HOST")
	}
	u.Path, u.RawPath, u.RawQuery, u.Fragment = "/healthz", "", "", ""
	return u, nil
}

// compareClocks reads a Date header (RFC 9110 §6.6.1), which tells whole seconds;
// nil if there is none. The server wrote it somewhere between start and start+took.
func compareClocks(date string, start time.Time, took time.Duration) *ClockReport {
	there, err := http.ParseTime(date)
	if err != nil || there.Year() < 1970 || there.Year() > 9999 {
		return nil
	}
	const half = 500 * time.Millisecond
	ahead := start.Add(took / 2).Round(0).Sub(there.Add(half))
	return &ClockReport{AheadMs: ahead.Milliseconds(), PrecisionMs: (half + took/2).Milliseconds()}
}

// explainHTTP says why a service could not be asked, and what to do.
func explainHTTP(err error, host string) string {
	if text := explainTLS(err, host); text != "" {
		return text
	}
	return explainDial(err)
}

func explainDial(err error) string {
	if dns, ok := errors.AsType[*net.DNSError](err); ok && !dns.IsTimeout {
		return "its name cannot be resolved; check the spelling, and this device's DNS"
	}
	timeout, _ := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "it refuses the connection; check the port, and that it runs"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "there is no way to it; check that this device is online"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), timeout != nil && timeout.Timeout():
		return "no answer; check the address, that it runs, and that no firewall is in the way"
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.ErrUnexpectedEOF):
		return "it closed the connection without an answer; check the port, and whether it is https or http"
	}
	return "the connection failed; check the address, and that this device is online"
}

// explainTLS says why there was no TLS; empty if that was not it.
func explainTLS(err error, host string) string {
	var (
		invalid   x509.CertificateInvalidError
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		record    tls.RecordHeaderError
		alert     tls.AlertError
	)
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate is out of date by this device's clock; check the clock first, then the certificate"
	case errors.As(err, &authority):
		return "its certificate comes from nobody whom this device trusts; give the server one of an authority (sightline signal --domain)"
	case errors.As(err, &name):
		return "its certificate is for another name than " + host + "; use the name that is in it"
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return "it does not speak TLS there; check the port, and whether it is https or http"
	case errors.As(err, &invalid), errors.As(err, &alert):
		return "the TLS handshake failed; check the server's certificate"
	}
	return ""
}
