package signaling

// Sent is the server's answer to a Send that asked for one: the message is on
// its way, or held for a receiver that is expected back. It does not say that
// the receiver read it.
type Sent struct {
	// Type is filled in by EncodeFrame.
	Type FrameType `json:"type"`
	// Ref is the Ref of the Send.
	Ref int64 `json:"ref"`
}

func (f *Sent) kind() FrameType { return FrameSent }
func (f *Sent) stamp()          { f.Type = f.kind() }
func (f *Sent) validate() error { return checkRef(f.Ref) }
