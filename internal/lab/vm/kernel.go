//go:build linux

package vm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// layout is the version of what is in the cache. It changes with what this package
// puts there.
const layout = "1"

// Kernel is a kernel that can be booted, with modules that can be loaded.
type Kernel struct {
	// Release is what uname -r says.
	Release string

	dir   string
	lists string // see listsFile; may be empty
}

// kept are the modules that are kept, with all they need. virtio_pci and
// virtio_net are the network.
func kept() []string {
	return []string{"virtio_pci", "virtio_net", "vivid", "v4l2loopback", "uvcvideo", "vhci_hcd"}
}

// network are the modules of the machine's network.
func network() []string { return []string{"virtio_pci", "virtio_net"} }

// buildTimeout bounds the making of a kernel; most of it is the download.
const buildTimeout = 10 * time.Minute

// Open returns Debian's current kernel from a cache folder. It is made if it is not
// there, or is not whole. A machine without a list of packages, or without a
// network, uses what was made last.
func Open(ctx context.Context, cache string) (*Kernel, error) {
	ctx, cancel := context.WithTimeout(ctx, buildTimeout)
	defer cancel()
	known := lists()
	if k := newest(cache); k != nil && known != "" && k.lists == known {
		return k, nil // asking apt again would tell nothing new
	}
	d, err := resolve(ctx)
	if err != nil {
		if k := newest(cache); k != nil {
			return k, nil
		}
		return nil, fmt.Errorf("find Debian's kernel: %w", err)
	}
	dir := filepath.Join(cache, d.key())
	if _, err := open(dir); err != nil {
		if err := build(ctx, d, cache, dir); err != nil {
			if k := newest(cache); k != nil {
				return k, nil
			}
			return nil, fmt.Errorf("make a kernel for tests: %w", err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, listsFile), []byte(known), 0o600); err != nil {
		return nil, err
	}
	return open(dir)
}

// listsFile has what lists returned when the folder's versions were last found to be
// the current ones.
const listsFile = "lists"

// lists tells apt's lists of packages of one day from those of another; empty if there
// are none.
func lists() string {
	names, _ := filepath.Glob("/var/lib/apt/lists/*_Packages*") // the pattern is right
	h := sha256.New()
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return ""
		}
		fmt.Fprintln(h, name, info.Size(), info.ModTime().UnixNano())
	}
	if len(names) == 0 {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}

// CacheDir is where kernels are kept between runs.
func CacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("a folder for kernels: %w", err)
	}
	return filepath.Join(dir, "sightline-v4l2"), nil
}

// manifestFile has a manifest as JSON. It is written last.
const manifestFile = "manifest.json"

// manifest is what a folder of the cache holds.
type manifest struct {
	Release string
	Files   map[string]string // SHA-256 by name
}

// open opens a folder of the cache. Every file is compared with its sum, so that
// what a full disk or a power cut has left behind is not booted.
func open(dir string) (*Kernel, error) {
	data, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		return nil, err
	}
	var m manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	for name, want := range m.Files {
		if got, err := sum(filepath.Join(dir, name)); err != nil || got != want {
			return nil, errors.Join(fmt.Errorf("%s in %s is not what was put there", name, dir), err)
		}
	}
	for _, name := range append(kept(), imageName) {
		if name != imageName {
			name += ".ko"
		}
		if _, ok := m.Files[name]; !ok {
			return nil, fmt.Errorf("%s has no %s", dir, name)
		}
	}
	known, _ := os.ReadFile(filepath.Join(dir, listsFile)) // without it apt is asked
	return &Kernel{Release: m.Release, dir: dir, lists: string(known)}, nil
}

// newest returns the kernel that was made last; nil if there is none.
func newest(cache string) (k *Kernel) {
	var latest time.Time
	dirs, _ := filepath.Glob(filepath.Join(cache, "v"+layout+"-*")) // the pattern is right
	for _, dir := range dirs {
		info, err := os.Stat(filepath.Join(dir, manifestFile))
		if err != nil || !info.ModTime().After(latest) {
			continue
		}
		if found, err := open(dir); err == nil {
			k, latest = found, info.ModTime()
		}
	}
	return k
}

// imageName is the kernel itself.
const imageName = "vmlinuz"

