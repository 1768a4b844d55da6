package playback

import (
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/strictjson"
)

// maxBody bounds what a request may carry, in bytes, whatever stands before it.
const maxBody = 64 << 10

// readJSON decodes the request's body strictly.
func readJSON(r *http.Request, v any) *apiError {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return fail(http.StatusUnsupportedMediaType, "unsupported_media_type", "Send the request as application/json.")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	if tooLarge || len(body) > maxBody {
		return fail(http.StatusRequestEntityTooLarge, "too_large", "The request is too large.").because(check.Refused(check.Form, errTooLarge))
	}
	if _, refused := check.Of(err); refused {
		return fail(http.StatusTooManyRequests, "too_often", "That is more than one device may send. Wait a moment.").because(err)
	}
	if err != nil {
		return badRequest("The request ended early.").because(err)
	}
	if err := strictjson.Unmarshal(body, v); err != nil {
		return badRequest("The request is not the JSON that belongs here: " + err.Error() + ".").because(check.Refused(check.Form, err))
	}
	return nil
}

var errTooLarge = errors.New("a body that is too large")
