package tlsfile

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// Listener accepts connections for Secure to put TLS on. Somebody who speaks
// plain HTTP gets the address with https.
type Listener struct {
	net.Listener
	config *tls.Config
}

// NewListener returns a listener on top of l. Connections come from Accept
// without TLS, so that they can be counted and limited before the first byte of
// a handshake; whoever serves them calls Secure.
func NewListener(l net.Listener, config *tls.Config) *Listener {
	return &Listener{Listener: l, config: config}
}

// Secure puts TLS on a connection. It does no I/O; the result is a *tls.Conn,
// by which net/http knows that a request came over TLS.
func (l *Listener) Secure(c net.Conn) net.Conn {
	return tls.Server(&sniffedConn{Conn: c}, l.config)
}

// TLSListener returns a listener whose connections have TLS already.
func (l *Listener) TLSListener() net.Listener { return securedListener{l} }

type securedListener struct{ *Listener }

// Accept implements net.Listener.
func (l securedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.Secure(c), nil
}

const (
	// recordHandshake begins every TLS connection (RFC 8446 §5.1).
	recordHandshake = 22
	// maxHead is how much of a plain request is read.
	maxHead = 8 << 10
)

// errPlain says that a client spoke HTTP without TLS.
var errPlain = errors.New("the client speaks HTTP without TLS")

// sniffedConn looks at the first byte that comes. Only tls.Conn uses it, which
// reads from one goroutine at a time.
type sniffedConn struct {
	net.Conn
	sniffed bool
}

// NetConn returns the connection below, as that of a tls.Conn does.
func (c *sniffedConn) NetConn() net.Conn { return c.Conn }

// Read implements net.Conn.
func (c *sniffedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.sniffed || n == 0 {
		return n, err
	}
	c.sniffed = true
	if p[0] == recordHandshake {
		return n, err
	}
	if p[0] >= 'A' && p[0] <= 'Z' { // the first letter of a method
		c.explain(bytes.Clone(p[:n]))
	}
	return 0, errPlain
}

// explain answers a plain request. The server's deadline for the handshake
// bounds how long that may take.
func (c *sniffedConn) explain(head []byte) {
	chunk := make([]byte, 1024)
	for !bytes.Contains(head, []byte("\r\n\r\n")) && len(head) < maxHead {
		n, err := c.Conn.Read(chunk)
		if err != nil {
			return
		}
		head = append(head, chunk[:n]...)
	}
	_, _ = io.WriteString(c.Conn, plainAnswer(head, c.LocalAddr().String())) // nobody is left to tell
}

// plainAnswer returns what a plain request is answered, local being the address
// that it came to.
func plainAnswer(head []byte, local string) string {
	method, host, target := http.MethodGet, local, "/"
	for i, line := range strings.Split(string(head), "\r\n") {
		if i == 0 {
			method, line, _ = strings.Cut(line, " ")
			target, _, _ = strings.Cut(line, " ")
			continue
		}
		if name, value, _ := strings.Cut(line, ":"); strings.EqualFold(name, "Host") {
			host = strings.TrimSpace(value)
			break
		}
	}
	u, err := url.Parse("https://" + host)
	if err != nil || u.Host != host || u.User != nil || strings.ContainsAny(host, "/?#\\<>\"' ") {
		u = &url.URL{Scheme: "https", Host: local}
	}
	home := u.Scheme + "://" + u.Host
	if at, err := url.ParseRequestURI(target); err == nil && strings.HasPrefix(target, "/") && !strings.HasPrefix(target, "//") {
		u.Path, u.RawPath, u.RawQuery = at.Path, at.RawPath, at.RawQuery
	} else {
		u.Path = "/"
	}
	status, location := "400 Bad Request", ""
	if method == http.MethodGet || method == http.MethodHead {
		status, location = "307 Temporary Redirect", "Location: "+u.String()+"\r\n"
	}
	body := "This address speaks HTTPS only: " + home + "/\n"
	return fmt.Sprintf("HTTP/1.1 %s\r\n%sContent-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", status, location, len(body), body)
}
