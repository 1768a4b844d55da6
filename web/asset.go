package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io/fs"
	"path"
)

// asset is one file of the page, ready to be served. Constant after loading.
type asset struct {
	contentType string
	plain       []byte
	gzipped     []byte // nil where compression saves nothing
	tag         string // hash of plain, without quotes
}

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
		kind, err := contentType(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		a := &asset{contentType: kind, plain: body, tag: base64.RawURLEncoding.EncodeToString(sum[:12])}
		if a.gzipped, err = compress(body); err != nil {
			return fmt.Errorf("web: compress %s: %w", name, err)
		}
		assets["/"+name] = a
		return nil
	})
	if err != nil {
		return nil, err
	}
	index, ok := assets["/index.html"]
	if !ok {
		return nil, fmt.Errorf("web: the page has no index.html: %w", fs.ErrNotExist)
	}
	assets["/"] = index
	return assets, nil
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
