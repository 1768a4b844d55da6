package agent

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// wantType returns an error unless the request's body is of that media type.
func wantType(r *http.Request, want string) *apiError {
	got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || got != want {
		return fail(http.StatusUnsupportedMediaType, "unsupported_media_type", "The request must be of type "+want+".")
	}
	return nil
}

// accepts reports whether a client that sent these Accept fields takes the
// media type (RFC 9110 §12.5.1). Without any it takes everything.
func accepts(fields []string, mediaType string) bool {
	if len(fields) == 0 {
		return true
	}
	kind, _, _ := strings.Cut(mediaType, "/")
	best, bestQ := -1, 0.0
	for part := range strings.SplitSeq(strings.Join(fields, ","), ",") {
		got, params, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err != nil {
			continue
		}
		specific := -1
		switch got {
		case mediaType:
			specific = 2
		case kind + "/*":
			specific = 1
		case "*/*":
			specific = 0
		}
		if specific <= best {
			continue
		}
		q := 1.0
		if text, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(text, 64); err != nil {
				q = 0
			}
		}
		best, bestQ = specific, q
	}
	return bestQ > 0
}
