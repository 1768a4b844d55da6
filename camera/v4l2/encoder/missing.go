//go:build !device

package encoder

// Name is the library that encodes: "x264", "openh264", or "" in a binary without.
const Name = ""

// Encoder makes H.264 of pictures. This binary has none.
type Encoder struct{}

// New returns ErrMissing: this binary was built without an encoder.
func New(Settings) (*Encoder, error) { return nil, ErrMissing }

// Encode returns ErrMissing.
func (*Encoder) Encode([]byte, bool) ([]byte, error) { return nil, ErrMissing }

// Close does nothing.
func (*Encoder) Close() error { return nil }
