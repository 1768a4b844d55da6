package camera

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/codecs"
)

// scriptedSource runs one function per connection; the last one again and again.
type scriptedSource struct {
	runs      []func(ctx context.Context, out Output) error
	started   []time.Time
	keyFrames int
}

func (s *scriptedSource) Run(ctx context.Context, out Output) error {
	n := min(len(s.started), len(s.runs)-1)
	s.started = append(s.started, time.Now())
	return s.runs[n](ctx, out)
}

func (s *scriptedSource) RequestKeyFrame() { s.keyFrames++ }

// recordingOutput keeps what it is given.
type recordingOutput struct {
	units       []*codecs.Unit
	warnings    []string
	interrupted int
}

func (o *recordingOutput) SetTracks([]codecs.Track) {}
func (o *recordingOutput) WriteUnit(u *codecs.Unit) { o.units = append(o.units, u) }
func (o *recordingOutput) Warn(kind, text string)   { o.warnings = append(o.warnings, kind+": "+text) }
func (o *recordingOutput) Interrupt()               { o.interrupted++ }
func (o *recordingOutput) pts(track int) (pts []int64) {
	for _, u := range o.units {
		if u.Track == track {
			pts = append(pts, u.PTS)
		}
	}
	return pts
}

func fails(text string) func(context.Context, Output) error {
	return func(context.Context, Output) error { return errors.New(text) }
}

func videoTracks() []codecs.Track { return []codecs.Track{{Codec: codecs.H264, ClockRate: 90000}} }

// streams sends n units at 25 a second, the first of them a key frame, with
// PTS from first on, and then waits for the end.
func streams(n int, first int64) func(context.Context, Output) error {
	return func(ctx context.Context, out Output) error {
		out.SetTracks(videoTracks())
		for i := range n {
			if !wait(ctx, 40*time.Millisecond) {
				return ctx.Err()
			}
			out.WriteUnit(&codecs.Unit{PTS: first + int64(i)*3600, Key: i == 0})
		}
		return errors.New("the camera closed the connection")
	}
}

func hangs(ctx context.Context, _ Output) error {
	<-ctx.Done()
	return ctx.Err()
}

func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// supervise runs a supervisor over the source for d of virtual time.
func supervise(t *testing.T, src Source, out Output, d time.Duration, opts SupervisorOptions) *Supervisor {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	s := NewSupervisor(src, out, opts)
	if err := s.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Run returned %v, want the context's error", err)
	}
	return s
}

func TestSupervisor_BackOffDoublesUpToTheMaximum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &scriptedSource{runs: []func(context.Context, Output) error{fails("no")}}
		supervise(t, src, &recordingOutput{}, 5*time.Minute, SupervisorOptions{})
		want := time.Second
		for i := 1; i < len(src.started); i++ {
			got := src.started[i].Sub(src.started[i-1])
			if got < want/2 || got > want {
				t.Errorf("wait %d was %v, want within %v and %v", i, got, want/2, want)
			}
			want = min(2*want, 30*time.Second)
		}
		if len(src.started) < 10 {
			t.Errorf("%d attempts in 5 minutes", len(src.started))
		}
	})
}

func TestSupervisor_BackOffStartsOverAfterAConnectionThatDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, ok := fails("no"), streams(10, 0)
		src := &scriptedSource{runs: []func(context.Context, Output) error{f, f, f, f, f, ok, f, hangs}}
		supervise(t, src, &recordingOutput{}, time.Minute, SupervisorOptions{})
		if len(src.started) != 8 {
			t.Fatalf("%d connections, want 8", len(src.started))
		}
		if got := src.started[6].Sub(src.started[5]) - 400*time.Millisecond; got > time.Second {
			t.Errorf("waited %v after a connection that delivered, want at most 1s", got)
		}
	})
}

// lockedOut is an error that asks for a pause.
type lockedOut struct{}

func (lockedOut) Error() string             { return "wrong password" }
func (lockedOut) RetryAfter() time.Duration { return 5 * time.Minute }

func TestSupervisor_WaitsAsLongAsTheErrorAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &scriptedSource{runs: []func(context.Context, Output) error{
			func(context.Context, Output) error { return lockedOut{} },
		}}
		supervise(t, src, &recordingOutput{}, 29*time.Minute, SupervisorOptions{})
		if len(src.started) != 6 {
			t.Errorf("%d attempts with a wrong password in 29 minutes, want 6", len(src.started))
		}
	})
}

// pluggedIn is an error whose camera is back after a while.
type pluggedIn struct {
	error
	after time.Duration
}

func (p pluggedIn) Wait(ctx context.Context) { wait(ctx, p.after) }

