// Package discovery finds agents and resolves names on the networks that this
// machine is attached to, with no server: multicast DNS (RFC 6762) and DNS-based
// service discovery (RFC 6763). Nothing that it finds is trusted: an address is a
// place to try, and whoever answers there has to prove who it is.
//
// The messages, and what they give away, are in docs/design/discovery.md.
package discovery
