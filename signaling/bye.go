package signaling

// Bye ends a session, from either side, after the answer.
type Bye struct {
	Header
	// Transcript names the handshake: see the function of that name.
	Transcript Token `json:"transcript"`
	// Reason is a sentence for a person, at most MaxReason bytes, no control
	// characters.
	Reason string `json:"reason"`
}

func (b *Bye) kind() Type { return TypeBye }

func (b *Bye) validate() error {
	if err := b.Header.validate(); err != nil {
		return err
	}
	if err := b.Transcript.check("transcript", HashSize); err != nil {
		return err
	}
	return checkReason(b.Reason)
}
