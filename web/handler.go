package web

import (
	"bytes"
	"net/http"
	"strings"
	"time"
)

// Handler returns the http.Handler of the page: "/" is index.html, every other
// file answers under its own name, anything else is 404. GET and HEAD only.
//
// Every answer carries the content security policy and the other headers of
// docs/design/web.md. Files are sent with an ETag and "no-cache": a browser
// keeps its copy and asks each time whether it is still current, so a page and
// its modules are always of one version and a reload costs a few 304 answers.
// The page itself carries the version of all files as "Sightline-Version", and
// /sw.js begins with it and with their list.
//
// The handler has no state and may be used by any number of servers at once.
func Handler() http.Handler {
	assets, err := loadAssets(Files())
	if err != nil {
		// The files are part of the program, and a test loads them.
		panic(err.Error())
	}
	return handler(assets)
}

// downloadPrefix begins the addresses of files that the service worker hands to
// the browser (static/sw.js). They reach the server only if the worker has gone in
// that very moment.
const downloadPrefix = "/download/"

// handler serves assets by URL path.
type handler map[string]*asset

// ServeHTTP implements http.Handler.
func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setPolicy(w.Header())
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "This address answers GET and HEAD only.", http.StatusMethodNotAllowed)
		return
	}
	if strings.HasPrefix(r.URL.Path, downloadPrefix) {
		// Without content the browser stays on the page.
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	a, ok := h[r.URL.Path]
	if !ok {
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "There is no such page. The viewer is at /.", http.StatusNotFound)
		return
	}
	body, tag := a.plain, a.tag
	if a.gzipped != nil {
		w.Header().Set("Vary", "Accept-Encoding")
		// A range counts bytes of the plain file.
		if r.Header.Get("Range") == "" && acceptsGzip(r.Header.Values("Accept-Encoding")) {
			w.Header().Set("Content-Encoding", "gzip")
			body, tag = a.gzipped, a.tag+"-gzip"
		}
	}
	if a.version != "" {
		w.Header().Set("Sightline-Version", a.version)
	}
	w.Header().Set("Content-Type", a.contentType)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// acceptsGzip reports whether the Accept-Encoding fields of a request name
// gzip with a weight above zero (RFC 9110 §12.5.3).
func acceptsGzip(fields []string) bool {
	for _, field := range fields {
		for item := range strings.SplitSeq(field, ",") {
			coding, params, _ := strings.Cut(item, ";")
			if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
				continue
			}
			weight := strings.ReplaceAll(strings.ToLower(params), " ", "")
			return !strings.HasPrefix(weight, "q=0") || strings.Trim(weight, "q=0.") != ""
		}
	}
	return false
}
