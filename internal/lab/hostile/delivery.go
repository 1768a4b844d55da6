package hostile

import (
	"slices"
	"sync"

	"github.com/sightline-cam/sightline/internal/identity"
)

// Delivery is a message on its way to a peer.
type Delivery struct {
	// From is who the server says it is from.
	From identity.PeerID
	// To is who gets it.
	To identity.PeerID
	// Payload is what it gets.
	Payload string
}

// SendHook decides what becomes of a message: the deliveries to make instead of
// it, in order. It runs in the goroutine of the sender's connection, one call at
// a time for each sender, and may call the server's methods except Close.
type SendHook func(from, to identity.PeerID, payload string) []Delivery

// Pass is an honest server's SendHook.
func Pass(from, to identity.PeerID, payload string) []Delivery {
	return []Delivery{{From: from, To: to, Payload: payload}}
}

// Drop loses every message. What was dropped is in the records and can be
// delivered later.
func Drop(identity.PeerID, identity.PeerID, string) []Delivery { return nil }

// Duplicate delivers every message twice.
func Duplicate(from, to identity.PeerID, payload string) []Delivery {
	return append(Pass(from, to, payload), Pass(from, to, payload)...)
}

// Reflect sends every message back to its sender, as if it came from the peer
// that it is meant for.
func Reflect(from, to identity.PeerID, payload string) []Delivery {
	return []Delivery{{From: to, To: from, Payload: payload}}
}

// Misdeliver gives every message to another peer.
func Misdeliver(other identity.PeerID) SendHook {
	return func(from, _ identity.PeerID, payload string) []Delivery {
		return []Delivery{{From: from, To: other, Payload: payload}}
	}
}

// Reverse keeps n messages and then delivers them, the last one first; and so
// on.
func Reverse(n int) SendHook {
	var mu sync.Mutex
	var kept []Delivery // guarded by mu
	return func(from, to identity.PeerID, payload string) []Delivery {
		mu.Lock()
		defer mu.Unlock()
		kept = append(kept, Pass(from, to, payload)...)
		if len(kept) < n {
			return nil
		}
		out := kept
		kept = nil
		slices.Reverse(out)
		return out
	}
}
