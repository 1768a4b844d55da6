package signaling

// Challenge is the server's first frame: what a client must sign to register.
type Challenge struct {
	// Type is filled in by EncodeFrame.
	Type FrameType `json:"type"`
	// Nonce is fresh for every connection: 32 bytes.
	Nonce Token `json:"nonce"`
}

func (f *Challenge) kind() FrameType { return FrameChallenge }
func (f *Challenge) stamp()          { f.Type = f.kind() }
func (f *Challenge) validate() error { return f.Nonce.check("nonce", ChallengeSize) }
