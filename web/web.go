// Package web holds the viewer's web page and serves it.
//
// The page is plain ES modules and custom elements: nothing is built, the
// files under static/ are what the browser runs. The handler adds a strict
// content security policy and revalidation by ETag to every answer;
// docs/design/web.md has the invariants.
package web

import (
	"embed"
	"io/fs"
)

//go:embed static
var embedded embed.FS

// Files returns the page's files, index.html at the root. The tree is
// read-only and the same for the life of the program.
func Files() fs.FS {
	sub, err := fs.Sub(embedded, "static")
	if err != nil {
		// The directory is embedded at compile time; only a bad constant
		// name gets here.
		panic("web: " + err.Error())
	}
	return sub
}
