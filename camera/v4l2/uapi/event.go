package uapi

// Event is why waiting for a device is over.
type Event int

// The events. Woken goes before Failed, Failed before Ready.
const (
	TimedOut Event = iota // nothing happened
	Ready                 // a frame can be dequeued
	Failed                // the device is unplugged, broken or not streaming
	Woken                 // Wake was called
)

// String names the event for logs and tests.
func (e Event) String() string {
	switch e {
	case TimedOut:
		return "timed out"
	case Ready:
		return "ready"
	case Failed:
		return "failed"
	case Woken:
		return "woken"
	}
	return "unknown event"
}
