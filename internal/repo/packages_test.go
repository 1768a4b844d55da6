package repo

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/sightline-cam/sightline"

// root is the repository, seen from this package.
const root = "../.."

// pkg is what `go list -json` says about a package; only what the rules need.
type pkg struct {
	ImportPath string
	Dir        string
	Doc        string
	Name       string
	Imports    []string
	Deps       []string
	GoFiles    []string
	CgoFiles   []string
	Error      *struct{ Err string }
}

// in reports whether the package is path or below it, path being relative to
// the module.
func (p pkg) in(path string) bool { return within(p.ImportPath, module+"/"+path) }

func within(importPath, root string) bool {
	return importPath == root || strings.HasPrefix(importPath, root+"/")
}

// list runs go list for a platform, without cgo, as releases are built.
func list(t *testing.T, goarch string, patterns ...string) []pkg {
	t.Helper()
	return listWith(t, []string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=" + goarch}, patterns...)
}

// listWith runs go list with further environment; arguments may be flags too.
func listWith(t *testing.T, env []string, arguments ...string) []pkg {
	t.Helper()
	args := append([]string{"list", "-e", "-json=ImportPath,Dir,Doc,Name,Imports,Deps,GoFiles,CgoFiles,Error"}, arguments...)
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = root
	cmd.Env = append(cmd.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var all []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// rule says that packages outside some folders do not import something.
type rule struct {
	imports string   // an import path, everything below it included
	only    []string // folders of the module that may
	why     string
}

func rules() []rule {
	return []rule{
		{"github.com/gin-gonic/gin", []string{"signaling/server"}, "the agent is net/http"},
		{"github.com/bluenviron/gortsplib/v4", []string{"camera/rtsp"}, "one package to change when it moves on"},
		{"github.com/pion/webrtc/v4", []string{"internal/peer"}, "one package to change when it moves on"},
		{"github.com/prometheus/client_golang", []string{"signaling/server", "internal/relay"}, "the agent stays lean"},
		{"github.com/alecthomas/kong", []string{"cmd", "internal/cli"}, "flags are wiring"},
		{"github.com/goccy/go-yaml", []string{"internal/config"}, "settings are read in one place"},
		{"github.com/go-jose/go-jose/v4", []string{"internal/identity"}, "one place decides what a signature is"},
		{"modernc.org/sqlite", []string{"recordings/index"}, "one package writes the index"},
		{"github.com/Eyevinn/mp4ff", []string{"recordings/fmp4", "recordings/export", "internal/verify"}, "what a file looks like is decided in one place"},
		{"github.com/schollz/progressbar/v3", []string{"cmd/sightline"}, "for people at a terminal"},
		{"filippo.io/age", []string{"internal/backup"}, "the lean agent makes no backups"},
		{"golang.org/x/crypto/acme", []string{"cmd/sightline"}, "the lean agent has a certificate of its own"},
		{"github.com/pion/mediadevices", []string{"camera/v4l2/encoder"}, "C comes in at one place"},
		{"unsafe", []string{"internal/peer", "camera/v4l2/uapi", "internal/lab/fakev4l2", "internal/e2e/v4l2/writer"}, "system calls only: batched sends and devices"},
	}
}

func TestImports_StayWhereTheyBelong(t *testing.T) {
	packages := list(t, "amd64", "./...")
	packages = append(packages, listWith(t, withDevice(), "-tags", "device", "./camera/...", "./internal/cli/...", "./cmd/...")...)
	for _, p := range packages {
		for _, r := range rules() {
			allowed := slices.ContainsFunc(r.only, p.in)
			for _, i := range p.Imports {
				if within(i, r.imports) && !allowed {
					t.Errorf("%s imports %s; only %s may: %s", p.ImportPath, i, strings.Join(r.only, ", "), r.why)
				}
			}
		}
	}
}

func TestImports_FollowTheLayers(t *testing.T) {
	own := func(imports []string) []string {
		return slices.DeleteFunc(slices.Clone(imports), func(i string) bool { return !within(i, module) })
	}
	packages := list(t, "amd64", "./...")
	for _, p := range packages {
		for _, d := range own(p.Deps) {
			dep := pkg{ImportPath: d}
			switch {
			case p.in("codecs") && !dep.in("codecs"):
				t.Errorf("%s depends on %s; codecs stands on nothing of ours", p.ImportPath, d)
			case p.in("internal/access") && !dep.in("internal/access") && !dep.in("internal/identity") && !dep.in("internal/check") && !dep.in("internal/strictjson"):
				t.Errorf("%s depends on %s; who may do what is decided without I/O and without the rest", p.ImportPath, d)
			case p.in("internal/trust") && (dep.in("camera") || dep.in("viewer") || dep.in("signaling")):
				t.Errorf("%s depends on %s; a recorder decides by the same package", p.ImportPath, d)
			case (dep.in("internal/lab") || dep.in("internal/attacks")) && !p.in("internal/lab") && !p.in("internal/attacks") && !p.in("internal/e2e"):
				t.Errorf("%s depends on %s; those are for tests", p.ImportPath, d)
			case p.in("camera") && dep.in("viewer"), p.in("viewer") && dep.in("camera"):
				t.Errorf("%s depends on %s; cameras and viewers meet only on the wire", p.ImportPath, d)
			case p.in("recordings") && (dep.in("camera") || dep.in("viewer")) && !p.in("recordings/recorder/camerafeed") && !p.in("recordings/remote"):
				t.Errorf("%s depends on %s; recordings know cameras and viewers in two adapters only", p.ImportPath, d)
			case (p.in("camera") || p.in("viewer")) && dep.in("recordings"):
				t.Errorf("%s depends on %s; cameras and viewers know nothing of recordings", p.ImportPath, d)
			case !p.in("cmd") && dep.in("cmd"), !p.in("cmd") && !p.in("internal/cli") && dep.in("internal/cli"):
				t.Errorf("%s depends on %s; it is the end of the chain", p.ImportPath, d)
			}
		}
	}
	codecs := pkg{ImportPath: module + "/codecs"}
	for _, p := range packages {
		if p.ImportPath == codecs.ImportPath && len(own(p.Imports)) > 0 {
			t.Errorf("the package codecs imports %v; it holds nouns only", own(p.Imports))
		}
	}
}

// The lean agent must fit on devices with little flash.
func TestLeanAgent_HasNoServerLibraries(t *testing.T) {
	heavy := []string{
		"github.com/gin-gonic/gin", "github.com/prometheus/client_golang", "modernc.org/sqlite",
		"github.com/Eyevinn/mp4ff", module + "/recordings",
		"github.com/quic-go/quic-go", "go.mongodb.org/mongo-driver/v2", module + "/signaling/server", module + "/internal/relay",
	}
	packages := list(t, "mipsle", "./cmd/sightline-camera")
	if len(packages) != 1 || packages[0].Error != nil {
		t.Fatalf("cmd/sightline-camera does not list for mipsle: %+v", packages)
	}
	for _, d := range packages[0].Deps {
		for _, h := range heavy {
			if within(d, h) {
				t.Errorf("sightline-camera depends on %s", d)
			}
		}
	}
}

// withDevice is the environment that the build tag device needs.
func withDevice() []string { return []string{"CGO_ENABLED=1", "GOOS=linux"} }

func TestPackages_HaveComments(t *testing.T) {
	for _, p := range list(t, "amd64", "./...") {
		if len(p.GoFiles) == 0 {
			continue // tests only
		}
		if p.Doc == "" {
			t.Errorf("%s has no package comment; say what it is for", p.ImportPath)
		}
	}
}

func TestPackages_HaveNoCWithoutTheTagDevice(t *testing.T) {
	for _, p := range listWith(t, withDevice(), "./...") {
		if len(p.CgoFiles) > 0 {
			t.Errorf("%s needs cgo", p.ImportPath)
		}
	}
	for _, p := range listWith(t, withDevice(), "-tags", "device", "./...") {
		if len(p.CgoFiles) > 0 && !p.in("camera/v4l2/encoder") {
			t.Errorf("%s needs cgo with the tag device; only camera/v4l2/encoder may", p.ImportPath)
		}
	}
}
