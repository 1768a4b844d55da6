// Package server is the signaling server: it lets peers prove their keys and
// passes signed messages between them. It stores nothing, and it never looks
// into a message. The protocol is package signaling's.
package server
