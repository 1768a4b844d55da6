// Package identity is who a peer is: an ECDSA P-256 key, the PeerID computed
// from it, the messages it signs (JWS, RFC 7515, ES256), the messages sealed to it
// (JWE, RFC 7516, ECDH-ES and A256GCM) and the self-signed certificate it shows
// in DTLS. docs/design/identity.md has the invariants.
//
// Keys are used through crypto.Signer only, so that a secure element can hold
// one.
package identity
