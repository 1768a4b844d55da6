package rtsp

import (
	"crypto/x509"
	"log/slog"
	"time"
)

// Options say how to reach a camera. Only URL is required.
type Options struct {
	// URL is the address of the stream, rtsp://host[:port]/path or rtsps://….
	// The port is 554 (RTSPS: 322) by default. It may hold user name and
	// password; special characters in them have to be percent-encoded.
	URL string
	// Username and Password take precedence over those in URL.
	Username, Password string
	// Transport is how media travels; empty is Auto.
	Transport Transport

	// Fingerprint is the SHA-256 of the certificate (RTSPS) in hexadecimal,
	// with or without colons. When set it alone decides, and a self-signed
	// certificate is as good as any.
	Fingerprint string
	// Insecure accepts any certificate. Whoever is between can then read the
	// password and replace the pictures.
	Insecure bool
	// Roots are the certificate authorities trusted; nil is the system's.
	Roots *x509.CertPool

	// SetupTimeout bounds everything up to the first packet of one transport.
	// Default 10 s.
	SetupTimeout time.Duration
	// SilenceTimeout is how long after the start no packet may come before
	// the other transport is tried. Default 4 s.
	SilenceTimeout time.Duration
	// ReadTimeout ends a connection on which nothing arrives any more.
	// Default 10 s.
	ReadTimeout time.Duration

	// Logger receives what is worth knowing and does not end the connection,
	// at most a line a minute of each kind. nil discards it.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	set := func(d *time.Duration, def time.Duration) {
		if *d <= 0 {
			*d = def
		}
	}
	set(&o.SetupTimeout, 10*time.Second)
	set(&o.SilenceTimeout, 4*time.Second)
	set(&o.ReadTimeout, 10*time.Second)
	if o.Transport == "" {
		o.Transport = Auto
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