func TestSupervisor_TriesAgainWhenTheErrorSaysSo(t *testing.T) {
	for _, c := range []struct {
		name     string
		after    time.Duration
		earliest time.Duration
		latest   time.Duration
	}{
		{"back soon", 250 * time.Millisecond, 250 * time.Millisecond, 250 * time.Millisecond},
		{"away for long", time.Hour, 500 * time.Millisecond, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				src := &scriptedSource{runs: []func(context.Context, Output) error{
					func(context.Context, Output) error { return pluggedIn{errors.New("gone"), c.after} }, hangs,
				}}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				_ = NewSupervisor(src, &recordingOutput{}, SupervisorOptions{}).Run(ctx)
				if d := src.started[1].Sub(src.started[0]); d < c.earliest || d > c.latest {
					t.Errorf("tried again after %v, want %v to %v", d, c.earliest, c.latest)
				}
			})
		})
	}
}

func TestSupervisor_StatusTellsSinceWhenAndWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &scriptedSource{runs: []func(context.Context, Output) error{streams(25, 0), fails("no route to it"), fails("no answer")}}
		s := NewSupervisor(src, &recordingOutput{}, SupervisorOptions{})
		if got := s.Status(); got.State != Connecting {
			t.Errorf("state before Run: %v", got.State)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		start := time.Now()
		go func() { done <- s.Run(ctx) }()

		wait(ctx, 500*time.Millisecond)
		want := Status{State: Live, Since: start.Add(40 * time.Millisecond)}
		if diff := cmp.Diff(want, s.Status()); diff != "" {
			t.Errorf("while streaming (-want +got):\n%s", diff)
		}
		wait(ctx, time.Minute)
		got := s.Status()
		if got.State != Offline || !got.Since.Equal(start.Add(time.Second)) || got.Reason != "no answer" || got.Failures < 5 {
			t.Errorf("after an outage of a minute: %+v", got)
		}
		cancel()
		<-done
	})
}

func TestSupervisor_OneLogLinePerChangeOfState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var buf bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&buf, nil))
		f := fails("cannot reach the camera")
		src := &scriptedSource{runs: []func(context.Context, Output) error{f, f, f, f, f, streams(25, 0), f}}
		supervise(t, src, &recordingOutput{}, 5*time.Minute, SupervisorOptions{Logger: logger, Name: "front"})
		lines := strings.Split(strings.TrimSpace(buf.String()), "\n")
		if len(lines) != 3 { // offline, live, offline because the connection ended; then the known reason again
			t.Errorf("%d lines, want 3:\n%s", len(lines), buf.String())
		}
		for i, want := range []string{"cannot reach the camera", "camera is live", "closed the connection"} {
			if i < len(lines) && (!strings.Contains(lines[i], want) || !strings.Contains(lines[i], "camera=front")) {
				t.Errorf("line %d: %s\nwant %q", i, lines[i], want)
			}
		}
	})
}

func TestSupervisor_RepeatedFailureIsLoggedAgainWithItsCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var buf bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&buf, nil))
		src := &scriptedSource{runs: []func(context.Context, Output) error{fails("no")}}
		supervise(t, src, &recordingOutput{}, 35*time.Minute, SupervisorOptions{Logger: logger})
		if n := strings.Count(buf.String(), "camera is offline"); n != 4 {
			t.Errorf("%d lines in 35 minutes, want 4:\n%s", n, buf.String())
		}
		if n := strings.Count(buf.String(), "held_back="); n != 3 {
			t.Errorf("%d lines with a count, want 3:\n%s", n, buf.String())
		}
	})
}

func TestSupervisor_PTSGoesOnRisingByWallTimeAcrossConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &recordingOutput{}
		src := &scriptedSource{runs: []func(context.Context, Output) error{streams(25, 0), streams(25, 1<<40), streams(25, -5), hangs}}
		supervise(t, src, out, 10*time.Second, SupervisorOptions{DataTimeout: time.Hour, ConnectTimeout: time.Hour})
		pts := out.pts(0)
		if len(pts) != 75 {
			t.Fatalf("%d units, want 75", len(pts))
		}
		for i := 1; i < len(pts); i++ {
			step := pts[i] - pts[i-1]
			if i%25 != 0 {
				if step != 3600 {
					t.Errorf("step %d within a connection, want 3600", step)
				}
				continue
			}
			gap := src.started[i/25].Sub(src.started[i/25-1]) - time.Second + 40*time.Millisecond
			if want := int64(gap * 90000 / time.Second); step < want-1 || step > want+1 {
				t.Errorf("step %d across a reconnect, want %d (%v)", step, want, gap)
			}
		}
		if out.interrupted != 3 {
			t.Errorf("interrupted %d times, want 3", out.interrupted)
		}
	})
}

