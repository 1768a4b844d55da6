package config

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/sightline-cam/sightline/internal/identity"
)

// Limits of an allow-list file.
const (
	maxAllowed     = 10_000
	maxAllowedLine = 1024 // bytes
	maxAllowedFile = 1 << 20
)

// Allowed is one viewer of an allow-list.
type Allowed struct {
	ID   identity.PeerID
	Name string // for people; may be empty
}

// AllowList is the viewers that may watch.
type AllowList []Allowed

// Allows reports whether id is on the list.
func (l AllowList) Allows(id identity.PeerID) bool {
	for _, a := range l {
		if a.ID == id {
			return true
		}
	}
	return false
}

// LoadAllowList reads an allow-list file. The error is of type Problems if the
// file could be read.
func LoadAllowList(path string) (AllowList, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the allow-list: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	return parseAllowList(path, f)
}

// ParseAllowList reads the viewers that may watch: one PeerID a line, in
// either case, with or without hyphens between its groups; behind it, after a
// blank, a name if wanted. Empty lines and what follows a "#" are left out.
// All wrong lines are reported together, as Problems.
func ParseAllowList(r io.Reader) (AllowList, error) { return parseAllowList("", r) }

func parseAllowList(file string, r io.Reader) (AllowList, error) {
	var (
		list     AllowList
		problems Problems
		line     int
	)
	seen := map[identity.PeerID]int{}
	add := func(format string, args ...any) {
		problems = append(problems, Problem{File: file, Line: line, Text: fmt.Sprintf(format, args...)})
	}
	limited := &io.LimitedReader{R: r, N: maxAllowedFile + 1}
	lines := bufio.NewScanner(limited)
	lines.Buffer(nil, maxAllowedLine)
	for lines.Scan() {
		line++
		text, _, _ := strings.Cut(lines.Text(), "#")
		word, name, _ := strings.Cut(strings.Join(strings.Fields(text), " "), " ")
		if word == "" {
			continue
		}
		id, err := identity.ParsePeerID(word)
		switch {
		case err != nil:
			add("%v; write the viewer's id as its page shows it", err)
		case seen[id] > 0:
			add("this id stands in line %d already; remove one", seen[id])
		case len(list) == maxAllowed:
			add("more than %d viewers; remove some", maxAllowed)
			return nil, problems
		default:
			seen[id] = line
			list = append(list, Allowed{ID: id, Name: name})
		}
	}
	line++
	switch err := lines.Err(); {
	case err == bufio.ErrTooLong: //nolint:errorlint // Scanner.Err returns it unwrapped
		add("a line longer than %d bytes; is this an allow-list?", maxAllowedLine)
	case err != nil:
		return nil, fmt.Errorf("read the allow-list: %w", err)
	case limited.N <= 0:
		add("the file is larger than %d bytes; is this an allow-list?", maxAllowedFile)
	}
	if err := problems.err(); err != nil {
		return nil, err
	}
	return list, nil
}
