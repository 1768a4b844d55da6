package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxAddress is the longest address of a camera accepted, in bytes.
const maxAddress = 2048

// schemeDevice begins the address of a camera of this machine that is given by name.
const schemeDevice = "v4l2"

// errAddress never quotes the text, which may hold a password cut in two by a
// character that should have been escaped.
var errAddress = errors.New("is no address that can be read; write rtsp://host/path, or /dev/video0 for a camera of this machine, " +
	"and put a password with special characters into passwordFile")

// Address is where a camera is: an rtsp:// or rtsps:// URL, or a device of this machine.
// User name and password are kept apart from the rest; every way of printing it leaves
// them out. The zero value is no address.
type Address struct {
	url      url.URL // of a camera in the network, without user information
	username string
	password Secret

	device string // of a camera of this machine: "/dev/video0", "v4l2:NAME"
}

// ParseAddress reads
//
//   - an rtsp:// or rtsps:// URL;
//   - an absolute path, with or without "v4l2:" before it: /dev/video0,
//     /dev/v4l/by-id/usb-…;
//   - "v4l2:" and the name of a camera of this machine, or of a link to it.
//
// Its error never contains a text that may hold a password.
func ParseAddress(text string) (Address, error) {
	if len(text) > maxAddress {
		return Address{}, fmt.Errorf("is longer than %d bytes", maxAddress)
	}
	text = strings.TrimSpace(text)
	if scheme, name, ok := strings.Cut(text, ":"); ok && strings.EqualFold(scheme, schemeDevice) {
		return parseDevice(strings.TrimSpace(name))
	}
	if strings.HasPrefix(text, "/") {
		return parseDevice(text)
	}
	if node := forgottenFolder().FindStringSubmatch(text); node != nil {
		return Address{}, fmt.Errorf("is no address; write /dev/%s for that camera of this machine", node[1])
	}
	return parseURL(text)
}

// forgottenFolder finds a device given by a relative path.
func forgottenFolder() *regexp.Regexp {
	return regexp.MustCompile(`^(?:\.?/?dev/)?(video[0-9]{1,3}|v4l/by-[a-z]+/[^/]+)$`)
}

// parseDevice reads what stands behind v4l2:.
func parseDevice(name string) (Address, error) {
	switch {
	case name == "":
		return Address{}, errors.New("names no camera; write v4l2:NAME, or /dev/video0")
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return Address{}, errors.New("holds characters that no camera's name has; write /dev/video0, or v4l2: and the name that --list shows")
	case path.IsAbs(name): // also v4l2:///dev/video0, as other programs write it
		name = path.Clean("/" + strings.TrimLeft(name, "/"))
		if strings.HasSuffix(name, " ") {
			return Address{}, errors.New("ends in a space; write it without")
		}
		return Address{device: name}, nil
	}
	if node := forgottenFolder().FindStringSubmatch(name); node != nil {
		return Address{}, fmt.Errorf("names a device by half a path; write /dev/%s", node[1])
	}
	return Address{device: schemeDevice + ":" + name}, nil
}

// parseURL reads an rtsp:// or rtsps:// URL.
func parseURL(text string) (Address, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" && u.Scheme == "" || u.Opaque != "" {
		return Address{}, errAddress
	}
	if u.Scheme != "rtsp" && u.Scheme != "rtsps" {
		return Address{}, errors.New("begins with a scheme other than rtsp:// and rtsps://; use the camera's RTSP address, or /dev/video0 for a camera of this machine")
	}
	if u.Hostname() == "" {
		return Address{}, errors.New("names no host; write rtsp://host/path")
	}
	if u.Fragment != "" || strings.HasSuffix(text, "#") {
		return Address{}, errors.New("has a # in it; write %23 for it, or put the password into passwordFile")
	}
	a := Address{url: *u, username: u.User.Username()}
	if password, ok := u.User.Password(); ok {
		a.password = NewSecret(password)
	}
	a.url.User = nil
	return a, nil
}

// Target returns what to connect to or to open: the URL without user name and
// password, or the device. Some cameras take a password in the path or query: do not
// print it.
func (a Address) Target() string {
	switch {
	case a.IsZero():
		return ""
	case a.IsDevice():
		return a.device
	}
	return a.url.String()
}

// IsDevice reports whether this is a camera of this machine.
func (a Address) IsDevice() bool { return a.device != "" }

// Scheme returns "rtsp", "rtsps" or, for a camera of this machine, "v4l2".
func (a Address) Scheme() string {
	if a.IsDevice() {
		return schemeDevice
	}
	return a.url.Scheme
}

// Host returns host and port as written; nothing for a camera of this machine.
func (a Address) Host() string { return a.url.Host }

// Username returns the user name that was in the URL.
func (a Address) Username() string { return a.username }

// Password returns the password that was in the URL.
func (a Address) Password() Secret { return a.password }

// IsZero reports whether there is no address.
func (a Address) IsZero() bool { return a.url.Host == "" && a.device == "" }

// String returns the address for a person to read: without user information, and
// with what looks like a password in its path or query replaced.
func (a Address) String() string {
	if a.IsZero() || a.IsDevice() {
		return a.device
	}
	c := a.url
	c.RawQuery, c.ForceQuery = "", false
	text := passwordInPath().ReplaceAllString(c.String(), "${1}[redacted]")
	if a.url.RawQuery != "" {
		text += "?…"
	}
	return text
}

// passwordInPath finds name=value where the name is one of a password.
func passwordInPath() *regexp.Regexp {
	return regexp.MustCompile(`(?i)((?:pass|passwd|password|pwd|token|auth)=)[^&/;]*`)
}

// GoString is String.
func (a Address) GoString() string { return a.String() }

// Format writes String for every verb.
func (a Address) Format(f fmt.State, _ rune) {
	_, _ = f.Write([]byte(a.String())) // fmt.State has nowhere to report an error to
}

// LogValue implements slog.LogValuer.
func (a Address) LogValue() slog.Value { return slog.StringValue(a.String()) }

// MarshalText implements encoding.TextMarshaler (JSON and YAML).
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; see ParseAddress.
func (a *Address) UnmarshalText(text []byte) error {
	parsed, err := ParseAddress(string(text))
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}
