package client

// State is how a client stands with its server.
type State int

// The states of a client.
const (
	// StateOffline: Run has not started, or has ended.
	StateOffline State = iota
	// StateConnecting: the first attempt, or one after a lost connection.
	StateConnecting
	// StateOnline: registered; messages come and go.
	StateOnline
	// StateWaiting: the last attempt failed; the next one follows by itself.
	StateWaiting
	// StateDisplaced: another process registered the same key. The next attempt
	// follows after a long pause, or the two would displace each other for ever.
	StateDisplaced
)

// String returns the state in lower case, for logs.
func (s State) String() string {
	switch s {
	case StateOffline:
		return "offline"
	case StateConnecting:
		return "connecting"
	case StateOnline:
		return "online"
	case StateWaiting:
		return "waiting"
	case StateDisplaced:
		return "displaced"
	}
	return "unknown"
}
