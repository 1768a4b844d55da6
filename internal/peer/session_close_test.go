package peer

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

// A session may be closed at the very moment at which its path changes: pion waits for
// what is told of the path, with a lock held.
func TestSession_EndsWhileItsPathChanges(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	e, err := Listen(EndpointOptions{Certificate: testCertificate(t), Addr: "127.0.0.1:0", Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	told, closed := make(chan struct{}), make(chan error, 1)
	signal := AnswerOnly(func(ctx context.Context, offer string) (string, error) {
		s, answer, err := e.Answer(ctx, Offer{SDP: offer})
		if err != nil {
			return "", err
		}
		path := s.pc.SCTP().Transport().ICETransport()
		var once sync.Once
		path.OnSelectedCandidatePairChange(func(p *webrtc.ICECandidatePair) {
			once.Do(func() {
				go func() { closed <- s.Close() }()
				for isFree(path) {
				}
				s.pathSelected(p)
				close(told)
			})
		})
		return answer, nil
	})
	var dial sync.WaitGroup
	dialing, hangUp := context.WithCancel(ctx)
	dial.Go(func() {
		if conn, err := Dial(dialing, DialOptions{Loopback: true, Certificate: testCertificate(t), Signal: signal}); err == nil {
			_ = conn.Close()
		}
	})
	select {
	case <-told:
	case <-ctx.Done():
		t.Fatal("the session closes, and the change of its path waits for that")
	}
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-ctx.Done():
		t.Fatal("the session does not end")
	}
	hangUp()
	dial.Wait()
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// isFree reports whether the connection's own methods return: while pion closes the
// connection they wait.
func isFree(path *webrtc.ICETransport) bool {
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		_, _ = path.GetSelectedCandidatePair()
	}()
	select {
	case <-asked:
		return true
	case <-time.After(time.Second):
		return false
	}
}
