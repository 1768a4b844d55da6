package repo

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/internal/config"
)

// maxLines is how long a source file may be before it is two things.
const maxLines = 500

// tracked lists the files of the repository whose names end in one of the
// suffixes.
func tracked(t *testing.T, suffixes ...string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "-z")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v; the tests run in a clone", err)
	}
	var files []string
	for name := range strings.SplitSeq(string(out), "\x00") {
		for _, s := range suffixes {
			if _, err := os.Stat(filepath.Join(root, name)); name != "" && strings.HasSuffix(name, s) && err == nil {
				files = append(files, name)
				break
			}
		}
	}
	return files
}

// read returns a file of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestFiles_AreShort(t *testing.T) {
	for _, name := range tracked(t, ".go", ".js", ".mjs", ".css", ".py", ".sh") {
		if n := strings.Count(read(t, name), "\n"); n > maxLines {
			t.Errorf("%s has %d lines, more than %d; split it by type", name, n, maxLines)
		}
	}
}

func TestFiles_HoldNoBlobs(t *testing.T) {
	const maxImage, maxReference = 600 << 10, 100 << 10
	for _, name := range tracked(t, "") {
		data := []byte(read(t, name))
		image := strings.HasSuffix(name, ".png") || strings.HasSuffix(name, ".jpg")
		switch {
		case image && len(data) > maxImage:
			t.Errorf("%s has %d bytes; shrink it below %d", name, len(data), maxImage)
		case strings.HasPrefix(name, "codecs/mediasign/testdata/reference-") && len(data) <= maxReference:
			// Signed by another implementation; no test can make them.
		case !image && bytes.IndexByte(data[:min(len(data), 8000)], 0) >= 0:
			t.Errorf("%s is binary; make it from source in a test or a build step", name)
		}
	}
}

