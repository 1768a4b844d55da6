package agent

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// apiError is an error as a client of the API sees it. Message is a sentence
// for a person that says what to do next; it never carries a secret.
type apiError struct {
	Status     int
	Code       string
	Message    string
	RetryAfter time.Duration // 0 = no Retry-After header
}

func (e *apiError) Error() string { return e.Message }

// fail returns an apiError of the given HTTP status.
func fail(status int, code, message string) *apiError {
	return &apiError{Status: status, Code: code, Message: message}
}

// write sends the error as {"error":{"code","message"}}.
func (e *apiError) write(w http.ResponseWriter) {
	if e.RetryAfter > 0 {
		seconds := max(1, int(e.RetryAfter/time.Second))
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
	if e.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="sightline"`)
	}
	type body struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	writeJSON(w, e.Status, struct {
		Error body `json:"error"`
	}{body{e.Code, e.Message}})
}

// writeJSON sends v with the given status. Nothing of the API may be cached.
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
