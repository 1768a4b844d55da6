package nvr

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/remote"
	"github.com/sightline-cam/sightline/signaling"
	"github.com/sightline-cam/sightline/viewer"
)

// An agent cannot name its camera like one of which there are recordings already: who
// may see those would see it, and it could have them pushed out.
func TestNVR_NoAgentGetsTheIDOfAFormerCamera(t *testing.T) {
	dir := t.TempDir()
	agent := Remote{Peer: newPeer(t), Dial: func(context.Context, remote.Want) (remote.Session, error) { return nil, context.Canceled }}
	open := func(remotes ...Remote) *NVR {
		n, err := Open(t.Context(), Options{
			StateDir: dir, Recording: config.Recording{Dirs: []string{filepath.Join(dir, "recordings")}}, Remotes: remotes,
			Standing: func(p *trust.Principal) (*trust.Principal, error) { return p, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	n := open()
	for _, camera := range []string{"hall", "front"} {
		seg := recordings.Segment{Ref: recordings.Ref{Stream: recordings.Stream{Camera: camera, Rendition: recordings.Main}, Start: recordings.TimeOf(time.Now())}}
		w, err := n.store.Create(t.Context(), seg, []byte("init"))
		if err != nil {
			t.Fatal(err)
		}
		f := recordings.Fragment{Start: seg.Start, Duration: time.Minute, Offset: 4, Bytes: 5, VideoBytes: 5, Key: true, Frames: 1}
		if err := errors.Join(w.Append(f, []byte("video")), w.Close(), n.store.Sync(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(n.memory.change(agent.Peer, "front", func(c *rememberedCamera) { c.Local = "front" }), n.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	n = open(agent)
	if got := []string{n.remotes[0].localID("hall"), n.remotes[0].localID("front"), n.remotes[0].localID("yard")}; !slices.Equal(got, []string{"hall-2", "front", "yard"}) {
		t.Errorf("the agent's cameras are %q", got)
	}
	for camera, want := range map[string]string{"hall": "", "hall-2": string(agent.Peer), "front": string(agent.Peer)} {
		if got := n.rules(camera).Agent; got != want {
			t.Errorf("%s counts against %q", camera, got)
		}
	}
	if err := n.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// A recorder whose agents are away, or refuse it, starts all the same, publishes the
// cameras that it remembers and keeps their recordings by their own rules.
func TestNVR_StartsWithoutItsAgents(t *testing.T) {
	dir := t.TempDir()
	dial := func(context.Context, remote.Want) (remote.Session, error) {
		return nil, &viewer.RejectedError{Code: signaling.RejectForbidden, Reason: "No."}
	}
	known := Remote{Peer: newPeer(t), Dial: dial, Settings: config.CameraRecording{Keep: config.Duration(2 * time.Hour)}}
	strange := Remote{Peer: newPeer(t), Dial: dial, Name: "Barn"}
	off := Remote{Peer: newPeer(t), Dial: dial, Settings: config.CameraRecording{Off: true}}
	memory := openMemory(t, filepath.Join(dir, RemotesFile))
	for _, r := range []Remote{known, off} {
		if err := memory.change(r.Peer, "front", func(c *rememberedCamera) { c.Local, c.Name = "front"+r.Peer.Short()[:1], "Front" }); err != nil {
			t.Fatal(err)
		}
	}
	if err := memory.change(known.Peer, "front", func(c *rememberedCamera) { c.Local = "front" }); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var told []string
	n, err := Open(ctx, Options{
		StateDir: dir, Recording: config.Recording{Dirs: []string{filepath.Join(dir, "recordings")}},
		Standing: func(p *trust.Principal) (*trust.Principal, error) { return p, nil },
		Remotes:  []Remote{known, strange, off}, OnCamera: func(id string) { told = append(told, id) },
	})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		if err := n.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	defer func() {
		cancel()
		running.Wait()
		if err := n.Close(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	}()
	cameras, err := n.PublishRemotes(ctx)
	if err != nil || len(cameras) != 1 || cameras[0].ID() != "front" || cameras[0].Name() != "Front" {
		t.Fatalf("published %v, %v", cameras, err)
	}
	if len(told) != 1 || told[0] != "front" {
		t.Errorf("told of %q", told)
	}
	if views := n.cameras(); len(views) != 2 || views[0].ID != "front" || views[1].Reason == "" {
		t.Errorf("listed %+v", views)
	}
	if keep := n.rules("front").Keep; keep != 2*time.Hour {
		t.Errorf("kept for %v", keep)
	}
	if n.storeSync() != time.Second {
		t.Error("nobody syncs what comes from other agents")
	}
	// What retention deletes of a remote camera is not fetched again.
	now := recordings.TimeOf(time.Now())
	seg := recordings.Segment{Ref: recordings.Ref{Stream: recordings.Stream{Camera: "front", Rendition: recordings.Main}, Start: now.Add(-time.Hour)}}
	w, err := n.store.Create(ctx, seg, []byte("init"))
	if err != nil {
		t.Fatal(err)
	}
	fragment := recordings.Fragment{Start: seg.Start, Duration: 10 * time.Minute, Offset: 4, Bytes: 5, VideoBytes: 5, Key: true, Frames: 1}
	if err := w.Append(fragment, []byte("video")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := n.store.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	if err := n.deleting().Delete(ctx, seg.Ref); err != nil {
		t.Fatal(err)
	}
	if first := n.remotes[0].notBefore(seg.Stream); first != fragment.End() {
		t.Errorf("fetched from %v on, and %v was deleted", first, fragment.End())
	}
	if len(n.Metrics()) == 0 {
		t.Error("no metrics")
	}
}
