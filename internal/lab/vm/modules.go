//go:build linux

package vm

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// moduleName is what a module is called in other modules' lists: "snd-pcm" and
// "snd_pcm" are the same one.
func moduleName(file string) string {
	name, _, _ := strings.Cut(filepath.Base(file), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}

// findModules returns the files of all modules below a folder, by name.
func findModules(dir string) (map[string]string, error) {
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.Contains(d.Name(), ".ko") {
			found[moduleName(path)] = path
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for modules: %w", err)
	}
	return found, nil
}

// readModule returns a module, unpacked.
func readModule(path string) ([]byte, error) {
	switch filepath.Ext(path) {
	case ".ko":
		return os.ReadFile(path)
	case ".xz":
		out, err := output(exec.Command("xz", "-dc", path)) //nolint:noctx // it takes milliseconds
		return []byte(out), err
	}
	return nil, fmt.Errorf("%s is packed in a way that is not known here", path)
}

// dependencies returns the names of the modules that a module needs, as it says
// itself in its section .modinfo.
func dependencies(module []byte) ([]string, error) {
	f, err := elf.NewFile(bytes.NewReader(module))
	if err != nil {
		return nil, fmt.Errorf("read a module: %w", err)
	}
	section := f.Section(".modinfo")
	if section == nil {
		return nil, fmt.Errorf("read a module: it has no .modinfo")
	}
	info, err := section.Data()
	if err != nil {
		return nil, fmt.Errorf("read a module: %w", err)
	}
	for entry := range bytes.SplitSeq(info, []byte{0}) {
		if names, ok := bytes.CutPrefix(entry, []byte("depends=")); ok && len(names) > 0 {
			return strings.Split(strings.ReplaceAll(string(names), "-", "_"), ","), nil
		}
	}
	return nil, nil
}

// loadOrder returns a module and all it needs, in the order in which they can be
// loaded. needs says what one needs.
func loadOrder(name string, needs func(string) ([]string, error)) (order []string, err error) {
	open := map[string]bool{}
	var visit func(string) error
	visit = func(name string) error {
		switch {
		case slices.Contains(order, name):
			return nil
		case open[name]:
			return fmt.Errorf("module %s needs itself", name)
		}
		open[name] = true
		deps, err := needs(name)
		if err != nil {
			return fmt.Errorf("module %s: %w", name, err)
		}
		for _, d := range deps {
			if err := visit(d); err != nil {
				return err
			}
		}
		order = append(order, name)
		return nil
	}
	return order, visit(name)
}
