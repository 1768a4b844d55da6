// Package mediasign signs video, and checks signed video, as the ONVIF Media
// Signing Specification (version 25.12) says, for H.264 and H.265. What it proves
// and what not, and the format, are in docs/design/evidence.md.
//
// A Signer hashes what a camera sends and adds, after each group of pictures or a
// part of a long one, a message (SEI) with the hashes and a signature over them.
// Players ignore the message. A Verifier reads such a stream and says of every
// group of pictures whether it is as it was signed, and if not, what became of it.
package mediasign
