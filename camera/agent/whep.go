package agent

import (
	"net/http"
	"strings"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/signaling"
)

// WHEP (draft-ietf-wish-whep; sessions, PATCH and DELETE as in RFC 9725):
// docs/design/whep.md has the invariants.

const (
	typeSDP      = "application/sdp"
	typeFragment = "application/trickle-ice-sdpfrag"
)

// postWHEP answers an offer for one camera.
func (a *Agent) postWHEP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Accept-Post", typeSDP)
	if err := principalOf(r).Need(access.Live, r.PathValue("camera")); err != nil {
		a.fail(w, forbidden(err))
		return
	}
	cam, ok := a.cameras.byID[r.PathValue("camera")]
	if !ok {
		fail(http.StatusNotFound, "no_camera", "There is no such camera here.").write(w)
		return
	}
	if err := wantType(r, typeSDP); err != nil {
		a.fail(w, err)
		return
	}
	if !accepts(r.Header.Values("Accept"), typeSDP) {
		fail(http.StatusNotAcceptable, "not_acceptable", "The answer is of type "+typeSDP+".").write(w)
		return
	}
	body, apiErr := readBody(r)
	if apiErr != nil {
		a.fail(w, apiErr)
		return
	}
	s, answer, apiErr := a.openWHEP(r, cam, string(body))
	if apiErr != nil {
		a.fail(w, apiErr)
		return
	}
	h.Set("Content-Type", typeSDP)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Location", "/whep/"+cam.ID()+"/"+string(s.key.id))
	h.Set("ETag", s.whep.etag)
	h.Set("Accept-Patch", typeFragment)
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write([]byte(answer)) // the client is gone; ICE will find out
}

// openWHEP opens the session of an offer.
func (a *Agent) openWHEP(r *http.Request, cam *publishedCamera, offer string) (*session, string, *apiError) {
	facts, err := readOffer(offer)
	if err != nil {
		return nil, "", badRequest("The offer cannot be answered: " + err.Error() + ".")
	}
	if c, missing := missingCodec(cam, facts); missing {
		return nil, "", fail(http.StatusNotAcceptable, "codec_not_supported",
			"The camera sends "+c.String()+", which this player does not take. Choose H.264 in the camera's settings, or another player.")
	}
	s := &session{
		key: sessionKey{id: signaling.NewToken(signaling.SessionSize)},
		via: viaWHEP, place: placeOfNewcomer,
		whep: &whepSession{
			camera: cam.ID(),
			etag:   `"` + string(signaling.NewToken(signaling.SessionSize)) + `"`,
			ice:    facts.ice,
			token:  hashOfBearer(r),
		},
	}
	s.principal.Store(principalOf(r))
	answer, err := a.open(r.Context(), s, peer.Offer{SDP: offer, Pick: cam.pickOne()})
	if err != nil {
		e := offerError(err)
		if e.Status == http.StatusInternalServerError {
			a.log.Error("could not answer a player", "camera", cam.ID(), "error", err)
		}
		return nil, "", e
	}
	a.log.Info("a player came", "camera", cam.ID(), "session", s.logID())
	return s, answer, nil
}

// missingCodec reports whether no rendition of the picture suits the offer.
func missingCodec(cam *publishedCamera, facts *offerFacts) (codecs.Codec, bool) {
	missing := codecs.Unknown
	for i := range cam.Renditions() {
		t, known := cam.Hub(i).Video()
		if !known || facts.takes(t.Codec) {
			return codecs.Unknown, false
		}
		missing = t.Codec
	}
	return missing, true
}

// whepOf finds the session that a request names.
func (a *Agent) whepOf(r *http.Request) (*session, *apiError) {
	s, ok := a.sessions.get(sessionKey{id: signaling.Token(r.PathValue("session"))})
	if !ok || s.whep == nil || s.whep.camera != r.PathValue("camera") || s.holder() != principalOf(r).Peer {
		return nil, fail(http.StatusNotFound, "no_session", "There is no such session; it may have ended.")
	}
	return s, nil
}

// patchWHEP adds the player's late candidates (RFC 9725 §4.3.1).
func (a *Agent) patchWHEP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Accept-Patch", typeFragment)
	if err := a.trickle(r); err != nil {
		a.fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a *Agent) trickle(r *http.Request) *apiError {
	s, apiErr := a.whepOf(r)
	if apiErr != nil {
		return apiErr
	}
	if err := wantType(r, typeFragment); err != nil {
		return err
	}
	if err := s.whep.checkIfMatch(r.Header.Values("If-Match")); err != nil {
		return err
	}
	body, apiErr := readBody(r)
	if apiErr != nil {
		return apiErr
	}
	frag, err := parseSDPFragment(string(body))
	if err != nil {
		return badRequest("The fragment cannot be read: " + err.Error() + ".")
	}
	if !s.whep.ice[frag.Ufrag+":"+frag.Pwd] {
		return noRestart()
	}
	for _, m := range frag.Media {
		for _, c := range m.Candidates {
			a.addCandidate(s, c, m.Mid)
		}
		if m.End {
			a.addCandidate(s, "", m.Mid)
		}
	}
	return nil
}

// addCandidate passes over a candidate that is of no use here (another
// transport, a name that cannot be resolved), as RFC 8839 §5.1 wants.
func (a *Agent) addCandidate(s *session, candidate, mid string) {
	if err := s.media.AddCandidate(candidate, mid); err != nil {
		a.log.Debug("passed over a candidate", "session", s.logID(), "error", err)
	}
}

// checkIfMatch compares the entity tag of the ICE session (RFC 9725 §4.3.1.1).
func (s *whepSession) checkIfMatch(fields []string) *apiError {
	if len(fields) == 0 {
		return fail(http.StatusPreconditionRequired, "precondition_required", "Send the session's ETag in If-Match.")
	}
	for tag := range strings.SplitSeq(strings.Join(fields, ","), ",") {
		switch strings.TrimSpace(tag) {
		case s.etag:
			return nil
		case "*":
			return noRestart()
		}
	}
	return fail(http.StatusPreconditionFailed, "precondition_failed", "If-Match does not name this session's ETag.")
}

// noRestart refuses an ICE restart: RFC 9725 §4.3.1 wants 422 of a server that
// can trickle and not restart.
func noRestart() *apiError {
	return fail(http.StatusUnprocessableEntity, "no_ice_restart", "ICE restarts are not supported. Open a new session.")
}

// deleteWHEP ends a session.
func (a *Agent) deleteWHEP(w http.ResponseWriter, r *http.Request) {
	s, err := a.whepOf(r)
	if err != nil {
		a.fail(w, err)
		return
	}
	_ = s.media.Close()
	w.WriteHeader(http.StatusOK)
}

// optionsWHEP tells what the endpoint takes. It answers no CORS preflight: a
// page of another origin has no business here.
func (a *Agent) optionsWHEP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Allow", "OPTIONS, POST")
	w.Header().Set("Accept-Post", typeSDP)
	w.WriteHeader(http.StatusNoContent)
}

// optionsWHEPSession tells what a session takes.
func (a *Agent) optionsWHEPSession(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Allow", "DELETE, OPTIONS, PATCH")
	w.Header().Set("Accept-Patch", typeFragment)
	w.WriteHeader(http.StatusNoContent)
}
