package hostile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/signaling"
)

// connectTimeout bounds what Relay waits for in one session.
const connectTimeout = time.Minute

// Relay is the whole man in the middle: to the publisher it is the viewer, to
// the viewer the publisher. Both sessions end at it, with its own certificate
// in both descriptions; it sees every picture and request and carries them on,
// so that neither end notices. Video only; what the viewer negotiates later
// goes nowhere.
type Relay struct {
	// constant after construction
	*impostor
	endpoint *peer.Endpoint
	ctx      context.Context //nolint:containedctx // the life of the sessions
	cancel   context.CancelFunc
	running  sync.WaitGroup

	units atomic.Int64

	mu sync.Mutex
	// guarded by mu
	tapped   map[signaling.Token]*tapped // by session
	requests []string
}

// tapped is one session between two ends that believe that they talk to each
// other.
type tapped struct {
	// constant
	viewer, publisher identity.PeerID
	publisherKey      identity.AgreementKey
	offer             *signaling.Offer // the viewer's
	offerJWS          string
	replies           chan signaling.Message // the publisher's, capacity 1: an answer or a reject
	over              context.CancelFunc
}

// NewRelay puts a relay into the middle of everything that goes over s, by
// setting its hooks. Close it before s.
func NewRelay(s *Server) (*Relay, error) {
	id, err := identity.Generate()
	if err != nil {
		return nil, fmt.Errorf("hostile: %w", err)
	}
	e, err := peer.Listen(peer.EndpointOptions{Certificate: id.Certificate(), Addr: "127.0.0.1:0", Loopback: true})
	if err != nil {
		return nil, fmt.Errorf("hostile: %w", err)
	}
	r := &Relay{impostor: newImpostor(s, id), endpoint: e, tapped: map[signaling.Token]*tapped{}}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	s.OnLookup(r.lookup)
	s.OnSend(r.send)
	return r, nil
}

// Close ends its sessions and waits for them. The server's hooks become honest.
func (r *Relay) Close() error {
	r.server.OnSend(nil)
	r.server.OnLookup(nil)
	r.mu.Lock()
	r.cancel() // no session begins after it
	r.mu.Unlock()
	r.running.Wait()
	return r.endpoint.Close()
}

// Pictures returns how many coded pictures of the publisher's it has seen.
func (r *Relay) Pictures() int { return int(r.units.Load()) }

// Requests returns the requests that it has seen, as "GET /v1/cameras".
func (r *Relay) Requests() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// send is the server's hook.
func (r *Relay) send(from, to identity.PeerID, payload string) []Delivery {
	in, err := Open(r.id, payload)
	if err != nil {
		return Pass(from, to, payload)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if offer, ok := in.Message.(*signaling.Offer); ok {
		key, err := keyIn(r.server.Statement(to))
		if err != nil || r.ctx.Err() != nil {
			return nil
		}
		ctx, cancel := context.WithCancel(r.ctx)
		t := &tapped{
			viewer: from, publisher: to, publisherKey: key, offer: offer, offerJWS: in.JWS,
			replies: make(chan signaling.Message, 1), over: cancel,
		}
		r.tapped[offer.Session] = t
		r.running.Go(func() {
			defer cancel()
			if err := r.tap(ctx, t); err != nil && ctx.Err() == nil {
				r.fail(fmt.Errorf("hostile: the relay failed: %w", err))
			}
		})
		return nil
	}
	t := r.tapped[in.Message.Head().Session]
	if t == nil {
		return nil
	}
	switch in.Message.(type) {
	case *signaling.Answer, *signaling.Reject:
		select {
		case t.replies <- in.Message:
		default: // a second one counts for nothing
		}
	case *signaling.Bye:
		t.over()
	}
	return nil // the descriptions have the candidates that it needs
}

// tap runs one session from the viewer's offer to its end.
func (r *Relay) tap(ctx context.Context, t *tapped) error {
	var sections []peer.Section
	asked, err := peer.Sections(t.offer.SDP)
	if err != nil {
		return err
	}
	for _, s := range asked {
		if s.Kind == "video" {
			sections = append(sections, s)
		}
	}
	repeaters := map[string]*repeater{} // by the mid of the relay's own offer
	for i := range sections {
		repeaters[fmt.Sprint(i)] = newRepeater(&r.units)
	}
	dialing, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := peer.Dial(dialing, peer.DialOptions{
		Certificate: r.id.Certificate(), Loopback: true, Video: len(sections) > 0, Cameras: len(sections),
		OnTrack: func(track *peer.RemoteTrack) {
			if rep := repeaters[track.MID()]; rep != nil {
				rep.run(ctx, track)
			}
		},
		Signal: peer.AnswerOnly(func(ctx context.Context, sdp string) (string, error) { return r.offer(ctx, t, sdp, sections) }),
	})
	if rejected := (*rejection)(nil); errors.As(err, &rejected) {
		return r.reject(t, rejected.message)
	}
	if err != nil {
		return err
	}
	defer conn.Close()                  //nolint:errcheck // it has nothing to say
	streams := map[string]peer.Stream{} // by the mid of the viewer's offer
	for i, s := range sections {
		streams[s.MID] = repeaters[fmt.Sprint(i)]
	}
	session, sdp, err := r.endpoint.Answer(dialing, peer.Offer{SDP: t.offer.SDP, Pick: func(mid, _ string) peer.Stream { return streams[mid] }})
	if err != nil {
		return err
	}
	defer session.Close() //nolint:errcheck // it has nothing to say
	if err := r.answer(t, sdp); err != nil {
		return err
	}
	r.carry(ctx, conn, session)
	return nil
}

// carry passes requests on until one of the sessions ends.
func (r *Relay) carry(ctx context.Context, conn *peer.Conn, session *peer.Session) {
	transport := &http.Transport{DialContext: conn.DialContext, DisableCompression: true}
	defer transport.CloseIdleConnections()
	silent := log.New(io.Discard, "", 0) // sessions end in the middle of answers
	srv := &http.Server{
		ReadHeaderTimeout: connectTimeout, ErrorLog: silent,
		Handler: &httputil.ReverseProxy{
			Transport: transport, ErrorLog: silent,
			Rewrite: func(p *httputil.ProxyRequest) {
				p.Out.URL.Scheme, p.Out.URL.Host, p.Out.Host = "http", "publisher", p.In.Host
				r.mu.Lock()
				r.requests = append(r.requests, p.In.Method+" "+p.In.URL.RequestURI())
				r.mu.Unlock()
			},
			FlushInterval: -1,
		},
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = srv.Serve(session.Listener()) })
	select {
	case <-ctx.Done():
	case <-conn.Done():
	case <-session.Done():
	}
	_ = srv.Close()
	serving.Wait()
}

