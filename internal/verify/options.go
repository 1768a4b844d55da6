package verify

import (
	"crypto/x509"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
)

// Options say what is expected of a file. The zero value expects nothing: the
// report then names the key that signed, and it is for the reader to compare.
type Options struct {
	// Camera is whose key has to have signed. Optional.
	Camera identity.PeerID
	// CameraName is what the signer has to call the camera, with or without the
	// rendition: "front", "front/main". Optional.
	CameraName string
	// Trusted are certificates of which one has to be the signer's, or to have
	// issued it. Optional.
	Trusted []*x509.Certificate
	// Tolerance is by how much the file's times may differ from those signed; its
	// time on the wall by 10 s more. Default 2 s.
	Tolerance time.Duration
	// Whole makes an end without a signature a fault. A recording usually has one:
	// the signature of its last pictures stands in the frame that follows.
	Whole bool
	// Progress is called as the file is read, in bytes. Optional.
	Progress func(done, size int64)
}

func (o Options) withDefaults() Options {
	if o.Tolerance <= 0 {
		o.Tolerance = 2 * time.Second
	}
	return o
}
