package agent

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/accesslog"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/signaling"
)

var errWrongCamera = errors.New("the token is for another camera")

// player finds out with whose access a player asks, by its token (RFC 6750).
// Without a token it gets in where anyone may. A token is good for its camera
// alone, and for the sessions that it opened even after it has expired: the
// player must still be able to end them.
func (a *Agent) player(r *http.Request) (*trust.Principal, *apiError) {
	text := bearer(r)
	if text == "" {
		return a.gate.anyone()
	}
	var holder *trust.Principal
	if token, ok := a.tokens.find(time.Now(), text); ok {
		if !check.Off(check.Right) && token.camera != r.PathValue("camera") {
			e := fail(http.StatusForbidden, "wrong_camera", "This token is for another camera. Ask the page for one of this camera.").
				because(check.Refused(check.Right, errWrongCamera))
			e.Bearer = `error="insufficient_scope"`
			return nil, e
		}
		holder = token.holder
	} else if s, ok := a.sessions.get(sessionKey{id: signaling.Token(r.PathValue("session"))}); ok && s.whep != nil && s.whep.token == sha256.Sum256([]byte(text)) {
		holder = s.principal.Load()
	} else {
		e := fail(http.StatusUnauthorized, "invalid_token", "This token is wrong or has expired. Ask the page for a new one.")
		e.Bearer = `error="invalid_token"`
		return nil, e
	}
	p, err := a.gate.renew(holder)
	if err != nil {
		e := fail(http.StatusUnauthorized, "invalid_token", "Whoever made this token has no access any more.").because(err)
		e.Bearer = `error="invalid_token"`
		return nil, e
	}
	return p, nil
}

// bearer returns the token of a request, or "".
func bearer(r *http.Request) string {
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(text)
}

// hashOfBearer is the hash of a request's token; zero without one.
func hashOfBearer(r *http.Request) [sha256.Size]byte {
	text := bearer(r)
	if text == "" {
		return [sha256.Size]byte{}
	}
	return sha256.Sum256([]byte(text))
}

// postWHEPToken answers POST /v1/whep-tokens: a token with which a player may
// watch one camera.
func (a *Agent) postWHEPToken(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Camera string `json:"camera"`
	}
	if err := readJSON(r, &in); err != nil {
		a.fail(w, err)
		return
	}
	p := principalOf(r)
	if in.Camera == "" {
		badRequest("Name the camera that the token is for.").write(w)
		return
	}
	if err := p.Need(access.Live, in.Camera); err != nil {
		a.fail(w, forbidden(err))
		return
	}
	if _, ok := a.cameras.byID[in.Camera]; !ok {
		fail(http.StatusNotFound, "no_camera", "There is no such camera here.").write(w)
		return
	}
	if err := a.mayChange(r); err != nil {
		a.fail(w, err)
		return
	}
	text, token, err := a.tokens.add(time.Now(), p, in.Camera)
	if err != nil {
		tooMany().because(err).write(w)
		return
	}
	a.journal.add(accesslog.Entry{Kind: accesslog.WHEPToken, Peer: string(p.Peer), Name: p.Name, What: "for camera " + in.Camera, From: a.cameFrom(r)})
	address := "/whep/" + in.Camera
	if p.Role == trust.RoleConsole {
		address = a.opts.ListenerURL + address
	}
	writeJSON(w, http.StatusCreated, struct {
		Token   string `json:"token"`
		URL     string `json:"url"`
		Expires string `json:"expires"`
	}{text, address, token.expires.UTC().Format(time.RFC3339)})
}
