// Package relay is the STUN and TURN server that `sightline signal` runs, and
// what the signaling server tells of it: who may use the relay, and the
// credentials for it. docs/design/relay.md has its invariants.
//
// TURN (RFC 8656) is pion/turn's. Around it stand this package's sockets: they
// answer Binding requests, with the behaviour discovery of RFC 5780; frame and
// bound TCP; forward channel data without going through pion; and hold every
// packet against the budget of the agent that vouched for it and against the
// networks that nothing is relayed to.
package relay
