package nvr

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/playback"
	"github.com/sightline-cam/sightline/recordings/remote"
	"github.com/sightline-cam/sightline/signaling"
	"github.com/sightline-cam/sightline/viewer"
)

// nothing is a store that is never asked.
type nothing struct{ remote.Store }

// bench is what agents are made on.
type bench struct {
	t      *testing.T
	memory *RemoteMemory
	ids    *localIDs
	said   []string // ids of cameras
	log    bytes.Buffer
}

func newBench(t *testing.T) *bench {
	t.Helper()
	return &bench{t: t, memory: openMemory(t, filepath.Join(t.TempDir(), RemotesFile)), ids: newLocalIDs()}
}

func (b *bench) remember(r Remote, id, local, name string) {
	b.t.Helper()
	if err := b.memory.change(r.Peer, id, func(c *rememberedCamera) { c.Local, c.Name = local, name }); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) agent(r Remote) *remoteAgent {
	b.t.Helper()
	if r.Dial == nil {
		r.Dial = func(context.Context, remote.Want) (remote.Session, error) { return nil, errors.New("no route") }
	}
	a, err := newRemoteAgent(r, &remoteAgent{
		memory: b.memory, ids: b.ids, onCamera: func(id string) { b.said = append(b.said, id) }, log: slog.New(slog.NewTextHandler(&b.log, nil)),
	}, remote.Options{Store: nothing{}})
	if err != nil {
		b.t.Fatal(err)
	}
	return a
}

func notPaused(string) (recordings.Pause, bool) { return recordings.Pause{}, false }

func TestRemoteAgent_PublishesAndListsWhatItRemembers(t *testing.T) {
	b := newBench(t)
	r := Remote{Peer: newPeer(t), Name: "Barn", Prefix: "barn-", Cameras: []string{"front", "yard", "new"}}
	b.remember(r, "front", "barn-front", "Front door")
	b.remember(r, "yard", "barn-yard-2", "")
	b.remember(r, "cellar", "barn-cellar", "Not wanted")
	a := b.agent(r)
	cameras, err := a.publish()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range cameras {
		got = append(got, c.ID()+" "+c.Name())
	}
	if d := cmp.Diff([]string{"barn-front Barn: Front door", "barn-yard-2 Barn: yard"}, got); d != "" {
		t.Error(d)
	}
	want := []playback.Camera{
		{ID: "barn-front", Name: "Barn: Front door", Origin: string(r.Peer), Reason: "Connecting to the agent."},
		{ID: "barn-yard-2", Name: "Barn: yard", Origin: string(r.Peer), Reason: "Recording is paused."},
	}
	views := a.views(time.Now(), func(id string) (recordings.Pause, bool) { return recordings.Pause{}, id == "barn-yard-2" })
	if d := cmp.Diff(want, views); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"barn-front", "barn-yard-2"}, b.said); d != "" {
		t.Error(d)
	}
	// One that becomes known later is recorded under an id that lasts.
	if id := a.localID("new"); id != "barn-new" || a.localID("new") != id || a.localID("front") != "barn-front" {
		t.Errorf("the new camera is %q", id)
	}
	if !a.has("barn-new") || a.has("barn-cellar") {
		t.Error("it is not known whose the cameras are")
	}
	// After the next start it is published. Another prefix gives other ids.
	b.ids, r.Prefix = newLocalIDs("b-front"), "b-"
	cameras, err = b.agent(r).publish()
	if err != nil || len(cameras) != 3 || cameras[0].ID() != "b-front-2" || cameras[2].ID() != "b-new" {
		t.Errorf("%v, %v", cameras, err)
	}
	if !strings.Contains(b.log.String(), "has another id from now on") {
		t.Error("nobody was told")
	}
}

func TestRemoteAgent_WithoutACameraSaysWhatKeepsItAway(t *testing.T) {
	synctest.Test(t, testWithoutACamera)
}

func testWithoutACamera(t *testing.T) {
	t.Helper()
	b := newBench(t)
	me := newPeer(t)
	refused := fmt.Errorf("dial: %w", &viewer.RejectedError{Code: signaling.RejectForbidden, Reason: "You have no access to this device."})
	used := &viewer.APIError{Status: 410, Code: "used", Message: "This link was used already; ask for a new one."}
	var fails error
	refusedBefore := false
	a := b.agent(Remote{Peer: me, Dial: func(context.Context, remote.Want) (remote.Session, error) { return nil, fails }})
	for _, c := range []struct {
		err   error
		want  string
		final bool
	}{
		{errors.New("no route to host"), "The agent cannot be reached.", false},
		{errors.New("timeout"), "The agent cannot be reached.", false},
		{refused, "The agent refuses this recorder. Its owner lets it in by an invitation that gives live and playback.", true},
		{errors.Join(refused, used), "The agent refuses this recorder, and does not accept its link. Its owner can make a new invitation.", true},
	} {
		fails = c.err
		begun := time.Now()
		_, _ = a.dial(t.Context(), remote.Want{})
		if waited := time.Since(begun); (waited == refusedAgain) != refusedBefore || !refusedBefore && waited != 0 {
			t.Errorf("the agent was left alone for %v", waited)
		}
		refusedBefore = c.final
		views := a.views(time.Now(), notPaused)
		if len(views) != 1 || views[0].Reason != c.want || views[0].Recording || views[0].Origin != string(me) || signaling.ValidateCameraID(views[0].ID) != nil {
			t.Errorf("%v is told as %+v", c.err, views)
		}
		select {
		case <-a.answered:
			if !c.final {
				t.Errorf("%v was taken for an answer", c.err)
			}
		default:
			if c.final {
				t.Errorf("%v was not taken for an answer", c.err)
			}
		}
	}
	if !strings.Contains(b.log.String(), "no route to host") || !strings.Contains(b.log.String(), "used already") {
		t.Errorf("the log does not say why:\n%s", b.log.String())
	}
	if n := strings.Count(b.log.String(), "level=WARN"); n != 3 {
		t.Errorf("%d lines for three kinds of trouble:\n%s", n, b.log.String())
	}
}