// rejection is a publisher's reject.
type rejection struct{ message *signaling.Reject }

func (e *rejection) Error() string { return "the publisher refused: " + e.message.Reason }

// offer sends the publisher an offer of the relay's own in the viewer's name,
// and waits for the answer.
func (r *Relay) offer(ctx context.Context, t *tapped, sdp string, sections []peer.Section) (string, error) {
	forged := *t.offer
	forged.Key, forged.SDP = r.id.AgreementKey(), sdp
	own, err := peer.Sections(sdp)
	if err != nil {
		return "", err
	}
	cameras := map[string]string{}
	for _, m := range t.offer.Media {
		cameras[m.MID] = m.Camera
	}
	forged.Media = nil
	for i, s := range own[:min(len(own), len(sections))] {
		forged.Media = append(forged.Media, signaling.Media{MID: s.MID, Camera: cameras[sections[i].MID]})
	}
	_, payload, err := Forge(r.id, t.publisherKey, &forged)
	if err != nil {
		return "", err
	}
	if err := r.server.Deliver(Delivery{From: t.viewer, To: t.publisher, Payload: payload}); err != nil {
		return "", err
	}
	select {
	case m := <-t.replies:
		if answer, ok := m.(*signaling.Answer); ok {
			return answer.SDP, nil
		}
		reject, _ := m.(*signaling.Reject) // send lets nothing else through
		return "", &rejection{reject}
	case <-ctx.Done():
		return "", fmt.Errorf("the publisher does not answer: %w", context.Cause(ctx))
	}
}

// answer sends the viewer an answer of the relay's own in the publisher's name.
func (r *Relay) answer(t *tapped, sdp string) error {
	return r.reply(t, &signaling.Answer{
		Header: r.header(t), Nonce: signaling.NewToken(signaling.SessionSize),
		PeerNonce: t.offer.Nonce, OfferHash: signaling.HashOf(t.offerJWS), SDP: sdp, ICE: []signaling.ICEServer{},
	})
}

// reject passes the publisher's refusal on.
func (r *Relay) reject(t *tapped, m *signaling.Reject) error {
	return r.reply(t, &signaling.Reject{Header: r.header(t), OfferHash: signaling.HashOf(t.offerJWS), Code: m.Code, Reason: m.Reason})
}

func (r *Relay) reply(t *tapped, m signaling.Message) error {
	_, payload, err := Forge(r.id, t.offer.Key, m)
	if err != nil {
		return err
	}
	return r.server.Deliver(Delivery{From: t.publisher, To: t.viewer, Payload: payload})
}

func (r *Relay) header(t *tapped) signaling.Header {
	return signaling.Header{
		From: t.publisher, To: t.viewer, Session: t.offer.Session, Seq: 1, Exp: time.Now().Add(signaling.Lifetime).Unix(),
	}
}
