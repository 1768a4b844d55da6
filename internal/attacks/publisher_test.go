package attacks

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/signaling"
)

// poser answers viewers in the place of a publisher, honestly or not: what it
// sends is what a hostile server makes of the publisher's messages, or a hostile
// publisher itself.
type poser struct {
	*party
	// ends are where its media would come from; the DTLS certificate is that of
	// the key.
	end *peer.Endpoint
}

// poser registers id at a signaling server; its sessions have the certificate of
// dtls.
func (w *world) poser(base string, id, dtls *identity.Identity) *poser {
	w.Helper()
	return &poser{party: w.mustJoin(base, id), end: w.endpoint(dtls)}
}

// endpoint opens a UDP port for sessions with the certificate of a key.
func (w *world) endpoint(id *identity.Identity) *peer.Endpoint {
	w.Helper()
	e, err := peer.Listen(peer.EndpointOptions{Certificate: id.Certificate(), Addr: "127.0.0.1:0", Loopback: true})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = e.Close() })
	return e
}

// answering is how an answer is made. What is left out is as it should be.
type answering struct {
	// key unseals what the viewer sent; the poser's own unless set.
	key *identity.Identity
	// shape changes the answer before it is signed.
	shape func(*signaling.Answer)
	// sign makes the JWS, seal the payload.
	sign func(answer []byte) (string, error)
	seal func(to identity.AgreementKey, compact string) (string, error)
}

// offered is an offer that came.
type offered struct {
	*signaling.Offer
	compact string
}

// awaitOffer waits for a viewer's offer.
func (p *poser) awaitOffer(ctx context.Context, key *identity.Identity) (*offered, error) {
	for {
		d, err := p.receive(ctx)
		if err != nil {
			return nil, err
		}
		signed, err := signaling.Open(key, d.Payload)
		if err != nil {
			return nil, err
		}
		o, ok := signed.Message().(*signaling.Offer)
		if !ok {
			continue // a bye of the session before
		}
		compact, err := key.Unseal(d.Payload)
		return &offered{o, string(compact)}, err
	}
}

// answer waits for an offer and answers it. It returns what it sent, and the
// JWS inside.
func (p *poser) answer(ctx context.Context, a answering) (payload, compact string, err error) {
	if a.key == nil {
		a.key = p.id
	}
	o, err := p.awaitOffer(ctx, a.key)
	if err != nil {
		return "", "", err
	}
	sdp, err := p.serve(ctx, o.SDP)
	if err != nil {
		return "", "", err
	}
	payload, compact, err = a.make(p.id, o, sdp)
	if err != nil {
		return "", "", err
	}
	return payload, compact, p.send(ctx, o.From, payload)
}

// make makes the answer to an offer.
func (a *answering) make(id *identity.Identity, o *offered, sdp string) (payload, compact string, err error) {
	m := &signaling.Answer{
		Header: signaling.Header{From: o.To, To: o.From, Session: o.Session, Seq: 1, Exp: time.Now().Add(signaling.Lifetime).Unix()},
		Nonce:  signaling.NewToken(signaling.SessionSize), PeerNonce: o.Nonce, OfferHash: signaling.HashOf(o.compact), SDP: sdp, ICE: []signaling.ICEServer{},
	}
	if a.shape != nil {
		a.shape(m)
	}
	text, err := signaling.EncodeMessage(m)
	if err != nil {
		return "", "", err
	}
	if a.sign == nil {
		a.sign = func(text []byte) (string, error) { return identity.Sign(id, text) }
	}
	if compact, err = a.sign(text); err != nil {
		return "", "", err
	}
	if a.seal == nil {
		a.seal = func(to identity.AgreementKey, compact string) (string, error) {
			return identity.Seal(to, []byte(compact))
		}
	}
	payload, err = a.seal(o.Key, compact)
	return payload, compact, err
}

// serve answers a session description with one of the poser's own, and serves a
// list of one camera over the session.
func (p *poser) serve(ctx context.Context, sdp string) (string, error) {
	s, answer, err := p.end.Answer(ctx, peer.Offer{SDP: sdp, Pick: func(string, string) peer.Stream { return nil }})
	if err != nil {
		return "", fmt.Errorf("answer a viewer: %w", err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		fmt.Fprint(rw, `{"cameras":[{"id":"false","name":"Not your camera"}]}`)
	})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(s.Listener())
	}()
	p.w.Cleanup(func() {
		_ = srv.Close()
		_ = s.Close()
		<-done
	})
	return answer, nil
}
