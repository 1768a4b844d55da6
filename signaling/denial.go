package signaling

// Denial is why a viewer may not open a session, as it is told.
type Denial struct {
	Code   RejectCode
	Reason string // a sentence for a person, at most MaxReason bytes
}

// Error returns the sentence.
func (d *Denial) Error() string { return d.Reason }
