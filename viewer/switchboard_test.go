package viewer_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/viewer"
)

// lines is a log.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), what)
}

// Sessions of one key that have a connection each throw each other out; with one for
// all of them each gets what is its own, and says goodbye by itself.
func TestSwitchboard_SessionsOfOneKeyShareAConnection(t *testing.T) {
	const sessions = 4
	p := newPublisher(t, nil)
	id, err := viewer.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	log := &lines{}
	share := func(o *viewer.Options) {
		o.Identity = id
		o.Logger = slog.New(slog.NewTextHandler(log, nil))
	}
	board := &viewer.Switchboard{}
	var dialling sync.WaitGroup
	made := make([]*viewer.Session, sessions)
	for i := range made {
		dialling.Go(func() {
			s, err := p.dial(t, func(o *viewer.Options) { share(o); o.Switchboard = board })
			if err != nil {
				t.Error(err)
				return
			}
			made[i] = s
		})
	}
	dialling.Wait()
	if t.Failed() {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, s := range made {
		if _, err := s.ReadFrame(ctx); err != nil {
			t.Error(err)
		}
	}
	for _, s := range made {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		select {
		case <-p.byes:
		case <-time.After(patience):
			t.Error("the publisher was not told")
		}
	}
	if up, down := log.count("signaling is up"), log.count("signaling is down"); up != 1 || down != 0 {
		t.Errorf("%d connections to the server, %d of them lost; want one for all", up, down)
	}
	// The last has ended the connection; the next session makes a new one.
	s, err := p.dial(t, func(o *viewer.Options) { share(o); o.Switchboard = board })
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if up := log.count("signaling is up"); up != 2 {
		t.Errorf("%d connections, want 2", up)
	}
}
