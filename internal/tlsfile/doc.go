// Package tlsfile has the certificates of this machine's own listeners: one
// that the machine makes for itself and keeps in a file (Own), and one that
// somebody gave it as files (Files). Both are looked at again while the program
// runs, when a client connects.
//
// A certificate of its own proves nothing to a stranger. It makes an address in
// a local network a secure context, without which browsers have no keys, and it
// stays the same key for years, so that whoever accepted it once is not asked
// again by a machine in between. See docs/adr/0032-browsers-on-the-lan.md.
package tlsfile
