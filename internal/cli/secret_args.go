package cli

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// cameraURL finds an address inside an argument, also one with a scheme that
// will be refused: until then it must not show.
func cameraURL() *regexp.Regexp { return regexp.MustCompile(`(?i)([a-z][a-z0-9+.-]*://)(.*)`) }

// secretQuery finds what looks like a password in a path or query, and the secret
// of a link that makes an owner or a guest.
func secretQuery() *regexp.Regexp {
	return regexp.MustCompile(`(?i)((?:pass|passwd|password|pwd|token|auth|pair|invite)=)([^&/;#]+)`)
}

// shownArg returns an argument as it may be shown to everyone on this machine.
func shownArg(arg string) string {
	return cameraURL().ReplaceAllStringFunc(arg, func(u string) string {
		m := cameraURL().FindStringSubmatch(u)
		scheme, rest := m[1], m[2]
		// Everything up to the last @ may be a password that was not escaped.
		if at := strings.LastIndex(rest, "@"); at >= 0 {
			user, _, hasPassword := strings.Cut(rest[:at], ":")
			if hasPassword {
				rest = user + ":[redacted]" + rest[at:]
			}
		}
		return scheme + secretQuery().ReplaceAllString(rest, "${1}[redacted]")
	})
}

// secretsIn returns the passwords that the arguments hold, as they are written
// and unescaped, longest first.
func secretsIn(args []string) []string {
	var out []string
	add := func(s string) {
		if s == "" {
			return
		}
		out = append(out, s)
		if plain, err := url.PathUnescape(s); err == nil && plain != s {
			out = append(out, plain)
		}
	}
	for _, arg := range args {
		m := cameraURL().FindStringSubmatch(arg)
		if m == nil {
			continue
		}
		if at := strings.LastIndex(m[2], "@"); at >= 0 {
			_, password, _ := strings.Cut(m[2][:at], ":")
			add(password)
		}
		for _, q := range secretQuery().FindAllStringSubmatch(m[2], -1) {
			add(q[2])
		}
	}
	slices.SortFunc(out, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(out)
}

// redact takes secrets out of a text.
func redact(text string, secrets []string) string {
	for _, s := range secrets {
		text = strings.ReplaceAll(text, s, "[redacted]")
	}
	return text
}

// RefuseInlinePassword keeps a password from being given where everyone can
// read it, and from being repeated in an error about the flag.
func RefuseInlinePassword(args []string) error {
	for _, arg := range args {
		if arg == "--" {
			break
		}
		if strings.HasPrefix(arg, "--password=") || strings.HasPrefix(arg, "-password=") {
			return errors.New("--password takes no value and asks for it; for scripts there are --password-stdin, --password-file and --password-env")
		}
	}
	return nil
}
