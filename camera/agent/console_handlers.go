package agent

import (
	"context"
	"net/http"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/accesslog"
	"github.com/sightline-cam/sightline/internal/trust"
)

// postConsolePair answers POST /v1/console/pair: whoever has the secret that is
// returned becomes the owner.
func (a *Agent) postConsolePair(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Reset bool `json:"reset"`
	}
	if err := readJSON(r, &in); err != nil {
		a.fail(w, err)
		return
	}
	pairing, err := a.gate.trust.StartPairing(in.Reset)
	if err != nil {
		a.fail(w, a.accessError(err))
		return
	}
	if in.Reset {
		a.log.Warn("all owners and grants were forgotten, at the console")
		a.journal.by(accesslog.Reset, principalOf(r), "owners, grants and invites are forgotten", a.cameFrom(r))
		a.endConsolePlayers(context.WithoutCancel(r.Context()))
	}
	writeJSON(w, http.StatusOK, struct {
		Peer    string `json:"peer"`
		Page    string `json:"page"`
		Secret  string `json:"secret"`
		Expires string `json:"expires"`
	}{string(a.PeerID()), a.opts.Page, pairing.Secret, timeText(pairing.Expires)})
}

// endConsolePlayers ends what players do whom the console let in: its access never
// ends, and so nothing else would end theirs.
func (a *Agent) endConsolePlayers(ctx context.Context) {
	a.tokens.forget(trust.RoleConsole)
	for _, s := range a.sessions.list() {
		if p := s.principal.Load(); p != nil && p.Role == trust.RoleConsole {
			a.watching.Go(func() { a.end(ctx, s, "") })
		}
	}
}

// postConsoleInvite answers POST /v1/console/invites: an invite that the device
// itself signs, good on this device only.
func (a *Agent) postConsoleInvite(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name    string         `json:"name"`
		Rights  []access.Right `json:"rights"`
		Cameras []string       `json:"cameras"`
		Expires int64          `json:"expires"`
		Pass    bool           `json:"pass"`
	}
	if err := readJSON(r, &in); err != nil {
		a.fail(w, err)
		return
	}
	const most = int64(100 * 365 * 24 * time.Hour / time.Second)
	if in.Expires < 0 || in.Expires > most || !isName(in.Name) {
		badRequest("expires is in seconds from now, and a name has at most 64 characters.").write(w)
		return
	}
	scope, lifetime := access.Scope{Rights: in.Rights, Cameras: in.Cameras, Pass: in.Pass}, access.MaxInviteLifetime
	if in.Expires > 0 {
		scope.Expires = a.gate.trust.Now().Unix() + in.Expires
		lifetime = min(lifetime, time.Duration(in.Expires)*time.Second)
	}
	jti, secret, err := a.gate.trust.ConsoleInvite(scope, in.Name, lifetime)
	if err != nil {
		a.fail(w, a.accessError(err))
		return
	}
	a.journal.by(accesslog.Invited, principalOf(r), "invite "+jti+" for "+in.Name, a.cameFrom(r))
	writeJSON(w, http.StatusOK, struct {
		Peer    string `json:"peer"`
		Page    string `json:"page"`
		Invite  string `json:"invite"`
		Expires string `json:"expires"`
	}{string(a.PeerID()), a.opts.Page, jti + "." + secret, timeText(a.gate.trust.Now().Add(lifetime))})
}

// postConsoleRevoke answers POST /v1/console/revoke: a peer, a grant or a name
// has no access to this device any more.
func (a *Agent) postConsoleRevoke(w http.ResponseWriter, r *http.Request) {
	var in struct {
		ID string `json:"id"`
	}
	if err := readJSON(r, &in); err != nil {
		a.fail(w, err)
		return
	}
	revoked, err := a.gate.trust.RevokeHere(in.ID)
	if done(err) {
		a.journal.by(accesslog.Revoked, principalOf(r), revoked.Kind+" "+revoked.ID, a.cameFrom(r))
	}
	if err != nil {
		a.fail(w, a.accessError(err))
		return
	}
	a.getAccess(w, r)
}
