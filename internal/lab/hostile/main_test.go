package hostile

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
	"github.com/sightline-cam/sightline/signaling/client"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what should happen at once.
const patience = time.Minute

func listen(t *testing.T) *Server {
	t.Helper()
	s, err := Listen(Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// guest is a peer with the real signaling client.
type guest struct {
	*client.Client
	t    *testing.T
	key  *identity.Identity
	mail chan Delivery
}

func join(t *testing.T, s *Server) *guest {
	t.Helper()
	id, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	g := &guest{t: t, key: id, mail: make(chan Delivery, 16)}
	g.Client, err = client.New(client.Options{
		URL: s.URL(), Identity: id,
		OnMessage: func(_ context.Context, from identity.PeerID, payload string) {
			g.mail <- Delivery{From: from, To: id.PeerID(), Payload: payload}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = g.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	if err := s.Registered(g.soon(), id.PeerID()); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *guest) soon() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	g.t.Cleanup(cancel)
	return ctx
}

func (g *guest) send(to *guest, payload string) {
	g.t.Helper()
	if err := g.Send(g.soon(), to.key.PeerID(), payload); err != nil {
		g.t.Fatal(err)
	}
}

// next returns the next message.
func (g *guest) next() Delivery {
	g.t.Helper()
	select {
	case d := <-g.mail:
		return d
	case <-g.soon().Done():
		g.t.Fatal("no message")
		return Delivery{}
	}
}

// gets expects payloads from a peer, in order, and nothing before them.
func (g *guest) gets(from *guest, payloads ...string) {
	g.t.Helper()
	for _, want := range payloads {
		if d := g.next(); d.Payload != want || d.From != from.key.PeerID() {
			g.t.Fatalf("got %q from %s, want %q from %s", d.Payload, d.From.Short(), want, from.key.PeerID().Short())
		}
	}
}

// looksUp asks for a peer's statement and believes the key in it.
func (g *guest) looksUp(of *guest) (statement string, key identity.AgreementKey) {
	g.t.Helper()
	statement, err := g.Lookup(g.soon(), of.key.PeerID())
	if err != nil {
		g.t.Fatal(err)
	}
	if key, err = keyIn(statement); err != nil {
		g.t.Fatal(err)
	}
	return statement, key
}

// opens reads a message that came, without any check.
func (g *guest) opens(d Delivery) Opened {
	g.t.Helper()
	o, err := Open(g.key, d.Payload)
	if err != nil {
		g.t.Fatal(err)
	}
	return o
}

func isLookup(r Record) bool {
	_, ok := r.Frame.(*signaling.Lookup)
	return ok
}