// build makes a folder of the cache. It appears under its name when it is whole;
// what was there before goes, and so do other versions.
func build(ctx context.Context, d debian, cache, dir string) error {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(cache, "tmp-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp) //nolint:errcheck // the next build removes it
	root, out := filepath.Join(tmp, "root"), filepath.Join(tmp, "out")
	if err := errors.Join(os.Mkdir(root, 0o755), os.Mkdir(out, 0o755)); err != nil {
		return err
	}
	if err := d.unpack(ctx, root); err != nil {
		return err
	}
	loopback, err := buildLoopback(ctx, root, d.release)
	if err != nil {
		return err
	}
	if err := collect(root, loopback, out, d.release); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(cache, "*"))
	if err != nil {
		return err
	}
	for _, path := range old {
		// Another test may be building; its folder is young.
		if info, err := os.Stat(path); path != tmp && (!strings.HasPrefix(filepath.Base(path), "tmp-") || err == nil && time.Since(info.ModTime()) > 2*buildTimeout) {
			if err := os.RemoveAll(path); err != nil {
				return err
			}
		}
	}
	if err := os.Rename(out, dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// buildLoopback builds v4l2loopback as dkms would, and returns the module's file.
// The headers' Makefile names the folder that they are installed in.
func buildLoopback(ctx context.Context, root, release string) (string, error) {
	src := filepath.Join(root, "usr/src")
	headers := filepath.Join(src, "linux-headers-"+release)
	makefile := filepath.Join(headers, "Makefile")
	text, err := os.ReadFile(makefile)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(makefile, []byte(strings.ReplaceAll(string(text), "/usr/src/", src+"/")), 0o600); err != nil {
		return "", err
	}
	sources, err := filepath.Glob(filepath.Join(src, "v4l2loopback-*"))
	if err != nil || len(sources) != 1 {
		return "", fmt.Errorf("the sources of v4l2loopback are not in one folder: %v, %w", sources, err)
	}
	cmd := exec.CommandContext(ctx, "make", "-C", headers, "M="+sources[0], "modules")
	// make's own variables are of the make that runs the tests.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "MAKE") || strings.HasPrefix(v, "MFLAGS=") || strings.HasPrefix(v, "ARCH=")
	})
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build v4l2loopback: %w\n%s", err, out)
	}
	return filepath.Join(sources[0], "v4l2loopback.ko"), nil
}

// collect copies what is needed from the unpacked packages.
func collect(root, loopback, out, release string) error {
	files, err := findModules(filepath.Join(root, "lib/modules", release))
	if len(files) == 0 && err != nil {
		files, err = findModules(filepath.Join(root, "usr/lib/modules", release)) // since Debian 13
	}
	if err != nil {
		return err
	}
	files["v4l2loopback"] = loopback
	m := manifest{Release: release, Files: map[string]string{}}
	put := func(name string, data []byte) error {
		digest := sha256.Sum256(data)
		m.Files[name] = hex.EncodeToString(digest[:])
		return os.WriteFile(filepath.Join(out, name), data, 0o600)
	}
	needs := func(name string) ([]string, error) {
		path, ok := files[name]
		if !ok {
			return nil, nil // it is in the kernel
		}
		data, err := readModule(path)
		if err != nil {
			return nil, err
		}
		if err := put(name+".ko", data); err != nil {
			return nil, err
		}
		return dependencies(data)
	}
	for _, name := range kept() {
		if _, err := loadOrder(name, needs); err != nil {
			return err
		}
	}
	image, err := os.ReadFile(filepath.Join(root, "boot/vmlinuz-"+release))
	if err != nil {
		return err
	}
	if err := put(imageName, image); err != nil {
		return err
	}
	text, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, manifestFile), text, 0o600)
}

// modules returns the files of a module and of what it needs, in the order in which
// they can be loaded.
func (k *Kernel) modules(name string) ([]string, error) {
	order, err := loadOrder(name, func(name string) ([]string, error) {
		data, err := os.ReadFile(filepath.Join(k.dir, name+".ko"))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil // it is in the kernel
		}
		if err != nil {
			return nil, err
		}
		return dependencies(data)
	})
	if err != nil {
		return nil, err
	}
	var files []string
	for _, name := range order {
		if path := filepath.Join(k.dir, name+".ko"); exists(path) {
			files = append(files, path)
		}
	}
	return files, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// sum returns a file's SHA-256.
func sum(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256(data)
	return hex.EncodeToString(digest[:]), nil
}
