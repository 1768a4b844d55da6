package portmap

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"time"
)

// pcp speaks the Port Control Protocol, RFC 6887.
type pcp struct {
	server netip.AddrPort
	local  netip.Addr
	secret []byte
	wait   time.Duration // before a request is repeated
	epoch  epoch
}

func newPCP(server netip.AddrPort, local netip.Addr, secret []byte) *pcp {
	return &pcp{server: server, local: local, secret: secret, wait: firstWait}
}

func (p *pcp) request(ctx context.Context, w wish) (grant, error) {
	r := p.mapRequest(w.transport, w.port)
	r.lifetime = w.lifetime
	r.suggested = netip.AddrPortFrom(w.external.Addr(), w.suggestedPort())
	a, err := p.ask(ctx, r)
	if err != nil {
		return grant{}, err
	}
	restarted := p.epoch.update(a.epoch, time.Now())
	if a.result != 0 {
		return grant{}, pcpProblem(a.result)
	}
	g, err := newGrant(w.port, a.external, a.lifetimeSeconds)
	g.restarted = restarted
	return g, err
}

// release asks for the mapping with a lifetime of 0: §15.1.
func (p *pcp) release(ctx context.Context, transport string, g grant) error {
	a, err := p.ask(ctx, p.mapRequest(transport, g.internal))
	if err == nil && a.result != 0 {
		return pcpProblem(a.result)
	}
	return err
}

func (p *pcp) mapRequest(transport string, port uint16) pcpMapRequest {
	r := pcpMapRequest{client: p.local, nonce: p.nonce(transport, port), protocol: protocolUDP, internal: port}
	if transport == TCP {
		r.protocol = protocolTCP
	}
	return r
}

// nonce is the same for the same mapping at all times (§11.2), and known to nobody
// but us and the router.
func (p *pcp) nonce(transport string, port uint16) (n pcpNonce) {
	h := hmac.New(sha256.New, p.secret)
	fmt.Fprintf(h, "sightline PCP nonce %s %s %s %d", p.server, p.local, transport, port)
	copy(n[:], h.Sum(nil))
	return n
}

func (p *pcp) ask(ctx context.Context, r pcpMapRequest) (a pcpAnswer, err error) {
	var old bool
	err = ask(ctx, p.local, p.server, p.wait, r.encode(), pcpMost, func(m []byte) (ok bool) {
		a, old, ok = r.answers(m)
		return ok
	})
	if err == nil && old {
		err = pcpProblem(1)
	}
	return a, err
}