func TestDocs_LinksResolve(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"`)
	for _, name := range tracked(t, ".md") {
		for _, m := range link.FindAllStringSubmatch(withoutCode(read(t, name)), -1) {
			target, anchor, _ := strings.Cut(m[1]+m[2], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			path := name
			if target != "" {
				path = filepath.Join(filepath.Dir(name), target)
			}
			if _, err := os.Stat(filepath.Join(root, path)); err != nil {
				t.Errorf("%s links to %s, which does not exist", name, target)
				continue
			}
			if anchor != "" && strings.HasSuffix(path, ".md") && !hasHeading(read(t, path), anchor) {
				t.Errorf("%s links to #%s, which %s does not have", name, anchor, path)
			}
		}
	}
}

// withoutCode removes fenced code, in which brackets are no links.
func withoutCode(text string) string {
	return regexp.MustCompile("(?s)```.*?```").ReplaceAllString(text, "")
}

// hasHeading reports whether a Markdown text has a heading with that anchor.
func hasHeading(text, anchor string) bool {
	drop := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	for line := range strings.Lines(text) {
		if h := strings.TrimLeft(line, "#"); h != line {
			slug := strings.ReplaceAll(drop.ReplaceAllString(strings.ToLower(strings.TrimSpace(h)), ""), " ", "-")
			if slug == anchor {
				return true
			}
		}
	}
	return false
}

func TestDocs_NameEveryDirectDependency(t *testing.T) {
	text := read(t, "docs/dependencies.md")
	require := regexp.MustCompile(`(?m)^\t(\S+) v\S+$`) // indirect ones have a comment behind
	found := require.FindAllStringSubmatch(read(t, "go.mod"), -1)
	if len(found) == 0 {
		t.Fatal("no direct dependency found in go.mod")
	}
	for _, m := range found {
		if !strings.Contains(text, "`"+m[1]+"`") {
			t.Errorf("docs/dependencies.md does not say what %s is for", m[1])
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(text, -1) {
		if !strings.Contains(read(t, "go.mod"), m[1]+" ") {
			t.Errorf("docs/dependencies.md names %s, which go.mod does not have", m[1])
		}
	}
}

// The README's commands are what CI runs, and every command of ours that the
// documents show has a target.
func TestDocs_CommandsExist(t *testing.T) {
	readme, ci, makefile := read(t, "README.md"), read(t, ".ci/run"), read(t, "Makefile")
	if !strings.Contains(readme, "make test") || !strings.Contains(readme, "make run") {
		t.Error("the README does not show make run and make test")
	}
	if !regexp.MustCompile(`(?m)^(\w+=\S+ )*make check$`).MatchString(ci) {
		t.Error(".ci/run does not run make check")
	}
	check := regexp.MustCompile(`(?m)^check:(.*?)(##.*)?$`).FindStringSubmatch(makefile)
	if check == nil || !strings.Contains(" "+check[1]+" ", " test ") {
		t.Error("make check does not run make test, which the README names")
	}
	for _, name := range tracked(t, ".md") {
		for _, m := range regexp.MustCompile("(?m)(?:`|^ {4}|^)make ([a-z0-9-]+)").FindAllStringSubmatch(read(t, name), -1) {
			if !strings.Contains(makefile, "\n"+m[1]+":") {
				t.Errorf("%s names make %s, which the Makefile does not have", name, m[1])
			}
		}
	}
}

func TestDocs_SampleConfigurationIsAccepted(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(read(t, "docs/configuration.md"), -1)
	if len(blocks) == 0 {
		t.Fatal("docs/configuration.md shows no configuration")
	}
	for _, b := range blocks {
		if _, err := config.Parse([]byte(b[1])); err != nil {
			t.Errorf("a sample is refused:\n%v", err)
		}
	}
}

// The project speaks of itself, and finished work has no notes to self.
func TestFiles_SpeakOfTheProjectAlone(t *testing.T) {
	// In two pieces, so that this file may be read by the test too.
	notes := `\b(TO` + `DO|FIX` + `ME|X` + `XX)\b`
	others := `(?i:\b(chat` + `gpt|co` + `pilot|L` + `LM)\b|/wo` + `rk/(shared|main))`
	forbidden := regexp.MustCompile(notes + "|" + others)
	// Each of them has one of these in it, which are found a hundred times as fast.
	parts := []string{"to" + "do", "fix" + "me", "x" + "xx", "chat" + "gpt", "co" + "pilot", "l" + "lm", "/wo" + "rk/"}
	for _, name := range tracked(t, ".go", ".js", ".mjs", ".css", ".html", ".md", ".yml", ".yaml", ".sh", "Makefile", "Dockerfile", "run") {
		text := read(t, name)
		if low := strings.ToLower(text); !slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(low, p) }) {
			continue
		}
		for i, line := range strings.Split(text, "\n") {
			if m := forbidden.FindString(line); m != "" {
				t.Errorf("%s:%d: %q does not belong here", name, i+1, m)
			}
		}
	}
}

func TestDecisions_AreNumberedAndShort(t *testing.T) {
	names, err := filepath.Glob(filepath.Join(root, "docs/adr/*.md"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no decisions found: %v", err)
	}
	form := regexp.MustCompile(`^\d{4}-[a-z0-9-]+\.md$`)
	seen := map[string]string{}
	for _, path := range names {
		name := filepath.Base(path)
		if !form.MatchString(name) {
			t.Errorf("docs/adr/%s is not named NNNN-title.md", name)
			continue
		}
		if other, taken := seen[name[:4]]; taken {
			t.Errorf("%s and %s have the same number", name, other)
		}
		seen[name[:4]] = name
		text := read(t, "docs/adr/"+name)
		for _, part := range []string{"# " + name[:4], "\nStatus: ", "## Context", "## Decision", "## Consequences"} {
			if !strings.Contains(text, part) {
				t.Errorf("docs/adr/%s lacks %q", name, strings.TrimSpace(part))
			}
		}
		if n := strings.Count(text, "\n"); n > 60 {
			t.Errorf("docs/adr/%s has %d lines; half a page is enough", name, n)
		}
	}
}
