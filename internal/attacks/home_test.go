package attacks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

// home is what one owner has: agents, and the access list that they share.
type home struct {
	w     *world
	owner *identity.Identity
	sites []*site
	pace  time.Duration // how long a session takes on this machine, from dialling to its end

	id       string // the home's
	version  int64
	previous string // hash of the list in force
	revoked  []access.Revocation
}

// home pairs a new owner with new agents, each with two cameras.
func (w *world) home(agents int) *home { return w.homeOf(agents, siteOptions{}) }

// homeOf is home with agents of some kind.
func (w *world) homeOf(agents int, o siteOptions) *home {
	w.Helper()
	h := &home{w: w, owner: w.newIdentity(), id: access.NewToken()}
	for range agents {
		s := w.site(o)
		began := time.Now()
		if _, err := s.pair(h.owner); err != nil {
			w.Fatalf("pair an agent: %v", err)
		}
		h.pace = max(h.pace, time.Since(began))
		h.sites = append(h.sites, s)
	}
	return h
}

// soon is how long something may last that is to end while a session goes on. Where
// the check is off that ends it, it has outlasted after d, or more on a busy machine;
// where it is on, that is waited for.
func (h *home) soon(d time.Duration) time.Duration {
	if len(h.w.off) > 0 {
		return h.atPace(d)
	}
	return patience
}

// atPace is d for a machine that is idle, and more for one that is busy.
func (h *home) atPace(d time.Duration) time.Duration { return d + 5*h.pace }

// console makes a request to the agent's Unix socket, as `sightline pair` does.
func (s *site) console(method, path string, body any) (*apiAnswer, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(s.w.ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, "http://console"+path, strings.NewReader(string(text)))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", filepath.Join(s.stateDir, "agent.sock"))
		},
	}}
	res, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return readAnswer(res)
}

// pairingSecret lets the console open pairing, and returns the secret of the
// link.
func (s *site) pairingSecret(reset bool) (string, error) {
	a, err := s.console(http.MethodPost, "/v1/console/pair", map[string]any{"reset": reset})
	if err != nil {
		return "", err
	}
	var p struct{ Secret string }
	if err := a.decode(&p); err != nil {
		return "", err
	}
	if p.Secret == "" {
		return "", fmt.Errorf("no secret in %s", a.Body)
	}
	return p.Secret, nil
}

// pair makes id the owner, and returns the secret that it used.
func (s *site) pair(id *identity.Identity) (string, error) {
	secret, err := s.pairingSecret(false)
	if err != nil {
		return "", err
	}
	_, err = s.claim(id, claiming{kind: access.ClaimPair, secret: secret})
	return secret, err
}

// claiming is how somebody proves a secret.
type claiming struct {
	kind   string // access.ClaimPair or access.ClaimInvite
	invite string // its jti
	secret string
	// proof replaces the right one, if set.
	proof string
	// gullible does not look at whose key the server gives out.
	gullible bool
}

// claimed is what a publisher gives for a secret.
type claimed struct{ Proof, Role, Grant, Home string }

// claim proves a secret in a session for it. Errors: *rejection, or *apiAnswer
// for what the API refused.
func (s *site) claim(id *identity.Identity, c claiming) (*claimed, error) {
	p, err := s.w.join(s.signal, id)
	if err != nil {
		return nil, err
	}
	defer p.hangUp()
	d := dialing{publisher: s.id, claim: signaling.Claim(c.kind), noPicture: true, gullible: c.gullible}
	session, err := p.dial(s.w.ctx, d)
	if err != nil {
		return nil, err
	}
	defer session.close()
	return session.claim(s.w.ctx, id, s.id, c)
}

