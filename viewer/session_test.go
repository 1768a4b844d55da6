package viewer_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/lab/loopback"
	"github.com/sightline-cam/sightline/signaling"
	"github.com/sightline-cam/sightline/signaling/client"
	"github.com/sightline-cam/sightline/viewer"
)

func TestDial_PictureAndAPIArrive(t *testing.T) {
	p := newPublisher(t, nil)
	s, err := p.dial(t, func(o *viewer.Options) { o.Cameras = []string{"front"} })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()

	var stream bytes.Buffer
	out := viewer.NewAnnexBWriter(&stream)
	for range 10 {
		f, err := s.ReadFrame(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if f.Camera != "front" || f.Codec != codecs.H264 {
			t.Errorf("a frame of camera %q in %s", f.Camera, f.Codec)
		}
		if err := out.WriteUnit(f.Unit); err != nil {
			t.Fatal(err)
		}
	}
	e, err := testpattern.New(testpattern.Options{Width: 640, Height: 360})
	if err != nil {
		t.Fatal(err)
	}
	sps, _ := e.ParameterSets()
	if !bytes.HasPrefix(stream.Bytes(), append([]byte{0, 0, 0, 1}, sps...)) || out.Skipped() != 0 {
		t.Errorf("the stream does not begin with its parameter sets: % x (%d skipped)", stream.Bytes()[:16], out.Skipped())
	}

	cameras, err := s.Cameras(ctx)
	want := []viewer.Camera{{ID: "front", Name: "Front door", State: "live", Codec: "H.264", Width: 640}}
	if diff := cmp.Diff(want, cameras); err != nil || diff != "" {
		t.Errorf("cameras: %v, %s", err, diff)
	}
	if st := s.Stats(); !st.Direct() || len(st.Tracks) != 1 {
		t.Errorf("stats %+v", st)
	}
	if s.Err() != nil {
		t.Errorf("a session that goes on has ended with %v", s.Err())
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	select {
	case reason := <-p.byes:
		if reason == "" {
			t.Error("no reason given")
		}
	case <-time.After(patience):
		t.Error("the publisher was not told")
	}
	if _, err := s.ReadFrame(ctx); !errors.Is(err, io.EOF) || s.Err() != nil {
		t.Errorf("after Close: %v, %v", err, s.Err())
	}
}

func TestSession_HTTPReachesTheAPI(t *testing.T) {
	p := newPublisher(t, nil)
	s, err := p.dial(t, func(o *viewer.Options) { o.NoMedia = true })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, viewer.BaseURL+"/v1/forbidden", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := s.HTTP().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("status %d", res.StatusCode)
	}
}

func TestDial_SaysWhyThePublisherRefused(t *testing.T) {
	p := newPublisher(t, func(p *publisher) { p.reject = signaling.RejectForbidden })
	_, err := p.dial(t, nil)
	var rejected *viewer.RejectedError
	if !errors.As(err, &rejected) || rejected.Code != signaling.RejectForbidden || rejected.Reason != "Not today." {
		t.Errorf("dial: %v", err)
	}
}

func TestDial_TriesOnceMoreWithThePublishersClock(t *testing.T) {
	p := newPublisher(t, func(p *publisher) { p.reject = signaling.RejectExpired })
	_, err := p.dial(t, nil)
	var rejected *viewer.RejectedError
	if !errors.As(err, &rejected) || rejected.Code != signaling.RejectExpired {
		t.Errorf("dial: %v", err)
	}
}

func TestDial_UnknownPeerIsUnreachable(t *testing.T) {
	p := newPublisher(t, nil)
	stranger, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.dial(t, func(o *viewer.Options) { o.Peer = stranger.PeerID() })
	if !errors.Is(err, client.ErrUnreachable) {
		t.Errorf("dial: %v", err)
	}
}

func TestDial_IgnoresAnswersOfOthers(t *testing.T) {
	mallory, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	for name, tamper := range map[string]func(*signaling.Offer, string) string{
		"changed": func(_ *signaling.Offer, sealed string) string {
			parts := strings.Split(sealed, ".")
			parts[3] = parts[3][:len(parts[3])-8] + "AAAAAAAA"
			return strings.Join(parts, ".")
		},
		"signed by another": func(o *signaling.Offer, _ string) string {
			a := &signaling.Answer{Header: o.Header, Nonce: o.Nonce, PeerNonce: o.Nonce, OfferHash: signaling.HashOf(""), SDP: o.SDP, ICE: []signaling.ICEServer{}}
			a.From, a.To = o.To, o.From
			payload, err := signaling.EncodeMessage(a)
			if err != nil {
				t.Error(err)
			}
			forged, err := identity.Sign(mallory, payload)
			if err != nil {
				t.Error(err)
			}
			sealed, err := identity.Seal(o.Key, []byte(forged))
			if err != nil {
				t.Error(err)
			}
			return sealed
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPublisher(t, func(p *publisher) { p.tamper = tamper })
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ignored := watchLog{what: "signaling message ignored", said: cancel}
			_, err := p.dialUntil(ctx, t, func(o *viewer.Options) {
				o.Logger = slog.New(slog.NewTextHandler(ignored, &slog.HandlerOptions{Level: slog.LevelDebug}))
			})
			if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "was ignored") {
				t.Errorf("dial: %v", err)
			}
		})
	}
}

// watchLog is a log in which something is waited for.
type watchLog struct {
	what string
	said func()
}

func (w watchLog) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(w.what)) {
		w.said()
	}
	return len(line), nil
}

func TestDial_SaysThatSignalingIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		id, err := viewer.NewIdentity()
		if err != nil {
			t.Fatal(err)
		}
		other, err := viewer.NewIdentity()
		if err != nil {
			t.Fatal(err)
		}
		nobody := loopback.Listen(1)
		_ = nobody.Close()
		_, err = viewer.Dial(t.Context(), viewer.Options{
			SignalURL: "ws://127.0.0.1:1", Identity: id, Peer: other.PeerID(), Timeout: time.Second,
			HTTPClient: &http.Client{Transport: &http.Transport{DialContext: nobody.DialContext}},
		})
		if err == nil || !strings.Contains(err.Error(), "signaling") || !strings.Contains(err.Error(), "refused") {
			t.Errorf("dial: %v", err)
		}
	})
}

func TestSession_SaysThatThePublisherLeft(t *testing.T) {
	p := newPublisher(t, nil)
	s, err := p.dial(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	// A frame says that the publisher's side is connected as well: a session
	// closed before that says no goodbye, and is noticed by its silence.
	if _, err := s.ReadFrame(ctx); err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	session := p.sessions[0]
	p.mu.Unlock()
	if err := session.Close(); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err = s.ReadFrame(ctx); err != nil {
			break
		}
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.EOF) || s.Err() == nil {
		t.Errorf("read %v, session %v", err, s.Err())
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
