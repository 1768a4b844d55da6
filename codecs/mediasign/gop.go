package mediasign

import "time"

// GOP is what a Verifier says of a group of pictures, or of a part of one that was
// signed for itself. A NAL unit of a picture is the picture itself, or one of its
// slices.
type GOP struct {
	Verdict Verdict
	// Number counts the key frames in the stream, from 1; 0 before the first. Of
	// what is missing it is that of the GOP before.
	Number int
	// Part counts the parts of a GOP that was signed in several, from 1; 0 if it
	// was not.
	Part int
	// Counter is the signer's number of the document; 0 if there is none.
	Counter uint32
	// Pieces is how many documents in a row are missing; 0 if nobody knows. For
	// the verdict Missing only.
	Pieces int
	// Start and End are the signed times: of the first picture, and of the one
	// after the last. Zero if there are none.
	Start, End time.Time
	// First and Last say where its pictures are in the stream, Where the first
	// trouble.
	First, Last, Where Place
	// Units is the number of NAL units of pictures in the stream, Covered how many
	// the signature covers.
	Units, Covered int
	// Changed, Missing, Added, Repeated and Moved count NAL units of pictures.
	Changed, Missing, Added, Repeated, Moved int
	// ParameterSets and Messages say that parameter sets and other messages (SEI)
	// are not those that were signed. Known only of what our own signer made.
	ParameterSets, Messages bool
	// SignatureMoved says that the signature is not where it belongs.
	SignatureMoved bool
	// Began says that the signer began anew with it, so that what was before is
	// not known from the signatures. Not said of the first one in the stream.
	Began bool
	// Stray marks a wrong signature that no pictures belong to.
	Stray bool
	// Tail marks unsigned pictures at the end of the stream.
	Tail bool
	// Reason says why a signature is wrong; a sentence's end.
	Reason string
	// Origin is who signed; nil where nobody did.
	Origin *Origin
}

// Place is a place in the stream.
type Place struct {
	// Unit counts the units given to the Verifier, from 0.
	Unit int
	// PTS and At are the unit's.
	PTS, At int64
}
