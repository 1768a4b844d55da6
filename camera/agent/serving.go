package agent

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/sightline-cam/sightline/internal/peer"
)

// open answers an offer and enters the session. Errors: peer.ErrBadOffer,
// peer.ErrBusy, and others that are the agent's own.
func (a *Agent) open(ctx context.Context, s *session, o peer.Offer) (answer string, err error) {
	p := a.publisher.Load()
	if p == nil {
		return "", peer.ErrBusy
	}
	if err := a.sessions.reserve(s.place); err != nil {
		if old := a.sessions.overstayed(s.place, time.Now()); old != nil {
			a.watching.Go(func() { a.end(ctx, old, "Somebody else waits to show a secret.") })
		}
		return "", err
	}
	answering, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	media, answer, err := (*p).Answer(answering, o)
	if err != nil {
		a.sessions.cancel(s.place)
		return "", err
	}
	return answer, a.enter(ctx, s, media)
}

// enter enters a session for which a place was reserved.
func (a *Agent) enter(ctx context.Context, s *session, media mediaSession) error {
	s.media, s.started, s.limit = media, time.Now(), newLimiter(maxRequestsPerSession)
	s.events = newLimiter(maxEventsPerSession)
	s.restarts = rate.NewLimiter(rate.Every(restartEvery), restartBurst)
	s.relays = rate.NewLimiter(rate.Every(sessionRelayEvery), sessionRelays)
	if s.intro != nil {
		s.later = make(chan func(), maxLater)
	}
	oldest, ok := a.sessions.add(s)
	if !ok {
		return errors.Join(peer.ErrBusy, media.Close())
	}
	for _, old := range oldest {
		a.watching.Go(func() { a.end(ctx, old, "A newer connection of this device took its place.") })
	}
	go a.attend(s) // add has counted it
	return nil
}

// A session may restart ICE so often: each restart begins new checks of whatever
// addresses the viewer names.
const (
	restartEvery = 2 * time.Second
	restartBurst = 5
)

// maxLater bounds the messages of a session that wait their turn.
const maxLater = 64

// inOrder does what came by signaling, one thing after the other, until the
// session ends: candidates belong to the restart before them.
func (s *session) inOrder() {
	for {
		select {
		case f := <-s.later:
			f()
		case <-s.media.Done():
			return
		}
	}
}

// attend serves a session's data channels until it ends.
func (a *Agent) attend(s *session) {
	var wg sync.WaitGroup
	wg.Go(func() { _ = a.channels.Serve(&sessionListener{Listener: s.media.Listener(), session: s}) })
	if s.later != nil {
		wg.Go(s.inOrder)
	}
	noted, from := false, ""
	if a.awaitPath(s) {
		from = s.address()
		noted = a.journal.came(time.Now(), s, from)
	}
	a.awaitEnd(s)
	_ = s.media.Listener().Close()
	wg.Wait()
	left := a.log.With("session", s.logID(), "via", s.via)
	if err := s.media.Err(); err != nil {
		left = left.With("error", err)
	}
	left.Info("a viewer left")
	if noted {
		a.journal.left(s, from, time.Now())
	}
	a.sessions.remove(s)
}

// awaitPath waits until the viewer is connected, and reports whether it ever
// was. A session that finds no path in time is ended: ICE has nothing to fail
// over while no candidate of the viewer ever comes.
func (a *Agent) awaitPath(s *session) (connected bool) {
	patience := connectTimeout
	if s.place == placeOfClaim {
		patience = claimConnect // there are few places, and anybody can ask for one
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-s.media.Connected():
		return true
	case <-s.media.Done():
	case <-timer.C:
		_ = s.media.Close()
	}
	select {
	case <-s.media.Connected(): // both at once
		return true
	default:
		return false
	}
}

// awaitEnd waits until the session has ended. One for a claim has little time.
func (a *Agent) awaitEnd(s *session) {
	if s.place != placeOfClaim {
		<-s.media.Done()
		return
	}
	timer := time.NewTimer(time.Until(s.started.Add(claimLife)))
	defer timer.Stop()
	select {
	case <-s.media.Done():
	case <-timer.C:
		_ = s.media.Close()
	}
}

// end closes a session and tells the viewer why, where there is a way to: for a
// moment only, since the way may be long or dead and the picture must stop.
func (a *Agent) end(ctx context.Context, s *session, reason string) {
	if s.ending.Swap(true) {
		return
	}
	if s.intro != nil && a.signal != nil {
		if bye, err := s.intro.Bye(time.Now(), reason); err == nil {
			ctx, cancel := context.WithTimeout(ctx, farewell)
			defer cancel()
			a.send(ctx, s.key.viewer, bye)
		}
	}
	_ = s.media.Close()
}

// sessionListener is a session's data channels, for a.channels.
type sessionListener struct {
	net.Listener
	session *session
}

type sessionContextKey struct{}

// sessionContext gives every request over a data channel its session.
func sessionContext(l net.Listener) context.Context {
	if sl, ok := l.(*sessionListener); ok {
		return context.WithValue(context.Background(), sessionContextKey{}, sl.session)
	}
	return context.Background()
}

// sessionOf returns the session that a request came over; nil for one that came
// another way.
func sessionOf(r *http.Request) *session {
	s, _ := r.Context().Value(sessionContextKey{}).(*session)
	return s
}
