package mediasign

// Status says what a Signer does.
type Status struct {
	State State
	// Reason is a sentence for people; empty while all is well.
	Reason string
	// Signed counts the documents that were signed, Lost those that were not
	// because signing failed or took too long.
	Signed, Lost uint64
}

// State is what a Signer is doing.
type State uint8

// The states of a Signer.
const (
	// Waiting for a key frame.
	Waiting State = iota
	// Signing the video.
	Signing
	// SteppedBack because the camera signs its video itself.
	SteppedBack
	// Failing to sign: the key does not.
	Failing
	// Closed.
	Closed
)

// String returns the state as a word.
func (s State) String() string {
	switch s {
	case Waiting:
		return "waiting"
	case Signing:
		return "signing"
	case SteppedBack:
		return "stepped back"
	case Failing:
		return "failing"
	case Closed:
	}
	return "closed"
}
