// Package trust is what one publisher knows about who may do what: its owners
// and their access lists, the grants it has seen, invites and pairing, what was
// revoked at the device itself, and how late it is at least. It keeps that in a
// folder that survives a power cut at any moment; docs/design/trust-state.md
// says what is where.
package trust
