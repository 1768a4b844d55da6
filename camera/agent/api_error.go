package agent

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// apiError is an error as a client of the API sees it. Message is a sentence
// for a person that says what to do next; it never carries a secret.
type apiError struct {
	Status     int
	Code       string
	Message    string
	RetryAfter time.Duration // 0 = no Retry-After header
	Bearer     string        // parameters of WWW-Authenticate (RFC 6750 §3), beside the realm
	cause      error         // what is behind it, for the metrics; never shown
}

// because notes what an error comes from.
func (e *apiError) because(err error) *apiError {
	e.cause = err
	return e
}

// Unwrap returns what the error comes from.
func (e *apiError) Unwrap() error { return e.cause }

func (e *apiError) Error() string { return e.Message }

// fail returns an apiError of the given HTTP status.
func fail(status int, code, message string) *apiError {
	return &apiError{Status: status, Code: code, Message: message}
}

// write sends the error as {"error":{"code","message"}}.
func (e *apiError) write(w http.ResponseWriter) {
	if e.RetryAfter > 0 {
		seconds := max(1, int((e.RetryAfter+time.Second-1)/time.Second))
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
	if e.Status == http.StatusUnauthorized || e.Bearer != "" {
		challenge := `Bearer realm="sightline"`
		if e.Bearer != "" {
			challenge += ", " + e.Bearer
		}
		w.Header().Set("WWW-Authenticate", challenge)
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

// notWritten says what helps against an error of the disk; nil for any other. It
// is for what was not done: what was done all the same is trust.ErrNotKept.
func notWritten(err error) *apiError {
	if _, ok := errors.AsType[*fs.PathError](err); !ok {
		return nil
	}
	return fail(http.StatusInsufficientStorage, "not_written",
		"Nothing was changed, since the device cannot write it down: its disk is full, read-only or broken. Make room or replace it, and try again.").because(err)
}

// sentence makes of an error's text something to show to a person.
func sentence(err error) string {
	text := err.Error()
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + strings.TrimSuffix(text[size:], ".") + "."
}
