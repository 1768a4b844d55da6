package mediasign

import "github.com/sightline-cam/sightline/codecs"

// VerifierOptions of a Verifier.
type VerifierOptions struct {
	// Codec is the stream's.
	Codec codecs.Codec
	// Key is the public key (DER, see Origin.Key) that is to have signed. Without
	// it, the first one in the stream is.
	Key []byte
	// Window is how many NAL units are kept in memory where the stream is not as
	// it was signed, to find out what became of it, and to recognize repetitions.
	// About 200 bytes each. Default 262,144: some hours of video.
	Window int
}
