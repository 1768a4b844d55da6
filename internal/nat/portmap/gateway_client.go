package portmap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"
)

const (
	// maxBody bounds what is read of one of the router's documents: descriptions of
	// real ones have up to 30 kB.
	maxBody = 128 << 10
	// httpWait bounds one request.
	httpWait = 3 * time.Second
)

// newGatewayClient makes an HTTP client that talks to the router and nobody else,
// from our address towards it, follows no redirects, uses no proxy, keeps no
// connection and reads no more than maxBody of a body.
func newGatewayClient(gateway, local netip.Addr) http.Client {
	dialer := &net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(local, 0))}
	return http.Client{
		Timeout:       httpWait,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &shortBodies{&http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				to, err := netip.ParseAddrPort(address)
				if err != nil || to.Addr() != gateway {
					return nil, fmt.Errorf("%s is not the router", address)
				}
				return dialer.DialContext(ctx, network, address)
			},
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: 16 << 10,
		}},
	}
}

// shortBodies bounds the bodies of responses.
type shortBodies struct{ next *http.Transport }

func (s *shortBodies) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := s.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = &shortBody{answer.Body, maxBody}
	return answer, nil
}

// errLong says that the router sent more than anybody needs.
var errLong = errors.New("the router's answer is too long")

// shortBody is a body that ends in errLong after left bytes.
type shortBody struct {
	io.ReadCloser
	left int
}

func (b *shortBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errLong
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
