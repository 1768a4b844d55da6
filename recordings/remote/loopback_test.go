package remote

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/camera"
	camagent "github.com/sightline-cam/sightline/camera/agent"
	"github.com/sightline-cam/sightline/camera/testsrc"
	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling/server"
	"github.com/sightline-cam/sightline/viewer"
)

// The real agent, signaling and viewer, over loopback.
func TestDialViewer_RecordsARealAgent(t *testing.T) {
	const patience = 2 * time.Minute
	ids := make([]*identity.Identity, 2)
	for i := range ids {
		var err error
		if ids[i], err = identity.Generate(); err != nil {
			t.Fatal(err)
		}
	}
	allowed := filepath.Join(t.TempDir(), "viewers.txt")
	if err := os.WriteFile(allowed, []byte(string(ids[1].PeerID())+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	src, err := testsrc.New(testsrc.Options{Picture: testpattern.Options{Width: 640, Height: 360, FPS: 10, GOP: 500 * time.Millisecond}, Audio: true})
	if err != nil {
		t.Fatal(err)
	}
	cam, err := camera.New(camera.Options{ID: "test", Name: "Test picture", Main: src})
	if err != nil {
		t.Fatal(err)
	}
	signal, err := server.New(server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "ws://" + l.Addr().String()
	a, err := camagent.New(camagent.Options{
		Identity: ids[0], Cameras: []*camera.Camera{cam}, AllowFile: allowed, Listener: l, Fallback: signal.Handler(), Signal: url, UDP: "127.0.0.1:0",
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var running sync.WaitGroup
	running.Go(func() { _ = a.Run(ctx) })

	s := &shelf{changed: make(chan struct{}, 1)}
	opened := make(chan struct{}, 100)
	r, err := New(Options{Store: s, NewTape: s.tape, MinBackoff: 50 * time.Millisecond, Dial: DialViewer(
		func() viewer.Options {
			return viewer.Options{SignalURL: url, Identity: ids[1], Peer: ids[0].PeerID(), Loopback: true}
		},
		func(ctx context.Context, _ *viewer.Session) { opened <- struct{}{}; <-ctx.Done() },
	)})
	if err != nil {
		t.Fatal(err)
	}
	running.Go(func() { _ = r.Run(ctx) })
	for pictures, sounds := 0, 0; ; pictures, sounds = 0, 0 { // a slow machine leaves some out
		pieces := s.pieces(t, mainOf("test"))
		for _, p := range pieces {
			pictures, sounds = pictures+len(p.video), sounds+len(p.audio)
		}
		st := r.Status()
		if len(pieces) >= 3 && pictures >= 6 && sounds >= 10 && st.Connected && st.Streams[0].Verified && len(opened) >= 2 {
			break
		}
		select {
		case <-s.changed:
		case <-ctx.Done():
			t.Fatalf("%d pieces, %d pictures and %d units of sound are recorded, over %d sessions: %+v", len(pieces), pictures, sounds, len(opened), st)
		}
	}
	cancel()
	running.Wait()
	_ = signal.Close()
}
