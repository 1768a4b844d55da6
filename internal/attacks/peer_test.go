package attacks

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/lab/hostile"
	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/signaling"
)

// party is somebody with a key who is registered somewhere: an honest viewer, or
// one that forges what it sends. It belongs to one goroutine.
type party struct {
	*wire
	w  *world
	id *identity.Identity
}

// join registers id at a signaling server.
func (w *world) join(base string, id *identity.Identity) (*party, error) {
	x, err := w.connect(base, nil, nil)
	if err != nil {
		return nil, err
	}
	return &party{wire: x, w: w, id: id}, x.register(w.ctx, id)
}

// mustJoin is join where nothing may go wrong.
func (w *world) mustJoin(base string, id *identity.Identity) *party {
	w.Helper()
	p, err := w.join(base, id)
	if err != nil {
		w.Fatalf("register at %s: %v", base, err)
	}
	return p
}

// keyOf looks up the key that messages for a peer are sealed to.
func (p *party) keyOf(ctx context.Context, of identity.PeerID) (identity.AgreementKey, error) {
	statement, err := p.lookup(ctx, of)
	if err != nil {
		return "", err
	}
	return identity.OpenKeyStatement(statement, of)
}

// keyFor is keyOf for a session.
func (p *party) keyFor(ctx context.Context, d dialing) (identity.AgreementKey, error) {
	if !d.gullible {
		return p.keyOf(ctx, d.publisher)
	}
	statement, err := p.lookup(ctx, d.publisher)
	if err != nil {
		return "", err
	}
	var s struct {
		Agreement identity.AgreementKey `json:"agreement"`
	}
	return s.Agreement, payloadOf(statement, &s)
}

// dialing is how a party opens a session. Everything but the publisher may be
// left out, and is then as an honest viewer does it.
type dialing struct {
	publisher identity.PeerID
	claim     signaling.Claim
	grants    []string
	camera    string // whose picture; "" is the first
	noPicture bool   // no media at all, only requests
	// gullible takes the server's word for the publisher's key.
	gullible bool
	// shape changes the offer before it is signed.
	shape func(*signaling.Offer)
	// sign makes the compact JWS of the offer, seal the payload.
	sign func(offer []byte) (string, error)
	seal func(to identity.AgreementKey, compact string) (string, error)
	// sent sees the offer's JWS and the payload that went out.
	sent func(compact, payload string)
}

// rejection is what a publisher says to an offer that it does not answer.
type rejection struct {
	code   signaling.RejectCode
	reason string
}

// Error implements error.
func (r *rejection) Error() string { return fmt.Sprintf("%s: %s", r.code, r.reason) }

// session is a connection to a publisher.
type session struct {
	conn       *peer.Conn
	http       *http.Client
	frames     *peer.UnitReader
	transcript signaling.Token
	id         signaling.Token
}

// dial opens a session and waits until it stands. A *rejection says that the
// publisher refused.
func (p *party) dial(ctx context.Context, d dialing) (*session, error) {
	key, err := p.keyFor(ctx, d)
	if err != nil {
		return nil, err
	}
	s := &session{frames: peer.NewUnitReader()}
	s.conn, err = peer.Dial(ctx, peer.DialOptions{
		Certificate: p.id.Certificate(), Loopback: true, Video: !d.noPicture, OnTrack: s.frames.AddTrack,
		Signal: peer.AnswerOnly(func(ctx context.Context, sdp string) (string, error) {
			o := p.offer(d, sdp)
			compact, err := p.sendOffer(ctx, key, o, d)
			if err != nil {
				return "", err
			}
			a, answer, err := p.answerTo(ctx, o)
			if err != nil {
				return "", err
			}
			s.id, s.transcript = o.Session, signaling.Transcript(compact, answer)
			return a.SDP, nil
		}),
	})
	if err != nil {
		return nil, err
	}
	s.http = &http.Client{Transport: &http.Transport{DialContext: s.conn.DialContext, DisableCompression: true}}
	p.w.Cleanup(s.close)
	return s, nil
}

// offer makes the offer of a session description.
func (p *party) offer(d dialing, sdp string) *signaling.Offer {
	o := &signaling.Offer{
		Header: signaling.Header{
			From: p.id.PeerID(), To: d.publisher, Session: signaling.NewToken(signaling.SessionSize), Seq: 1,
			Exp: time.Now().Add(signaling.Lifetime).Unix(),
		},
		Nonce: signaling.NewToken(signaling.SessionSize), Key: p.id.AgreementKey(), Claim: d.claim,
		Grants: append([]string{}, d.grants...), SDP: sdp, Media: []signaling.Media{},
	}
	if sections, err := peer.Sections(sdp); err == nil {
		for _, s := range sections {
			o.Media = append(o.Media, signaling.Media{MID: s.MID, Camera: d.camera})
		}
	}
	if d.shape != nil {
		d.shape(o)
	}
	return o
}

