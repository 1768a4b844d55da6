package config

import (
	"fmt"
	"log/slog"
)

// redacted stands for a secret wherever one would be printed.
const redacted = "[redacted]"

// Secret is a password. It prints as "[redacted]" whichever way it is printed
// (fmt, slog, JSON, YAML); only Reveal gives the text. The zero value is no
// secret and prints as nothing.
type Secret struct{ text string }

// NewSecret returns a secret of the given text.
func NewSecret(text string) Secret { return Secret{text: text} }

// Reveal returns the text, for the one place that sends it to the camera.
func (s Secret) Reveal() string { return s.text }

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.text == "" }

// String returns "[redacted]", or "" for the zero value.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return redacted
}

// GoString is String: %#v tells nothing either.
func (s Secret) GoString() string { return s.String() }

// Format writes String for every verb, so that %x and %d tell nothing.
func (s Secret) Format(f fmt.State, _ rune) {
	_, _ = f.Write([]byte(s.String())) // fmt.State has nowhere to report an error to
}

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements encoding.TextMarshaler (YAML, and JSON map keys).
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON implements json.Marshaler.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }
