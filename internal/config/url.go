package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
)

// maxURL is the longest camera URL accepted, in bytes.
const maxURL = 2048

// errURL never quotes the text, which may hold a password cut in two by a
// character that should have been escaped.
var errURL = errors.New("is not a URL that can be read; write rtsp://host/path and put a password with special characters into passwordFile")

// URL is a camera's address. User name and password are kept apart from the
// rest; every way of printing it leaves them out. The zero value is no URL.
type URL struct {
	url      url.URL // without user information
	username string
	password Secret
}

// ParseURL reads an rtsp:// or rtsps:// URL. Its error never contains the text.
func ParseURL(text string) (URL, error) {
	if len(text) > maxURL {
		return URL{}, fmt.Errorf("is longer than %d bytes", maxURL)
	}
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Host == "" && u.Scheme == "" || u.Opaque != "" {
		return URL{}, errURL
	}
	if u.Scheme != "rtsp" && u.Scheme != "rtsps" {
		return URL{}, errors.New("begins with a scheme other than rtsp:// and rtsps://; use the camera's RTSP address")
	}
	if u.Hostname() == "" {
		return URL{}, errors.New("names no host; write rtsp://host/path")
	}
	if u.Fragment != "" || strings.HasSuffix(text, "#") {
		return URL{}, errors.New("has a # in it; write %23 for it, or put the password into passwordFile")
	}
	c := URL{url: *u, username: u.User.Username()}
	if password, ok := u.User.Password(); ok {
		c.password = NewSecret(password)
	}
	c.url.User = nil
	return c, nil
}

// Address returns the URL to connect to, without user name and password. Some
// cameras take a password in the path or query: do not print it.
func (u URL) Address() string {
	if u.IsZero() {
		return ""
	}
	return u.url.String()
}

// Scheme returns "rtsp" or "rtsps".
func (u URL) Scheme() string { return u.url.Scheme }

// Host returns host and port as written.
func (u URL) Host() string { return u.url.Host }

// Username returns the user name that was in the URL.
func (u URL) Username() string { return u.username }

// Password returns the password that was in the URL.
func (u URL) Password() Secret { return u.password }

// IsZero reports whether there is no URL.
func (u URL) IsZero() bool { return u.url.Host == "" }

// String returns the URL for a person to read: without user information, and
// with what looks like a password in its path or query replaced.
func (u URL) String() string {
	if u.IsZero() {
		return ""
	}
	c := u.url
	c.RawQuery, c.ForceQuery = "", false
	text := passwordInPath().ReplaceAllString(c.String(), "${1}[redacted]")
	if u.url.RawQuery != "" {
		text += "?…"
	}
	return text
}

// passwordInPath finds name=value where the name is one of a password.
func passwordInPath() *regexp.Regexp {
	return regexp.MustCompile(`(?i)((?:pass|passwd|password|pwd|token|auth)=)[^&/;]*`)
}

// GoString is String.
func (u URL) GoString() string { return u.String() }

// Format writes String for every verb.
func (u URL) Format(f fmt.State, _ rune) {
	_, _ = f.Write([]byte(u.String())) // fmt.State has nowhere to report an error to
}

// LogValue implements slog.LogValuer.
func (u URL) LogValue() slog.Value { return slog.StringValue(u.String()) }

// MarshalText implements encoding.TextMarshaler (JSON and YAML).
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; see ParseURL.
func (u *URL) UnmarshalText(text []byte) error {
	parsed, err := ParseURL(string(text))
	if err != nil {
		return err
	}
	*u = parsed
	return nil
}
