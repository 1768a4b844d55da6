package mediasign

import (
	"crypto"
	"time"
)

// Options of a Signer.
type Options struct {
	// Key signs: ECDSA on P-256. It is called from one goroutine at a time, and may
	// be slow.
	Key crypto.Signer
	// Chain holds the certificates (DER) that go into the video, that of Key first.
	// See Certify.
	Chain [][]byte
	// Serial names the device, at most 255 bytes; Version the program, without
	// blanks.
	Serial, Version string
	// Camera names the camera and its rendition, "front/main": a device may have
	// several. It is signed. At most 100 bytes, without blanks. Optional.
	Camera string
	// MaxDuration is how long a GOP may be before a part of it is signed. Default
	// 5 s, which the specification recommends.
	MaxDuration time.Duration
	// MaxUnits is how many NAL units a GOP may have before a part of it is signed.
	// Default 400, at most 2,000.
	MaxUnits int
	// MinInterval is the shortest time between signatures; the documents of shorter
	// GOPs are signed together with a later one. Default 500 ms.
	MinInterval time.Duration
	// Changed is called with the new status when State changes, from the goroutine
	// that calls Sign or one of the signer's own. Optional.
	Changed func(Status)
}

func (o Options) withDefaults() Options {
	if o.MaxDuration <= 0 {
		o.MaxDuration = 5 * time.Second
	}
	if o.MaxUnits <= 0 {
		o.MaxUnits = 400
	}
	o.MaxUnits = min(o.MaxUnits, 2000)
	if o.MinInterval <= 0 {
		o.MinInterval = 500 * time.Millisecond
	}
	return o
}