func TestSupervisor_WatchdogEndsAConnectionWithoutData(t *testing.T) {
	tests := map[string]struct {
		run    func(context.Context, Output) error
		within time.Duration
		reason string
	}{
		"no tracks": {hangs, 45 * time.Second, "did not start a stream within 45s"},
		"no data": {func(ctx context.Context, out Output) error {
			out.SetTracks(videoTracks())
			return hangs(ctx, out)
		}, 10 * time.Second, "no data for 10s"},
		"data stops": {func(ctx context.Context, out Output) error {
			_ = streams(25, 0)(ctx, out)
			return hangs(ctx, out)
		}, 11 * time.Second, "no data for 10s"},
		"picture freezes, sound goes on": {func(ctx context.Context, out Output) error {
			out.SetTracks(append(videoTracks(), codecs.Track{Codec: codecs.PCMU, ClockRate: 8000, Channels: 1}))
			out.WriteUnit(&codecs.Unit{Key: true})
			for i := int64(0); wait(ctx, 20*time.Millisecond); i++ {
				out.WriteUnit(&codecs.Unit{Track: 1, PTS: i * 160, Key: true})
			}
			return ctx.Err()
		}, 10 * time.Second, "no data for 10s"},
		"no key frame": {func(ctx context.Context, out Output) error {
			out.SetTracks(videoTracks())
			for i := int64(0); wait(ctx, 40*time.Millisecond); i++ {
				out.WriteUnit(&codecs.Unit{PTS: i * 3600})
			}
			return ctx.Err()
		}, 15 * time.Second, "no key frame for 15s"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				src := &scriptedSource{runs: []func(context.Context, Output) error{tt.run}}
				s := supervise(t, src, &recordingOutput{}, tt.within+10*time.Millisecond, SupervisorOptions{})
				if got := s.Status(); got.State != Offline || !strings.Contains(got.Reason, tt.reason) {
					t.Errorf("status %+v, want offline with %q", got, tt.reason)
				}
				if name == "no key frame" && (src.keyFrames < 10 || src.keyFrames > 15) {
					t.Errorf("asked for a key frame %d times in 15s, want about one a second", src.keyFrames)
				}
			})
		})
	}
}

func TestSupervisor_AudioOnlyIsLiveWithoutKeyFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &scriptedSource{runs: []func(context.Context, Output) error{func(ctx context.Context, out Output) error {
			out.SetTracks([]codecs.Track{{Codec: codecs.PCMU, ClockRate: 8000, Channels: 1}})
			for i := int64(0); wait(ctx, 20*time.Millisecond); i++ {
				out.WriteUnit(&codecs.Unit{PTS: i * 160, Key: true})
			}
			return ctx.Err()
		}}}
		if s := supervise(t, src, &recordingOutput{}, time.Minute, SupervisorOptions{}); s.Status().State != Live {
			t.Errorf("status %+v, want live", s.Status())
		}
	})
}

func TestSupervisor_WarningsShowUntilWithdrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var buf bytes.Buffer
		out := &recordingOutput{}
		warn := func(ctx context.Context, o Output) error {
			o.Warn("b-frames", "set B-frames to 0")
			o.Warn("audio", "choose G.711")
			o.Warn("audio", "")
			return streams(25, 0)(ctx, o)
		}
		src := &scriptedSource{runs: []func(context.Context, Output) error{warn, warn, hangs}}
		s := NewSupervisor(src, out, SupervisorOptions{Logger: slog.New(slog.NewTextHandler(&buf, nil))})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		wait(ctx, 500*time.Millisecond)
		want := []Warning{{Kind: "b-frames", Text: "set B-frames to 0"}}
		if diff := cmp.Diff(want, s.Status().Warnings); diff != "" {
			t.Errorf("warnings (-want +got):\n%s", diff)
		}
		<-done
		if got := s.Status().Warnings; len(got) != 0 {
			t.Errorf("warnings of a connection that is over: %v", got)
		}
		if n := strings.Count(buf.String(), "set B-frames to 0"); n != 1 {
			t.Errorf("warning logged %d times, want once", n)
		}
	})
}

func TestSupervisor_SlowWatcherSeesTheLastStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &scriptedSource{runs: []func(context.Context, Output) error{fails("one"), fails("two"), streams(25, 0), fails("three"), hangs}}
		s := NewSupervisor(src, &recordingOutput{}, SupervisorOptions{ConnectTimeout: time.Hour})
		statuses, stop := s.Watch()
		if got := (<-statuses).State; got != Connecting {
			t.Errorf("first status %v, want connecting", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_ = s.Run(ctx)
		if got := (<-statuses).Reason; got != "three" {
			t.Errorf("reason %q, want the last", got)
		}
		stop()
		stop()
		if _, open := <-statuses; open {
			t.Error("the channel is open after stop")
		}
	})
}

func TestSupervisor_DropsWhatComesAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &recordingOutput{}
		var late Output
		src := &scriptedSource{runs: []func(context.Context, Output) error{func(_ context.Context, o Output) error {
			late = o
			o.SetTracks(videoTracks())
			return errors.New("over")
		}}}
		supervise(t, src, out, 100*time.Millisecond, SupervisorOptions{})
		late.WriteUnit(&codecs.Unit{Key: true})
		if len(out.units) != 0 {
			t.Error("a unit of a connection that is over was handed on")
		}
	})
}
