package signaling

// Register is the client's first frame.
type Register struct {
	// Type is filled in by EncodeFrame.
	Type FrameType `json:"type"`
	// JWS is the signed Registration.
	JWS string `json:"jws"`
}

func (f *Register) kind() FrameType { return FrameRegister }
func (f *Register) stamp()          { f.Type = f.kind() }
func (f *Register) validate() error { return checkPayload(f.JWS) }
