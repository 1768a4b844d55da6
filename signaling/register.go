package signaling

// Register is the client's first frame.
type Register struct {
	// Type is filled in by EncodeFrame.
	Type FrameType `json:"type"`
	// JWS is the signed Registration.
	JWS string `json:"jws"`
	// Keys is the client's key statement (identity.Identity.KeyStatement), for
	// those who want to seal messages for it.
	Keys string `json:"keys"`
}

func (f *Register) kind() FrameType { return FrameRegister }
func (f *Register) stamp()          { f.Type = f.kind() }

func (f *Register) validate() error {
	if err := checkStatement(f.Keys); err != nil {
		return err
	}
	return checkPayload(f.JWS)
}
