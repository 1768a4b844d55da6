package agent

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/internal/strictjson"
	"github.com/sightline-cam/sightline/signaling"
)

// getCameras answers GET /v1/cameras.
func (a *Agent) getCameras(w http.ResponseWriter, r *http.Request) {
	views := make([]cameraView, 0, len(a.cameras.order))
	p := principalOf(r)
	for _, c := range a.cameras.visible(p) {
		views = append(views, c.view(p))
	}
	writeJSON(w, http.StatusOK, struct {
		Cameras []cameraView `json:"cameras"`
		Peer    string       `json:"peer"`
		Version string       `json:"version"`
	}{views, string(a.PeerID()), a.opts.Version})
}

// getTime answers GET /v1/time: what the stamps in a test picture are by.
func (a *Agent) getTime(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, struct {
		UnixMs float64 `json:"unixMs"`
	}{float64(time.Now().UnixMicro()) / 1e3})
}

// getSession answers GET /v1/session: the session that the request came over.
func (a *Agent) getSession(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, sessionOf(r).media.Stats())
}

// postSessionOffer answers POST /v1/session/offer: cameras added or dropped.
func (a *Agent) postSessionOffer(w http.ResponseWriter, r *http.Request) {
	var offer struct {
		SDP   string            `json:"sdp"`
		Media []signaling.Media `json:"media"`
	}
	if err := readJSON(r, &offer); err != nil {
		a.fail(w, err)
		return
	}
	if err := signaling.ValidateMedia(offer.Media); err != nil {
		badRequest("The offer's media are wrong: " + err.Error() + ".").write(w)
		return
	}
	pick, err := a.cameras.pick(offer.Media, a.mayWatch(principalOf(r)))
	if missing, ok := errors.AsType[*noCameraError](err); ok {
		fail(http.StatusNotFound, "no_camera", missing.Error()).write(w)
		return
	}
	if err != nil {
		a.fail(w, forbidden(err))
		return
	}
	answer, err := sessionOf(r).media.Renegotiate(r.Context(), peer.Offer{SDP: offer.SDP, Pick: pick})
	if err != nil {
		a.fail(w, offerError(err))
		return
	}
	writeJSON(w, http.StatusOK, struct {
		SDP string `json:"sdp"`
	}{answer})
}

// getHealth answers GET /healthz: the process is up. Cameras that are not are
// for GET /v1/cameras and the metrics.
func (a *Agent) getHealth(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, struct {
		Status string `json:"status"`
	}{"ok"})
}

func badRequest(message string) *apiError {
	return fail(http.StatusBadRequest, "bad_request", message)
}

const retryAfter = 5 * time.Second

// offerError tells a viewer why its offer is not answered.
func offerError(err error) *apiError {
	switch {
	case errors.Is(err, peer.ErrBadOffer):
		return badRequest("The offer cannot be answered: " + err.Error() + ".")
	case errors.Is(err, peer.ErrBusy):
		e := fail(http.StatusServiceUnavailable, "busy", "As many people are watching as this camera can serve. Try again in a moment.")
		e.RetryAfter = retryAfter
		return e.because(err)
	}
	return fail(http.StatusInternalServerError, "internal", "The agent could not answer. Its log says why.")
}

// readBody reads what http.MaxBytesReader lets through.
func readBody(r *http.Request) ([]byte, *apiError) {
	body, err := io.ReadAll(r.Body)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, fail(http.StatusRequestEntityTooLarge, "too_large", "The request is too large.").because(check.Refused(check.Form, err))
	}
	if _, ok := check.Of(err); ok {
		return nil, tooOften(err)
	}
	if err != nil {
		return nil, badRequest("The request ended early.")
	}
	return body, nil
}

// readJSON decodes the request's body strictly.
func readJSON(r *http.Request, v any) *apiError {
	if err := wantType(r, "application/json"); err != nil {
		return err
	}
	body, apiErr := readBody(r)
	if apiErr != nil {
		return apiErr
	}
	if err := strictjson.Unmarshal(body, v); !check.Off(check.Form) && err != nil {
		return badRequest("The request is not the JSON that belongs here: " + err.Error() + ".").because(check.Refused(check.Form, err))
	}
	return nil
}
