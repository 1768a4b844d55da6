// Package hostile is a signaling server for tests that speaks the protocol of
// package signaling and has no good intentions. Left alone it behaves; hooks
// make it drop, duplicate, reorder, hold, replay, reflect and misdirect what
// peers send, and answer lookups with statements of its own making.
//
// Middle goes further: it is a man in the middle with a key of its own, who
// opens, changes, signs and seals again what both ends send to each other.
// Relay goes all the way: it makes the sessions of both ends its own, and
// carries the pictures and requests that it sees.
//
// Everything that a peer sends or is sent is recorded, so that a test can look
// for what should not be there.
package hostile
