//go:build linux

package vm

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// pkg is a package of Debian, in the version that would be installed.
type pkg struct {
	Name, Version string
	Depends       []string // names; of alternatives the first
}

// debian is the packages that a Kernel is made of.
type debian struct {
	release  string // of the kernel: "6.1.0-56-amd64"
	image    pkg
	headers  []pkg
	loopback pkg
}

// key names the packages and their versions, as a name of a folder.
func (d debian) key() string {
	text := "v" + layout + "-" + d.release
	for _, p := range append([]pkg{d.image, d.loopback}, d.headers...) {
		text += "_" + p.Version
	}
	return regexp.MustCompile(`[^A-Za-z0-9._+~-]`).ReplaceAllString(text, "-")
}

// all are the packages to download.
func (d debian) all() (args []string) {
	for _, p := range append([]pkg{d.image, d.loopback}, d.headers...) {
		args = append(args, p.Name+"="+p.Version)
	}
	return args
}

// resolve finds the packages behind the names that never change.
func resolve(ctx context.Context) (d debian, err error) {
	behind := func(meta, prefix string) (pkg, error) {
		p, err := show(ctx, meta)
		if err != nil {
			return p, err
		}
		i := slices.IndexFunc(p.Depends, func(name string) bool { return strings.HasPrefix(name, prefix) })
		if i < 0 {
			return p, fmt.Errorf("%s depends on no %s…", meta, prefix)
		}
		return show(ctx, p.Depends[i])
	}
	if d.image, err = behind("linux-image-amd64", "linux-image-"); err != nil {
		return d, err
	}
	headers, err := behind("linux-headers-amd64", "linux-headers-")
	if err != nil {
		return d, err
	}
	d.release = strings.TrimPrefix(d.image.Name, "linux-image-")
	if other := strings.TrimPrefix(headers.Name, "linux-headers-"); other != d.release {
		return d, fmt.Errorf("the kernel is %s and its headers are for %s; run: apt-get update", d.release, other)
	}
	d.headers = []pkg{headers}
	for _, name := range headers.Depends {
		if !strings.HasPrefix(name, "linux-headers-") && !strings.HasPrefix(name, "linux-kbuild-") {
			continue
		}
		p, err := show(ctx, name)
		if err != nil {
			return d, err
		}
		d.headers = append(d.headers, p)
	}
	d.loopback, err = show(ctx, "v4l2loopback-dkms")
	return d, err
}

// show asks apt for a package.
func show(ctx context.Context, name string) (pkg, error) {
	out, err := output(exec.CommandContext(ctx, "apt-cache", "show", "--no-all-versions", name))
	if err != nil {
		return pkg{}, fmt.Errorf("%w; run: apt-get update", err)
	}
	p := parseStanza(out)
	if p.Name != name || p.Version == "" {
		return p, fmt.Errorf("apt knows no package %s; run: apt-get update", name)
	}
	return p, nil
}

// parseStanza reads the first paragraph of apt-cache's answer (deb822(5)).
func parseStanza(text string) (p pkg) {
	text, _, _ = strings.Cut(text, "\n\n")
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimRight(line, "\n"), ": ")
		switch key {
		case "Package":
			p.Name = value
		case "Version":
			p.Version = value
		case "Depends":
			for item := range strings.SplitSeq(value, ",") {
				if words := strings.Fields(item); len(words) > 0 {
					p.Depends = append(p.Depends, words[0])
				}
			}
		}
	}
	return p
}

// unpack downloads the packages and unpacks them below dir, without installing
// anything.
func (d debian) unpack(ctx context.Context, dir string) error {
	get := exec.CommandContext(ctx, "apt-get", append([]string{"download", "-q", "-o", "APT::Sandbox::User=root"}, d.all()...)...)
	get.Dir = dir
	if _, err := output(get); err != nil {
		return fmt.Errorf("%w; if a version is gone, run: apt-get update", err)
	}
	archives, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil {
		return err
	}
	if len(archives) != len(d.all()) {
		return fmt.Errorf("%d of %d packages were downloaded", len(archives), len(d.all()))
	}
	for _, a := range archives {
		if _, err := output(exec.CommandContext(ctx, "dpkg-deb", "-x", a, dir)); err != nil {
			return err
		}
	}
	return nil
}

// output runs a command. The error has what it wrote to stderr.
func output(cmd *exec.Cmd) (string, error) {
	out, err := cmd.Output()
	if err != nil {
		text := err.Error()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			text = strings.TrimSpace(string(exit.Stderr))
		}
		return "", fmt.Errorf("%s %s: %s", filepath.Base(cmd.Path), strings.Join(cmd.Args[1:min(len(cmd.Args), 4)], " "), text)
	}
	return string(out), nil
}
