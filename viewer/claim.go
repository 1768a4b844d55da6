package viewer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/signaling"
)

// Claim is a secret that makes this viewer the owner of a publisher, or that an
// invite came with.
type Claim struct {
	// Kind says which of the two.
	Kind signaling.Claim
	// Invite is the id of the invite; empty for pairing.
	Invite string
	// Secret is 16 bytes in base64url, good for one use.
	Secret string
	// Name and Device are what the publisher calls this viewer's person and
	// device, at most 64 characters each.
	Name, Device string
}

// Claimed is what a claim gave.
type Claimed struct {
	// Role is "owner" or "guest".
	Role string `json:"role"`
	// Grant is what to dial with from now on (Options.Grants); owners have none.
	Grant string `json:"grant"`
	// Home names the publishers that share one list of who has access.
	Home string `json:"home"`
}

// errImpostor cannot happen while the session is verified; it is checked all the
// same, because it costs nothing.
var errImpostor = errors.New("the publisher does not know the secret of this link; ask for a new one")

// maxClaimed bounds the answer to a claim, in bytes.
const maxClaimed = 16 << 10

// ClaimAccess shows a publisher the secret of a link, over a connection that is
// verified to be the publisher's, as a proof that is worth nothing elsewhere. The
// secret itself is not sent. Dial again with what it returns.
//
// Errors: *RejectedError if the publisher waits for no claim, *APIError if it does
// not accept this one, else as Dial's.
func ClaimAccess(ctx context.Context, o Options, c Claim) (Claimed, error) {
	secret, err := access.ParseSecret(c.Secret)
	if err != nil {
		return Claimed{}, fmt.Errorf("viewer: claim: %w", err)
	}
	o.claim, o.NoMedia, o.Cameras = c.Kind, true, nil
	s, err := Dial(ctx, o)
	if err != nil {
		return Claimed{}, err
	}
	defer s.Close() //nolint:errcheck,contextcheck // it has nothing to tell, and says goodbye after ctx
	transcript := string(s.handshake.transcript())
	proof := func(side string) string {
		return access.ClaimProof(secret, string(c.Kind), side, transcript, o.Identity.PeerID(), o.Peer)
	}
	body, err := json.Marshal(map[string]string{
		"kind": string(c.Kind), "invite": c.Invite, "proof": proof(access.SideViewer), "name": c.Name, "device": c.Device,
	})
	if err != nil {
		return Claimed{}, fmt.Errorf("viewer: claim: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, BaseURL+"/v1/claim", bytes.NewReader(body))
	if err != nil {
		return Claimed{}, fmt.Errorf("viewer: claim: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.http.Do(req)
	if err != nil {
		return Claimed{}, fmt.Errorf("viewer: claim: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // read
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxClaimed))
	if err != nil {
		return Claimed{}, fmt.Errorf("viewer: claim: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return Claimed{}, fmt.Errorf("viewer: claim: %w", apiError(resp.StatusCode, text))
	}
	var answer struct {
		Claimed
		Proof string `json:"proof"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return Claimed{}, fmt.Errorf("viewer: claim: the publisher's answer cannot be read: %w", err)
	}
	if !access.EqualProofs(answer.Proof, proof(access.SidePublisher)) {
		return Claimed{}, errImpostor
	}
	if err := answer.check(o.Identity.PeerID()); err != nil {
		return Claimed{}, fmt.Errorf("viewer: claim: the publisher's answer makes no sense: %w", err)
	}
	return answer.Claimed, nil
}

// check reports whether a publisher can have given this to the viewer. What it
// gives is kept and shown again, so that nonsense would be in the way for ever.
func (c Claimed) check(viewer PeerID) error {
	if c.Role != "owner" && c.Role != "guest" {
		return errors.New("it names no role")
	}
	if c.Home != "" && access.ValidateToken(c.Home, access.TokenSize) != nil {
		return errors.New("it names no home")
	}
	if c.Grant == "" {
		return nil
	}
	g, err := access.ParseGrant(c.Grant)
	if err == nil && g.Holder != viewer {
		err = access.ErrHolder
	}
	return err
}