// claim proves a secret in this session.
func (s *session) claim(ctx context.Context, id *identity.Identity, publisher identity.PeerID, c claiming) (*claimed, error) {
	secret, err := access.ParseSecret(c.secret)
	if err != nil {
		return nil, err
	}
	proof := c.proof
	if proof == "" {
		proof = access.ClaimProof(secret, c.kind, access.SideViewer, string(s.transcript), id.PeerID(), publisher)
	}
	a, err := s.call(ctx, http.MethodPost, "/v1/claim", map[string]any{
		"kind": c.kind, "invite": c.invite, "proof": proof, "name": "Somebody", "device": "a test",
	})
	if err != nil {
		return nil, err
	}
	if a.Status != http.StatusOK {
		return nil, a
	}
	var got claimed
	return &got, a.decode(&got)
}

// refusedIfDenied turns what a publisher refused, in either way, into the end of
// an attack.
func refusedIfDenied(err error) error {
	var a *apiAnswer
	if errors.As(err, &a) {
		return refusedBy(a)
	}
	return refusedIfRejected(err)
}

// asOwner runs requests in a session of the owner's with one of the agents.
func (h *home) asOwner(s *site, do func(c *session) error) error {
	return s.as(h.owner, nil, do)
}

// as runs requests in a session of somebody's.
func (s *site) as(id *identity.Identity, grants []string, do func(c *session) error) error {
	p, err := s.w.join(s.signal, id)
	if err != nil {
		return err
	}
	defer p.hangUp()
	c, err := p.dial(s.w.ctx, dialing{publisher: s.id, grants: grants, noPicture: true})
	if err != nil {
		return err
	}
	defer c.close()
	return do(c)
}

// sign makes the next access list and remembers it.
func (h *home) sign() (string, error) {
	h.version++
	l := access.List{
		Home: h.id, Version: h.version, Previous: h.previous, Time: time.Now().Unix(), Revoked: h.revoked,
		Owners: []access.Owner{{ID: h.owner.PeerID(), Name: "Owner", Device: "a test"}},
	}
	for i, s := range h.sites {
		l.Publishers = append(l.Publishers, access.Publisher{ID: s.id, Name: fmt.Sprintf("Camera %d", i), Kind: access.KindAgent})
	}
	compact, err := access.SignList(h.owner, l)
	h.previous = access.HashOf(compact)
	return compact, err
}

// put gives a list to an agent, as the page of an owner does.
func (h *home) put(s *site, list string) error {
	return h.asOwner(s, func(c *session) error { return putList(h.w.ctx, c, list) })
}

// putList is put in a session that stands.
func putList(ctx context.Context, c *session, list string) error {
	a, err := c.call(ctx, http.MethodPut, "/v1/access", map[string]any{"list": list})
	if err != nil {
		return err
	}
	if a.Status != http.StatusOK {
		return a
	}
	return nil
}

// found signs the first list and gives it to every agent, once.
func (h *home) found() error {
	if h.version > 0 {
		return nil
	}
	list, err := h.sign()
	for _, s := range h.sites {
		if err == nil {
			err = h.put(s, list)
		}
	}
	return err
}

// revoke signs a list without a peer, or a grant by its jti.
func (h *home) revoke(kind, id string) (string, error) {
	h.revoked = append(h.revoked, access.Revocation{Kind: kind, ID: id, Time: time.Now().Unix()})
	return h.sign()
}

// everything is a scope with all rights on all cameras, until revoked.
func everything() access.Scope {
	return access.Scope{Rights: access.AllRights(), Cameras: []string{access.AnyCamera}}
}

// grant makes a grant by an issuer for a guest.
func grant(issuer, guest *identity.Identity, audience string, scope access.Scope) (string, error) {
	return access.NewGrant(issuer, audience, access.Recipient{Peer: guest.PeerID(), Name: "Guest"}, scope, time.Now())
}

// visit opens a session with grants, up to the list of cameras.
func (s *site) visit(guest *identity.Identity, grants ...string) error {
	return s.as(guest, grants, func(c *session) error { return c.cameras(s.w.ctx) })
}
