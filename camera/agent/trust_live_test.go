package agent_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/camera/agent"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/peer"
	"github.com/sightline-cam/sightline/signaling"
	"github.com/sightline-cam/sightline/viewer"
)

// options are a viewer's.
func (r *running) options(id *identity.Identity, grants ...string) viewer.Options {
	return viewer.Options{
		SignalURL: strings.Replace(r.base, "http", "ws", 1), Identity: id, Peer: r.agent.PeerID(),
		Grants: grants, NoAudio: true, Loopback: true, Timeout: patience,
	}
}

// player watches a camera by WHEP. The error is that of the first request.
func (r *running) player(t *testing.T, token string) (*peer.Conn, *peer.UnitReader, error) {
	t.Helper()
	frames := peer.NewUnitReader()
	c, err := peer.Dial(t.Context(), peer.DialOptions{
		Loopback: true, Video: true, NoData: true, OnTrack: frames.AddTrack,
		Signal: peer.AnswerOnly(func(ctx context.Context, offer string) (string, error) {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.base+"/whep/test", strings.NewReader(offer))
			if err != nil {
				return "", err
			}
			req.Header.Set("Content-Type", "application/sdp")
			req.Header.Set("Authorization", "Bearer "+token)
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				return "", err
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if res.StatusCode != http.StatusCreated {
				err = errors.New(res.Status + string(body))
			}
			return string(body), err
		}),
	})
	if err == nil {
		t.Cleanup(func() { _ = c.Close(); frames.End() })
	}
	return c, frames, err
}

func TestAgent_PairedSharedAndTakenBackOverRealSockets(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "agent.sock")
	r := start(t, func(o *agent.Options) {
		console, err := agent.ListenConsole(socket)
		if err != nil {
			t.Fatal(err)
		}
		o.Open, o.Console, o.Page = false, console, "https://page.example"
	})
	console := consoleClient(t, socket)
	var pairing struct{ Peer, Page, Secret string }
	if status := call(t, console, "POST", "http://agent/v1/console/pair", map[string]bool{"reset": false}, &pairing); status != 200 {
		t.Fatal(status)
	}
	owner, guest := newViewer(t), newViewer(t)
	got, err := viewer.ClaimAccess(t.Context(), r.options(owner), viewer.Claim{Kind: signaling.ClaimPair, Secret: pairing.Secret, Name: "Ann", Device: "phone"})
	if err != nil || got.Role != "owner" {
		t.Fatalf("%+v %v", got, err)
	}
	s, err := r.dial(t, owner, "test")
	if err != nil {
		t.Fatal(err)
	}
	wantFrames(t, s, 2)

	var link struct{ Invite string }
	invite := map[string]any{"name": "Bob", "rights": []string{"live"}, "cameras": []string{"*"}, "expires": 3600, "pass": false}
	if status := call(t, console, "POST", "http://agent/v1/console/invites", invite, &link); status != 200 {
		t.Fatal(status)
	}
	jti, secret, _ := strings.Cut(link.Invite, ".")
	got, err = viewer.ClaimAccess(t.Context(), r.options(guest), viewer.Claim{Kind: signaling.ClaimInvite, Invite: jti, Secret: secret, Device: "tablet"})
	if err != nil || got.Role != "guest" || got.Grant == "" {
		t.Fatalf("%+v %v", got, err)
	}
	guests, err := viewer.Dial(t.Context(), r.options(guest, got.Grant))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = guests.Close() })
	wantFrames(t, guests, 2)
	var token struct{ Token, URL string }
	if status := call(t, guests.HTTP(), "POST", viewer.BaseURL+"/v1/whep-tokens", map[string]string{"camera": "test"}, &token); status != 201 {
		t.Fatal(status)
	}
	player, frames, err := r.player(t, token.Token)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, _, err := frames.Read(ctx); err != nil {
		t.Fatal(err)
	}

	if status := call(t, console, "POST", "http://agent/v1/console/revoke", map[string]string{"id": string(guest.PeerID())}, nil); status != 200 {
		t.Fatal(status)
	}
	for name, done := range map[string]<-chan struct{}{"viewer": guests.Done(), "player": player.Done()} {
		select {
		case <-done:
		case <-ctx.Done():
			t.Fatalf("the guest's %s goes on", name)
		}
	}
	if _, err := viewer.Dial(t.Context(), r.options(guest, got.Grant)); err == nil {
		t.Error("the guest is let in again")
	}
	if _, _, err := r.player(t, token.Token); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("the guest's token: %v", err)
	}
	wantFrames(t, s, 10) // the owner is not disturbed
}
