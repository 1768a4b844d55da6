package accesslog

import "time"

// Kind is what an entry is about.
type Kind string

// The kinds.
const (
	Started   Kind = "started"    // the publisher started
	Paired    Kind = "paired"     // somebody became the first owner
	Reset     Kind = "reset"      // the console forgot all owners
	Invited   Kind = "invited"    // an invite was made
	Redeemed  Kind = "redeemed"   // somebody used one
	Revoked   Kind = "revoked"    // access was taken back at the console
	Listed    Kind = "list"       // another access list is in force
	Came      Kind = "came"       // a session began
	Left      Kind = "left"       // and ended
	Refused   Kind = "refused"    // somebody was not let in, or not all the way
	WHEPToken Kind = "whep-token" // a token for a player was made
	Clock     Kind = "clock"      // the clock is wrong, or right again
	Lost      Kind = "lost"       // entries that could not be written, or a damage that was found
)

// Entry is one line. What is too long is cut when it is added.
type Entry struct {
	// Seq counts from 1; Add sets it.
	Seq int64 `json:"seq"`
	// Time is by the local clock; Add sets it if it is zero.
	Time time.Time `json:"time"`
	Kind Kind      `json:"kind"`
	// Peer is a PeerID, "" for the console and the publisher itself.
	Peer string `json:"peer"`
	// Name is what the peer is called, at most 64 code points.
	Name string `json:"name"`
	// What is a few words, at most 256 bytes.
	What string `json:"what"`
	// From is an address, at most 64 bytes; "" if there is none.
	From string `json:"from"`
	// Prev is the hash of the line before, "" in the first; Add sets it.
	Prev string `json:"prev"`
}
