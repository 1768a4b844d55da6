package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// nodeTest runs the test files below dir by `node --test`, and counts them as
// skipped where there is no Node.
func nodeTest(ctx context.Context, dir string, t *tally) error {
	files, err := nodeFiles(dir)
	if err != nil || len(files) == 0 {
		return err
	}
	node, why := findNode(ctx)
	if why != "" {
		for _, f := range files {
			t.skip(f, why)
		}
		return nil
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, node, append([]string{"--test", "--test-reporter=tap"}, files...)...)
	cmd.Stderr = &stderr
	out, runErr := cmd.Output()
	failed := t.addTAP(string(out))
	if failed > 0 || runErr != nil {
		t.note(string(out) + stderr.String())
	}
	if runErr != nil && failed == 0 {
		return fmt.Errorf("node --test %s: %w", dir, runErr)
	}
	return nil
}

// minNode is the first major version with what pages have: a global crypto,
// CustomEvent.
const minNode = 20

// findNode returns the path of node, or why it cannot be used.
func findNode(ctx context.Context) (path, why string) {
	path, err := exec.LookPath("node")
	if err != nil {
		return "", "node is not installed"
	}
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return "", "node does not run: " + err.Error()
	}
	version := strings.TrimSpace(string(out))
	major, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	if n, err := strconv.Atoi(major); err != nil || n < minNode {
		return "", fmt.Sprintf("node %s is older than version %d", version, minNode)
	}
	return path, ""
}

// nodeFiles lists the test files below dir, outside node_modules. A folder
// that does not exist has none.
func nodeFiles(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && path == dir:
			return fs.SkipAll
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "node_modules":
			return fs.SkipDir
		case strings.HasSuffix(path, ".test.js"), strings.HasSuffix(path, ".test.mjs"):
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for web tests: %w", err)
	}
	return files, nil
}

// addTAP counts the results of a TAP stream by its closing comments
// ("# pass 12"), names what was skipped, and returns the number of failures.
func (t *tally) addTAP(tap string) int {
	count := func(name string) int {
		m := regexp.MustCompile(`(?m)^# ` + name + ` (\d+)$`).FindStringSubmatch(tap)
		if m == nil {
			return 0
		}
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return 0
		}
		return n
	}
	failed := count("fail") + count("cancelled")
	t.passed += count("pass")
	t.failed += failed
	if failed > 0 {
		t.failing = append(t.failing, "web tests (their output is above)")
	}
	// node:test marks what did not count as SKIP or as to do, with a reason.
	skip := regexp.MustCompile(`^\s*(?:not )?ok \d+ - (.*?) # [A-Z]{4}\s*(.*)$`)
	for line := range strings.Lines(tap) {
		if m := skip.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			t.skip("web: "+m[1], m[2])
		}
	}
	t.note(fmt.Sprintf("%-4s web tests (%d)", map[bool]string{true: "pass", false: "fail"}[failed == 0], count("tests")))
	return failed
}
