package signaling

import "fmt"

// Restart offers new ICE credentials for a session that has lost its path, or
// wants a better one (ICE restart, RFC 8445 §9). The viewer sends it.
type Restart struct {
	Header
	// Transcript names the handshake: see the function of that name.
	Transcript Token `json:"transcript"`
	// SDP is the new offer, at most MaxSDP bytes. It may change nothing but the
	// ICE parameters.
	SDP string `json:"sdp"`
}

func (r *Restart) kind() Type { return TypeRestart }

func (r *Restart) validate() error {
	if err := r.Header.validate(); err != nil {
		return err
	}
	if err := r.Transcript.check("transcript", HashSize); err != nil {
		return err
	}
	return checkSDP(r.SDP)
}

// Restarted is the publisher's answer to a Restart.
type Restarted struct {
	Header
	// Transcript names the handshake: see the function of that name.
	Transcript Token `json:"transcript"`
	// Restart is the Seq of the Restart that is answered. A viewer ignores the
	// answer to any but its last.
	Restart int64 `json:"restart"`
	// SDP is the new answer, at most MaxSDP bytes.
	SDP string `json:"sdp"`
	// ICE are servers as in an Answer.
	ICE []ICEServer `json:"ice"`
}

func (r *Restarted) kind() Type { return TypeRestarted }

func (r *Restarted) validate() error {
	if err := r.Header.validate(); err != nil {
		return err
	}
	if err := r.Transcript.check("transcript", HashSize); err != nil {
		return err
	}
	if r.Restart < 1 || r.Restart > MaxInt {
		return fmt.Errorf("%w: restart is out of range", ErrMessage)
	}
	if err := checkSDP(r.SDP); err != nil {
		return err
	}
	return validateICE(r.ICE)
}

// RestartRequest asks the viewer for a Restart: the publisher's network has
// changed.
type RestartRequest struct {
	Header
	// Transcript names the handshake: see the function of that name.
	Transcript Token `json:"transcript"`
	// Reason is a sentence for a person, at most MaxReason bytes, no control
	// characters.
	Reason string `json:"reason"`
}

func (r *RestartRequest) kind() Type { return TypeRestartRequest }

func (r *RestartRequest) validate() error {
	if err := r.Header.validate(); err != nil {
		return err
	}
	if err := r.Transcript.check("transcript", HashSize); err != nil {
		return err
	}
	return checkReason(r.Reason)
}
