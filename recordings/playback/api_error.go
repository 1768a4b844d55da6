package playback

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// apiError is an error as a client sees it. Message is a sentence for a person that
// says what to do next.
type apiError struct {
	Status     int
	Code       string
	Message    string
	RetryAfter time.Duration // 0 = no Retry-After header
	cause      error         // what is behind it, for the metrics; never shown
}

// fail returns an apiError of the given HTTP status.
func fail(status int, code, message string) *apiError {
	return &apiError{Status: status, Code: code, Message: message}
}

func badRequest(message string) *apiError {
	return fail(http.StatusBadRequest, "bad_request", message)
}

func notFound(message string) *apiError {
	return fail(http.StatusNotFound, "not_found", message)
}

// busy says that there is no room for one more of something.
func busy(message string) *apiError {
	e := fail(http.StatusServiceUnavailable, "busy", message)
	e.RetryAfter = 5 * time.Second
	return e
}

// because notes what an error comes from.
func (e *apiError) because(err error) *apiError {
	e.cause = err
	return e
}

// Unwrap returns what the error comes from.
func (e *apiError) Unwrap() error { return e.cause }

func (e *apiError) Error() string { return e.Message }

// body returns the error as {"error":{"code","message"}}.
func (e *apiError) body() any {
	type inner struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	return struct {
		Error inner `json:"error"`
	}{inner{e.Code, e.Message}}
}

// countRefusal tells a writer that has a method Refused(error) which check has refused.
func countRefusal(w http.ResponseWriter, cause error) {
	if counter, ok := w.(interface{ Refused(err error) }); ok && cause != nil {
		counter.Refused(cause)
	}
}

// write counts the error by the check that is behind it, and sends it.
func (e *apiError) write(w http.ResponseWriter) {
	countRefusal(w, e.cause)
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int((e.RetryAfter+time.Second-1)/time.Second))))
	}
	if e.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="sightline"`)
	}
	writeJSON(w, e.Status, e.body())
}

// writeJSON sends v with the given status. It may not be cached: it is right for
// this moment and this peer only.
func writeJSON(w http.ResponseWriter, status int, v any) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // the client is gone; there is nobody left to tell
}
