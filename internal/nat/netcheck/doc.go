// Package netcheck examines a network: whether UDP gets out, what the router does
// to addresses and ports (RFC 4787, measured as RFC 5780 says), whether relays and
// the signaling service can be reached, and whether the clock is right. What it
// finds is plain data, and sentences for the owner of a camera.
//
// It talks to the servers that it is given and to the router, and to nobody else.
// docs/design/doctor.md has what must hold.
package netcheck
