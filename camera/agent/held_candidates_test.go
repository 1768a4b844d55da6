package agent

import (
	"context"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/signaling"
)

// eagerPublisher finds a candidate before its answer can be sent.
type eagerPublisher struct{ *fakePublisher }

func (p eagerPublisher) Answer(ctx context.Context, o peer.Offer) (mediaSession, string, error) {
	s, sdp, err := p.fakePublisher.Answer(ctx, o)
	o.OnCandidate("candidate:1 1 udp 1 203.0.113.7 5000 typ relay raddr 0.0.0.0 rport 0")
	return s, sdp, err
}

func TestReceiveOffer_CandidatesOfBeforeTheAnswerFollowIt(t *testing.T) {
	a, fake, f := newClosedAgent(t, nil)
	owner := pairOwner(t, a)
	var p publisher = eagerPublisher{fake}
	a.publisher.Store(&p)
	v, err := signaling.NewViewerSession(owner, a.PeerID(), a.opts.Identity.AgreementKey())
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := v.Offer(time.Now(), signaling.Request{SDP: testOffer("video H264")})
	if err != nil {
		t.Fatal(err)
	}
	a.receive(t.Context(), owner.PeerID(), sealed)
	a.watching.Wait()
	var got []signaling.Type
	for _, payload := range f.take(owner.PeerID()) {
		in, err := signaling.Open(owner, payload)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Receive(in); err != nil {
			t.Fatal(err)
		}
		got = append(got, in.Head().Type)
	}
	if len(got) != 2 || got[0] != signaling.TypeAnswer || got[1] != signaling.TypeCandidate {
		t.Errorf("the viewer got %v", got)
	}
}
