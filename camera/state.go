package camera

// State is where the connection to a camera stands.
type State string

// The states of a camera.
const (
	// Connecting is the time before the first connection succeeded or failed.
	Connecting State = "connecting"
	// Live means that decodable media arrives.
	Live State = "live"
	// Offline means that the connection failed or was lost; it is retried.
	Offline State = "offline"
)
