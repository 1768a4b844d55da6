package web

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// page is the handler of all tests: to compress the page takes longer than to test it.
var page = sync.OnceValue(Handler) //nolint:gochecknoglobals // constant once it is made

func get(t *testing.T, target string, header map[string]string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	page().ServeHTTP(w, r)
	return w
}

func TestHandler_EveryAnswerCarriesThePolicy(t *testing.T) {
	for _, target := range []string{"/", "/style.css", "/sl-app.js", "/logo.svg", "/nothing-here"} {
		h := get(t, target, nil).Header()
		for name, want := range map[string]string{
			"X-Content-Type-Options":       "nosniff",
			"Referrer-Policy":              "no-referrer",
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin",
			"X-Frame-Options":              "DENY",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s = %q, want %q", target, name, got, want)
			}
		}
		if h.Get("Permissions-Policy") == "" {
			t.Errorf("%s: no Permissions-Policy", target)
		}
		if got := h.Get("Content-Security-Policy"); got != contentSecurityPolicy() {
			t.Errorf("%s: Content-Security-Policy = %q", target, got)
		}
	}
}

func TestPolicy_AllowsNothingInlineAndNothingForeign(t *testing.T) {
	policy := contentSecurityPolicy()
	for _, bad := range []string{"unsafe", "http:", "https:", "ws:", "wss:", "*", "'nonce-", "'sha256-"} {
		if strings.Contains(policy, bad) {
			t.Errorf("policy %q contains %q", policy, bad)
		}
	}
	for _, want := range []string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'",
		"frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'", "require-trusted-types-for 'script'",
	} {
		if !slices.Contains(strings.Split(policy, "; "), want) {
			t.Errorf("policy %q lacks %q", policy, want)
		}
	}
}

func TestHandler_ServesFilesWithTheirTypes(t *testing.T) {
	for target, want := range map[string]string{
		"/":           "text/html; charset=utf-8",
		"/index.html": "text/html; charset=utf-8",
		"/style.css":  "text/css; charset=utf-8",
		"/sl-app.js":  "text/javascript; charset=utf-8",
		"/logo.svg":   "image/svg+xml",
	} {
		w := get(t, target, nil)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != want {
			t.Errorf("%s: %d %q, want 200 %q", target, w.Code, w.Header().Get("Content-Type"), want)
		}
		if got := w.Header().Get("Cache-Control"); got != "no-cache" {
			t.Errorf("%s: Cache-Control = %q", target, got)
		}
	}
}

func TestHandler_UnchangedFileIsNotSentAgain(t *testing.T) {
	for _, coding := range []string{"identity", "gzip"} {
		first := get(t, "/index.html", map[string]string{"Accept-Encoding": coding})
		tag := first.Header().Get("ETag")
		if tag == "" {
			t.Fatalf("%s: no ETag", coding)
		}
		again := get(t, "/index.html", map[string]string{"Accept-Encoding": coding, "If-None-Match": tag})
		if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%s: %d with %d bytes, want 304 and none", coding, again.Code, again.Body.Len())
		}
		if again.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("%s: 304 without a policy", coding)
		}
	}
}

func TestHandler_CompressesOnlyForThoseWhoAsk(t *testing.T) {
	for coding, want := range map[string]string{
		"": "", "gzip": "gzip", "br, GZIP;q=0.5": "gzip", "gzip;q=0": "", "gzip; q=0.000": "", "deflate": "",
	} {
		w := get(t, "/http1.js", map[string]string{"Accept-Encoding": coding})
		if got := w.Header().Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q: Content-Encoding %q, want %q", coding, got, want)
		}
		if w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: Vary = %q", coding, w.Header().Get("Vary"))
		}
	}
}

// Whatever the page consists of, a browser that keeps it has all of it, and of
// one version.
func TestHandler_TheWorkerKnowsEveryFileAndItsVersion(t *testing.T) {
	list := func(assets map[string]*asset) (version string, files []string) {
		t.Helper()
		w := httptest.NewRecorder()
		handler(assets).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, workerPath, nil))
		first, _, _ := strings.Cut(w.Body.String(), "\n")
		var shell struct {
			Version string   `json:"version"`
			Files   []string `json:"files"`
		}
		if err := json.Unmarshal([]byte(strings.TrimSuffix(strings.TrimPrefix(first, "self.shell = "), ";")), &shell); err != nil {
			t.Fatalf("%s begins with %q: %v", workerPath, first, err)
		}
		return shell.Version, shell.Files
	}
	load := func(files fs.FS) map[string]*asset {
		t.Helper()
		assets, err := loadAssets(files)
		if err != nil {
			t.Fatal(err)
		}
		return assets
	}
	version, files := list(load(Files()))
	want := []string{"/"}
	for name := range pageFiles(t) {
		if name != "/index.html" && name != workerPath {
			want = append(want, name)
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, files); diff != "" {
		t.Errorf("files of the page (-) and of the worker (+):\n%s", diff)
	}
	if got := get(t, "/", nil).Header().Get("Sightline-Version"); got == "" || got != version {
		t.Errorf("the page is of version %q, the worker of %q", got, version)
	}
	small := fstest.MapFS{"index.html": {}, "sw.js": {}, "a.js": {Data: []byte("1")}}
	before, _ := list(load(small))
	small["a.js"] = &fstest.MapFile{Data: []byte("2")}
	if after, _ := list(load(small)); after == before {
		t.Error("a file has changed and the version has not")
	}
}