// sendOffer signs, seals and sends an offer and returns its JWS.
func (p *party) sendOffer(ctx context.Context, key identity.AgreementKey, o *signaling.Offer, d dialing) (string, error) {
	if d.sign == nil {
		d.sign = func(text []byte) (string, error) { return identity.Sign(p.id, text) }
	}
	if d.seal == nil {
		d.seal = func(to identity.AgreementKey, compact string) (string, error) {
			return identity.Seal(to, []byte(compact))
		}
	}
	text, err := signaling.EncodeMessage(o)
	if err != nil {
		return "", err
	}
	compact, err := d.sign(text)
	if err != nil {
		return "", err
	}
	payload, err := d.seal(key, compact)
	if err != nil {
		return "", err
	}
	if d.sent != nil {
		d.sent(compact, payload)
	}
	return compact, p.send(ctx, d.publisher, payload)
}

// answerTo waits for what the publisher says to an offer. It is not picky about
// who signed: an attacker takes what it gets.
func (p *party) answerTo(ctx context.Context, o *signaling.Offer) (a *signaling.Answer, compact string, err error) {
	for {
		d, err := p.receive(ctx)
		if err != nil {
			return nil, "", fmt.Errorf("no answer: %w", err)
		}
		opened, err := hostile.Open(p.id, d.Payload)
		if err != nil || opened.Message.Head().Session != o.Session {
			continue
		}
		switch m := opened.Message.(type) {
		case *signaling.Answer:
			return m, opened.JWS, nil
		case *signaling.Reject:
			return nil, "", &rejection{m.Code, m.Reason}
		}
	}
}

// refusedIfRejected turns a publisher's refusal into the end of an attack.
func refusedIfRejected(err error) error {
	var r *rejection
	if errors.As(err, &r) {
		return refusedBy(r)
	}
	return err
}

// close ends the session.
func (s *session) close() {
	s.http.CloseIdleConnections()
	_ = s.conn.Close()
}

// picture waits for a picture of the camera.
func (s *session) picture(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if _, _, err := s.frames.Read(ctx); err != nil {
		return fmt.Errorf("no picture: %w", err)
	}
	return nil
}

// apiAnswer is what the publisher's HTTP API answered.
type apiAnswer struct {
	Status        int
	Body          []byte
	Code, Message string // of an error
}

// Error implements error, for answers that are refusals.
func (a *apiAnswer) Error() string { return fmt.Sprintf("HTTP %d %s", a.Status, a.Code) }

// decode reads the body.
func (a *apiAnswer) decode(v any) error {
	if a.Status < 200 || a.Status > 299 {
		return fmt.Errorf("the API answered %d: %.300s", a.Status, a.Body)
	}
	return json.Unmarshal(a.Body, v)
}

// call makes a request to the publisher's HTTP API over the session. body is
// sent as JSON unless it is nil.
func (s *session) call(ctx context.Context, method, path string, body any) (*apiAnswer, error) {
	if body == nil {
		return s.request(ctx, method, path, "")
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return s.request(ctx, method, path, string(text))
}

// post sends any text as JSON.
func (s *session) post(ctx context.Context, path, text string) (*apiAnswer, error) {
	return s.request(ctx, http.MethodPost, path, text)
}

func (s *session) request(ctx context.Context, method, path, text string) (*apiAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, "http://publisher"+path, strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	if text != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := s.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return readAnswer(res)
}

// pipeline asks the same n times over a channel of its own, without waiting for answers
// in between (RFC 9112 §9.3.2). The error is the first answer that is not OK.
func (s *session) pipeline(ctx context.Context, path string, n int) error {
	conn, err := s.conn.DialContext(ctx, "", "")
	if err != nil {
		return err
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return errors.Join(err, conn.Close())
	}
	asked := make(chan error, 1)
	go func() {
		_, err := io.WriteString(conn, strings.Repeat("GET "+path+" HTTP/1.1\r\nHost: publisher\r\n\r\n", n))
		asked <- err
	}()
	answers := bufio.NewReader(conn)
	for range n {
		var res *http.Response
		if res, err = http.ReadResponse(answers, nil); err != nil {
			break
		}
		var a *apiAnswer
		if a, err = readAnswer(res); err == nil && a.Status != http.StatusOK {
			err = a
		}
		if _ = res.Body.Close(); err != nil {
			break
		}
	}
	_ = conn.Close()
	return cmp.Or(err, <-asked)
}

func readAnswer(res *http.Response) (*apiAnswer, error) {
	a := &apiAnswer{Status: res.StatusCode}
	var err error
	if a.Body, err = io.ReadAll(io.LimitReader(res.Body, 1<<20)); err != nil {
		return nil, err
	}
	var e struct {
		Error struct{ Code, Message string } `json:"error"`
	}
	if json.Unmarshal(a.Body, &e) == nil {
		a.Code, a.Message = e.Error.Code, e.Error.Message
	}
	return a, nil
}

// cameras asks what there is to see, which shows that the session works.
func (s *session) cameras(ctx context.Context) error {
	a, err := s.call(ctx, http.MethodGet, "/v1/cameras", nil)
	if err != nil {
		return err
	}
	var list struct {
		Cameras []struct{ ID string } `json:"cameras"`
	}
	if err := a.decode(&list); err != nil {
		return err
	}
	if len(list.Cameras) == 0 {
		return errors.New("the session shows no camera")
	}
	return nil
}
