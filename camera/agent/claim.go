package agent

import (
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sightline-cam/sightline/internal/accesslog"
	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/signaling"
)

// maxName is how long the name of a person or a device may be, in characters.
const maxName = 64

// postClaim answers POST /v1/claim: somebody shows that it has a secret, without
// showing the secret. The proof is bound to the handshake of this very session,
// so it is worth nothing to whoever passed on or altered the signaling.
func (a *Agent) postClaim(w http.ResponseWriter, r *http.Request) {
	s := sessionOf(r)
	var in struct {
		Kind   string `json:"kind"`
		Invite string `json:"invite"`
		Proof  string `json:"proof"`
		Name   string `json:"name"`
		Device string `json:"device"`
	}
	if err := readJSON(r, &in); err != nil {
		a.fail(w, err)
		return
	}
	if in.Kind != string(s.claim()) {
		badRequest("This connection is for another kind of claim. Connect again.").write(w)
		return
	}
	if !isName(in.Name) || !isName(in.Device) {
		badRequest("A name has at most 64 characters, and no control characters. Choose a shorter one.").write(w)
		return
	}
	result, err := a.gate.trust.Claim(trust.ClaimRequest{
		Kind: in.Kind, Invite: in.Invite, Proof: in.Proof, Transcript: string(s.intro.Transcript()),
		Viewer: s.key.viewer, Name: in.Name, Device: in.Device,
	})
	if err != nil {
		e := claimError(err)
		a.metrics.claim(in.Kind, e.Code)
		a.log.Info("refused a claim", "viewer", s.key.viewer.Grouped(), "kind", in.Kind, "reason", err)
		a.journal.refused(time.Now(), s.key.viewer, "claim: "+e.Code, s.address())
		a.fail(w, e)
		return
	}
	a.metrics.claim(in.Kind, "ok")
	kind := accesslog.Redeemed
	if in.Kind == string(signaling.ClaimPair) {
		kind = accesslog.Paired
	}
	a.log.Info("somebody new may watch", "viewer", s.key.viewer.Grouped(), "kind", in.Kind, "role", result.Role)
	a.journal.add(accesslog.Entry{Kind: kind, Peer: string(s.key.viewer), Name: result.Name, What: "as " + string(result.Role) + ", on " + in.Device, From: s.address()})
	writeJSON(w, http.StatusOK, struct {
		Proof string     `json:"proof"`
		Role  trust.Role `json:"role"`
		Grant string     `json:"grant"`
		Home  string     `json:"home"`
	}{result.Proof, result.Role, result.Grant, result.Home})
}

// claim returns what the viewer of a session said that it would show.
func (s *session) claim() signaling.Claim {
	if s.intro == nil {
		return signaling.ClaimNone
	}
	return s.intro.Offer().Claim
}

// claimError tells why a claim is refused. The codes are also the results in the
// metrics.
func claimError(err error) *apiError {
	if locked, ok := errors.AsType[*trust.LockedError](err); ok {
		e := fail(http.StatusTooManyRequests, "locked", sentence(locked)).because(err)
		e.RetryAfter = locked.RetryAfter
		return e
	}
	name, _ := check.Of(err)
	switch {
	case errors.Is(err, trust.ErrExpiredClaim), name == check.Expiry:
		return fail(http.StatusGone, "expired", sentence(err)).because(err)
	case name == check.Once:
		return fail(http.StatusGone, "used", sentence(err)).because(err)
	case name == check.Proof:
		return fail(http.StatusForbidden, "wrong_proof", sentence(err)).because(err)
	case name == check.Form:
		return badRequest(sentence(err)).because(err)
	case errors.Is(err, trust.ErrTooMany):
		return fail(http.StatusConflict, "full", sentence(err)).because(err)
	case name != "":
		return forbidden(err)
	}
	if e := notWritten(err); e != nil {
		return e
	}
	return fail(http.StatusInternalServerError, "internal", "The agent could not keep this. Its log says why.").because(err)
}

// isName reports whether a text can be shown as the name of a person or device.
func isName(s string) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxName && !strings.ContainsFunc(s, unicode.IsControl)
}
