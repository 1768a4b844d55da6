package signaling

import "fmt"

// Answer accepts an offer. It is the publisher's first message in the session,
// with Seq 1, and carries all of its candidates.
type Answer struct {
	Header
	// Nonce is the publisher's own, fresh for every answer: 16 bytes.
	Nonce Token `json:"nonce"`
	// PeerNonce is the offer's nonce.
	PeerNonce Token `json:"peerNonce"`
	// OfferHash is the SHA-256 of the offer's compact JWS.
	OfferHash Token `json:"offerHash"`
	// SDP is the session description, at most MaxSDP bytes.
	SDP string `json:"sdp"`
	// ICE are at most MaxICEServers STUN and TURN servers that help the two to
	// reach each other; the publisher vouches for the viewer to get them. Never
	// nil.
	ICE []ICEServer `json:"ice"`
}

func (a *Answer) kind() Type { return TypeAnswer }

func (a *Answer) validate() error {
	if err := a.Header.validate(); err != nil {
		return err
	}
	if a.Seq != 1 {
		return fmt.Errorf("%w: an answer's seq is not 1", ErrMessage)
	}
	if err := a.Nonce.check("nonce", SessionSize); err != nil {
		return err
	}
	if err := a.PeerNonce.check("peerNonce", SessionSize); err != nil {
		return err
	}
	if err := a.OfferHash.check("offerHash", HashSize); err != nil {
		return err
	}
	if err := checkSDP(a.SDP); err != nil {
		return err
	}
	return validateICE(a.ICE)
}
