package agent

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/identity"
)

// unreachable is a source that fails at once: with a text for everybody, or without.
type unreachable struct{ public string }

const whereItIs = "the camera at 192.168.7.20:554 cannot be reached"

func (u unreachable) Run(context.Context, camera.Output) error {
	if u.public == "" {
		return plainTrouble{}
	}
	return publicTrouble{u.public}
}

type plainTrouble struct{}

func (plainTrouble) Error() string { return whereItIs }

type publicTrouble struct{ text string }

func (publicTrouble) Error() string    { return whereItIs }
func (p publicTrouble) Public() string { return p.text }

// Who may watch is told that the camera is away; who looks after it, where it is.
func TestCameraView_GuestsSeeNoAddresses(t *testing.T) {
	const public = "the camera does not answer"
	a, _, _ := newClosedAgent(t, func(o *Options) {
		o.Cameras = nil
		for id, source := range map[string]camera.Source{"front": unreachable{public}, "back": unreachable{}} {
			c, err := camera.New(camera.Options{ID: id, Main: source})
			if err != nil {
				t.Fatal(err)
			}
			o.Cameras = append(o.Cameras, c)
		}
	})
	for _, c := range a.cameras.order {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		changed, stop := c.Watch()
		go func() { defer close(ended); _ = c.Run(ctx) }()
		t.Cleanup(func() { cancel(); <-ended; stop() })
		for c.Status().State != camera.Offline {
			<-changed
		}
	}
	owner, guest, keeper := pairOwner(t, a), newIdentity(t).PeerID(), newIdentity(t).PeerID()
	_, live := grantOf(t, a, owner, guest, time.Time{}, []access.Right{access.Live}, "front", "back")
	_, admin := grantOf(t, a, owner, keeper, time.Time{}, []access.Right{access.Live, access.Admin}, "front", "back")
	for _, tt := range []struct {
		who         string
		peer        identity.PeerID
		grant       []string
		front, back string
	}{
		{"the owner", owner.PeerID(), nil, whereItIs, whereItIs},
		{"a guest", guest, []string{live}, public, ""},
		{"a guest who may administer", keeper, []string{admin}, whereItIs, whereItIs},
	} {
		var list struct{ Cameras []cameraView }
		w := serve(a.handler(overChannel), overSession(request("GET", "/v1/cameras", ""), newSession(t, a, tt.peer, tt.grant...)))
		text := w.Body.String()
		decode(t, w, &list)
		got := map[string]string{}
		for _, v := range list.Cameras {
			got[v.ID] = v.Reason
		}
		if len(got) != 2 || got["front"] != tt.front || got["back"] != tt.back || (tt.front == public) == strings.Contains(text, "192.168") {
			t.Errorf("%s is told %v: %s", tt.who, got, text)
		}
	}
}
