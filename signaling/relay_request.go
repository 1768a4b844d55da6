package signaling

// RelayRequest asks the server for the use of its relay, for one session that the
// client is about to open. Only peers whose Registered said so get one.
type RelayRequest struct {
	// Type is filled in by EncodeFrame.
	Type FrameType `json:"type"`
	// Ref is repeated in the answer; 0 to MaxInt, the client's choice.
	Ref int64 `json:"ref"`
}

func (f *RelayRequest) kind() FrameType { return FrameRelay }
func (f *RelayRequest) stamp()          { f.Type = f.kind() }
func (f *RelayRequest) validate() error { return checkRef(f.Ref) }