func TestRemoteAgent_TakesOnlySoManyCameras(t *testing.T) {
	b := newBench(t)
	r := Remote{Peer: newPeer(t), Cameras: []string{"last", "more", "c0"}}
	known := rememberedAgent{Peer: r.Peer}
	for i := range maxRemoteCameras - 1 {
		id := fmt.Sprintf("c%d", i)
		known.Cameras = append(known.Cameras, rememberedCamera{ID: id, Local: id, Gone: true})
	}
	b.memory.agents = []rememberedAgent{known}
	a := b.agent(r)
	for _, c := range []struct{ id, want string }{{"last", "last"}, {"more", ""}, {"even-more", ""}, {"last", "last"}, {"c0", "c0"}} {
		if id := a.localID(c.id); id != c.want {
			t.Errorf("camera %s is %q", c.id, id)
		}
	}
	if strings.Count(b.log.String(), "more cameras than are recorded") != 1 {
		t.Errorf("log:\n%.1000s", b.log.String())
	}
}

func TestRemoteAgent_GetsNoIDThatIsAnotherAgents(t *testing.T) {
	b := newBench(t)
	barn, hostile := Remote{Peer: newPeer(t)}, Remote{Peer: newPeer(t)}
	if err := b.memory.change(barn.Peer, "front", func(c *rememberedCamera) { c.Local, c.Gone = "front", true }); err != nil {
		t.Fatal(err)
	}
	b.ids.reserved = b.memory.locals()
	if id := b.agent(hostile).localID("front"); id != "front-2" {
		t.Errorf("the id of another agent's camera that is away was given away: %q", id)
	}
	a := b.agent(barn)
	if other, back := a.localID("front-2"), a.localID("front"); other != "front-2-2" || back != "front" {
		t.Errorf("the cameras of the agent are %q and %q", other, back)
	}
}

func TestRemoteSource_WaitsForTheAgentAndSaysWhyItIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newRemoteSource()
		ended := make(chan error, 1)
		go func() { ended <- s.Run(t.Context(), nil) }()
		synctest.Wait()
		select {
		case err := <-ended:
			t.Fatalf("it did not wait: %v", err)
		default:
		}
		s.RequestKeyFrame()
		s.fail("The agent is away.")
		if err := <-ended; err == nil || err.Error() != "The agent is away." {
			t.Error(err)
		}
	})
}

func TestRemoteAgent_FetchesNothingThatWasDeletedOrWouldBe(t *testing.T) {
	b := newBench(t)
	r := Remote{Peer: newPeer(t), Settings: config.CameraRecording{Keep: config.Duration(time.Hour)}}
	b.remember(r, "front", "front", "")
	a := b.agent(r)
	stream := recordings.Stream{Camera: "front", Rendition: recordings.Main}
	now := recordings.TimeOf(time.Now())
	if first := a.notBefore(stream); now.Sub(first) < time.Hour-time.Second || now.Sub(first) > time.Hour+time.Minute {
		t.Errorf("what is older than %v is not fetched, and an hour is kept", now.Sub(first))
	}
	a.deleted(stream, now.Add(-10*time.Minute))
	a.deleted(stream, now.Add(-10*time.Minute+time.Second)) // too little to write down
	a.deleted(recordings.Stream{Camera: "other", Rendition: recordings.Main}, now)
	if first := a.notBefore(stream); first != now.Add(-10*time.Minute) {
		t.Errorf("fetched from %v on", now.Sub(first))
	}
	if first := a.notBefore(recordings.Stream{Camera: "front", Rendition: recordings.Sub}); first > now.Add(-59*time.Minute) {
		t.Errorf("of the other rendition from %v on", now.Sub(first))
	}
}

func TestRemoteAgent_TellsHowAStreamStands(t *testing.T) {
	b := newBench(t)
	a := b.agent(Remote{Peer: newPeer(t)})
	onEvent := b.agent(Remote{Peer: newPeer(t), Settings: config.CameraRecording{OnEvent: true}})
	for _, c := range []struct {
		agent     *remoteAgent
		s         remote.StreamStatus
		recording bool
		reason    string
	}{
		{a, remote.StreamStatus{Recording: true, Verified: true, Recorded: 1, Behind: time.Second}, true, ""},
		{a, remote.StreamStatus{Recording: true, Reason: "asking the agent what it has"}, true, ""},
		{a, remote.StreamStatus{Recording: true, Recorded: 1}, true, "What is lost on the way cannot be fetched again"},
		{a, remote.StreamStatus{Recording: true, Verified: true, Recorded: 1, Behind: time.Minute}, false, "Nothing has come from the camera for 1m0s."},
		{onEvent, remote.StreamStatus{Recording: true, Verified: true, Recorded: 1, Behind: time.Minute}, false, "Waiting for something to happen."},
		{a, remote.StreamStatus{Reason: "the recordings cannot be written"}, false, "The recordings cannot be written."},
	} {
		recording, reason := c.agent.standing(c.s)
		if recording != c.recording || (c.reason == "") != (reason == "") || !strings.HasPrefix(reason, c.reason) {
			t.Errorf("%+v is told as %v, %q", c.s, recording, reason)
		}
	}
}