// The page navigates to such an address and must survive if nobody answers it.
func TestHandler_AddressOfADownloadLeavesThePageWhereItIs(t *testing.T) {
	w := get(t, "/download/0b8a6a1e-33a5-4f0e-9f5d-2f4f7a3f0f6e/front.mp4", nil)
	if w.Code != http.StatusNoContent || w.Body.Len() != 0 {
		t.Errorf("%d with %d bytes, want 204 and none", w.Code, w.Body.Len())
	}
}

func TestHandler_RefusesWhatItDoesNotServe(t *testing.T) {
	for _, target := range []string{"/nothing", "/static/index.html", "/..", "/%2e%2e/web.go", "/sl-app.js/", "//index.html"} {
		if w := get(t, target, nil); w.Code != http.StatusNotFound {
			t.Errorf("GET %s: %d, want 404", target, w.Code)
		}
	}
	w := httptest.NewRecorder()
	page().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST /: %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}

// pageFiles returns every file of the page by its URL path.
func pageFiles(t *testing.T) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := fs.WalkDir(Files(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(Files(), name)
		files["/"+name] = string(body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestPage_HasNothingInline(t *testing.T) {
	bad := map[string]*regexp.Regexp{
		"an inline script":        regexp.MustCompile(`(?is)<script\b[^>]*>\s*[^<\s]`),
		"a script without src":    regexp.MustCompile(`(?i)<script(?:\s+type="[^"]*")?\s*>`),
		"an inline style element": regexp.MustCompile(`(?i)<style\b`),
		"a style attribute":       regexp.MustCompile(`(?i)<[^>]*\sstyle\s*=`),
		"an event attribute":      regexp.MustCompile(`(?i)<[^>]*\son[a-z]+\s*=`),
		"a javascript: address":   regexp.MustCompile(`(?i)javascript:`),
	}
	for name, body := range pageFiles(t) {
		if ext := path.Ext(name); ext != ".html" && ext != ".svg" {
			continue
		}
		for what, pattern := range bad {
			if found := pattern.FindString(body); found != "" {
				t.Errorf("%s has %s: %q", name, what, found)
			}
		}
	}
}

func TestPage_ScriptsUseNoSinkThatThePolicyRefuses(t *testing.T) {
	bad := regexp.MustCompile(`\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|setAttribute\(['"]style)`)
	for name, body := range pageFiles(t) {
		if path.Ext(name) != ".js" {
			continue
		}
		if found := bad.FindString(body); found != "" {
			t.Errorf("%s uses %s", name, found)
		}
	}
}

var (
	htmlReference = regexp.MustCompile(`(?:src|href)="([^"]+)"`)
	jsImport      = regexp.MustCompile(`(?m)^(?:import|export)\b[^;]*?from '([^']+)'|^import '([^']+)'`)
	jsAsset       = regexp.MustCompile(`'(/[a-z0-9-]+\.(?:svg|css|js))`)
	cssReference  = regexp.MustCompile(`url\(['"]?([^'")]+)`)
)

// references returns the URL paths that a file of the page refers to.
func references(name, body string) []string {
	var found []string
	switch path.Ext(name) {
	case ".html":
		for _, m := range htmlReference.FindAllStringSubmatch(body, -1) {
			found = append(found, m[1])
		}
	case ".css":
		for _, m := range cssReference.FindAllStringSubmatch(body, -1) {
			found = append(found, m[1])
		}
	case ".js":
		for _, m := range jsImport.FindAllStringSubmatch(body, -1) {
			found = append(found, path.Join(path.Dir(name), m[1]+m[2]))
		}
		for _, m := range jsAsset.FindAllStringSubmatch(body, -1) {
			found = append(found, m[1])
		}
	}
	return found
}

func TestPage_EverythingItRefersToIsEmbedded(t *testing.T) {
	files := pageFiles(t)
	used := map[string]bool{"/index.html": true}
	for name, body := range files {
		for _, target := range references(name, body) {
			if strings.HasPrefix(target, "data:") {
				continue
			}
			if _, ok := files[target]; !ok {
				t.Errorf("%s refers to %s, which is not part of the page", name, target)
			}
			used[target] = true
		}
	}
	for name := range files {
		if !used[name] {
			t.Errorf("%s is embedded but nothing refers to it", name)
		}
	}
}

// A module that is not preloaded costs one more round trip for every level of
// imports above it.
func TestPage_PreloadsEveryModule(t *testing.T) {
	files := pageFiles(t)
	var preloaded, modules []string
	for _, m := range regexp.MustCompile(`<link rel="modulepreload" href="([^"]+)">`).FindAllStringSubmatch(files["/index.html"], -1) {
		preloaded = append(preloaded, m[1])
	}
	reached := map[string]bool{"/sl-app.js": true}
	for todo := []string{"/sl-app.js"}; len(todo) > 0; todo = todo[1:] {
		for _, target := range references(todo[0], files[todo[0]]) {
			if path.Ext(target) == ".js" && target != workerPath && !reached[target] {
				reached[target] = true
				modules = append(modules, target)
				todo = append(todo, target)
			}
		}
	}
	slices.Sort(preloaded)
	slices.Sort(modules)
	if diff := cmp.Diff(modules, preloaded); diff != "" {
		t.Errorf("modules imported (-) and preloaded (+):\n%s", diff)
	}
}

func TestModules(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("node is needed to test the page's modules:", err)
		}
		t.Skip("node is not installed: the page's modules are not tested")
	}
	tests, err := fs.Glob(os.DirFS("."), "test/*.test.js")
	if err != nil || len(tests) == 0 {
		t.Fatal("no module tests found:", err)
	}
	out, err := exec.CommandContext(t.Context(), node, append([]string{"--test"}, tests...)...).CombinedOutput()
	if err != nil {
		t.Errorf("node --test: %v\n%s", err, out)
	}
}
