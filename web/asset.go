package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
)

// asset is one file of the page, ready to be served. Constant after loading.
type asset struct {
	contentType string
	plain       []byte
	gzipped     []byte // nil where compression saves nothing
	tag         string // hash of plain, without quotes
	version     string // of all files together; only the page itself has it
}

// workerPath is where the service worker is.
const workerPath = "/sw.js"

// contentType returns the media type of a file name. The list is closed: a
// type that depends on the machine's mime.types would differ from one
// installation to the next, and with nosniff a wrong one breaks the page.
func contentType(name string) (string, error) {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8", nil
	case ".js":
		return "text/javascript; charset=utf-8", nil
	case ".css":
		return "text/css; charset=utf-8", nil
	case ".svg":
		return "image/svg+xml", nil
	case ".json", ".webmanifest":
		return "application/json", nil
	default:
		return "", fmt.Errorf("web: %s has no known media type; add its extension to contentType", name)
	}
}

// loadAssets reads every file of the page, keyed by its URL path.
func loadAssets(files fs.FS) (map[string]*asset, error) {
	assets := make(map[string]*asset)
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		assets["/"+name], err = newAsset(name, body)
		return err
	})
	if err != nil {
		return nil, err
	}
	index, ok := assets["/index.html"]
	if !ok {
		return nil, fmt.Errorf("web: the page has no index.html: %w", fs.ErrNotExist)
	}
	assets["/"] = index
	return assets, keepable(assets)
}

// keepable tells the service worker which files there are and which version of
// the page they make, and the page which version it is of.
func keepable(assets map[string]*asset) error {
	worker, ok := assets[workerPath]
	if !ok {
		return nil
	}
	files := slices.DeleteFunc(slices.Sorted(maps.Keys(assets)), func(name string) bool {
		return name == workerPath || name == "/index.html" // which is "/"
	})
	sum := sha256.New()
	for _, name := range append(files, workerPath) {
		fmt.Fprintf(sum, "%s %s\n", name, assets[name].tag)
	}
	version := base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:12])
	shell, err := json.Marshal(map[string]any{"version": version, "files": files})
	if err != nil {
		return fmt.Errorf("web: list the page's files: %w", err)
	}
	body := slices.Concat([]byte("self.shell = "), shell, []byte(";\n"), worker.plain)
	if assets[workerPath], err = newAsset(workerPath, body); err != nil {
		return err
	}
	assets["/"].version = version
	return nil
}

// newAsset prepares a file to be served.
func newAsset(name string, body []byte) (*asset, error) {
	kind, err := contentType(name)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	a := &asset{contentType: kind, plain: body, tag: base64.RawURLEncoding.EncodeToString(sum[:12])}
	if a.gzipped, err = compress(body); err != nil {
		return nil, fmt.Errorf("web: compress %s: %w", name, err)
	}
	return a, nil
}

// compress returns body gzipped, or nil if that saves less than a tenth.
func compress(body []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if out.Len() > len(body)*9/10 {
		return nil, nil
	}
	return out.Bytes(), nil
}
