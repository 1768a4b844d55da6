package whep

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/internal/peer"
)

const (
	// defaultTimeout is Options.Timeout's default.
	defaultTimeout = 15 * time.Second
	// deleteTimeout bounds the DELETE of Close.
	deleteTimeout = 3 * time.Second
	// maxAnswer is the longest answer that is read, in bytes.
	maxAnswer = 64 << 10
)

// Options say what to watch.
type Options struct {
	// URL is the stream's WHEP endpoint, http or https. Required.
	URL string
	// Token is sent as a bearer token; empty sends none.
	Token string
	// NoVideo and NoAudio leave out a picture or sound.
	NoVideo, NoAudio bool
	// Timeout bounds Dial; default 15 s.
	Timeout time.Duration
	// Patience is how long a lost packet is waited for; default 500 ms.
	Patience time.Duration
	// Loopback uses the loopback interface too, for a server on the same
	// machine.
	Loopback bool
	// HTTPClient sends the requests; nil is a client of its own.
	HTTPClient *http.Client
	// Logger takes what happens; nil discards.
	Logger *slog.Logger
}

// StatusError says that the server refused.
type StatusError struct {
	// Status is the HTTP status.
	Status int
}

// Error implements error, with what to do next.
func (e *StatusError) Error() string {
	hint := ""
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		hint = ": check the token"
	case http.StatusNotFound:
		hint = ": check the camera's name in the URL"
	case http.StatusNotAcceptable, http.StatusUnsupportedMediaType:
		hint = ": is this the URL of a WHEP endpoint?"
	case http.StatusServiceUnavailable, http.StatusConflict:
		hint = ": the stream is not live or the server is full; try again later"
	}
	return fmt.Sprintf("the WHEP server answered %d %s%s", e.Status, http.StatusText(e.Status), hint)
}

// Session is a stream that is being watched. Safe for concurrent use.
type Session struct {
	// Constant after Dial.
	o        Options
	conn     *peer.Conn
	frames   *peer.UnitReader
	watching sync.WaitGroup

	closeOnce sync.Once

	mu       sync.Mutex
	resource string // the session's URL, "" before the server named it
}

// Dial starts to watch and waits until media may flow. ctx and Options.Timeout
// end the attempt, not the session. A refusal is a *StatusError.
func Dial(ctx context.Context, o Options) (*Session, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, errors.New("whep: dial: the URL of a WHEP endpoint begins with http:// or https:// and a host")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.HTTPClient == nil {
		o.HTTPClient = &http.Client{}
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	s := &Session{o: o, frames: peer.NewUnitReader()}
	s.conn, err = peer.Dial(ctx, peer.DialOptions{
		Loopback: o.Loopback, Logger: o.Logger, NoData: true,
		Video: !o.NoVideo, Audio: !o.NoAudio, Patience: o.Patience,
		OnTrack: s.frames.AddTrack, Signal: peer.AnswerOnly(s.post),
	})
	if err != nil {
		s.remove() //nolint:contextcheck // ctx may be what ended
		return nil, fmt.Errorf("whep: dial %s: %w", u.Host, err)
	}
	s.watching.Go(func() {
		<-s.conn.Done()
		s.frames.End()
	})
	return s, nil
}

// post is peer.DialOptions.Signal.
func (s *Session) post(ctx context.Context, offer string) (string, error) {
	res, err := s.do(ctx, http.MethodPost, s.o.URL, offer)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusCreated {
		return "", &StatusError{Status: res.StatusCode}
	}
	resource, err := resolve(res.Request.URL, res.Header.Get("Location"))
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	s.resource = resource
	s.mu.Unlock()
	if t, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err != nil || t != "application/sdp" {
		return "", errors.New("the WHEP server's answer is not application/sdp: check the URL")
	}
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return "", fmt.Errorf("read the WHEP server's answer: %w", err)
	}
	if len(answer) > maxAnswer {
		return "", errors.New("the WHEP server's answer is too long")
	}
	return string(answer), nil
}

// do sends one request. Errors name no URL: its query may hold a secret.
func (s *Session) do(ctx context.Context, method, target, body string) (*http.Response, error) {
	var r io.Reader = http.NoBody
	if body != "" {
		r = bytes.NewReader([]byte(body))
	}
	req, err := http.NewRequestWithContext(ctx, method, target, r)
	if err != nil {
		return nil, errors.New("the URL cannot be requested")
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/sdp")
		req.Header.Set("Accept", "application/sdp")
	}
	if s.o.Token != "" {
		req.Header.Set("Authorization", "Bearer "+s.o.Token)
	}
	res, err := s.o.HTTPClient.Do(req)
	if err != nil {
		var withURL *url.Error
		if errors.As(err, &withURL) {
			err = withURL.Err
		}
		return nil, fmt.Errorf("%s to the WHEP server: %w", method, err)
	}
	return res, nil
}

// resolve returns the URL of the session that a server named in Location, which
// must be of the server itself: the token goes there.
func resolve(base *url.URL, location string) (string, error) {
	if strings.TrimSpace(location) == "" {
		return "", errors.New("the WHEP server names no session: its answer has no Location")
	}
	ref, err := url.Parse(location)
	if err != nil {
		return "", errors.New("the WHEP server's Location cannot be parsed")
	}
	u := base.ResolveReference(ref)
	if u.Scheme != base.Scheme || u.Host != base.Host || u.User != nil {
		return "", errors.New("the WHEP server's Location leads to another server")
	}
	u.Fragment = ""
	return u.String(), nil
}

// remove ends the session on the server.
func (s *Session) remove() {
	s.mu.Lock()
	resource := s.resource
	s.resource = ""
	s.mu.Unlock()
	if resource == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), deleteTimeout)
	defer cancel()
	res, err := s.do(ctx, http.MethodDelete, resource, "")
	if err != nil {
		s.o.Logger.Debug("WHEP session not deleted", "error", err)
		return
	}
	_ = res.Body.Close()
	if res.StatusCode >= http.StatusBadRequest && res.StatusCode != http.StatusNotFound {
		s.o.Logger.Debug("WHEP session not deleted", "status", res.StatusCode)
	}
}

// ReadUnit returns the next coded frame and its codec, waiting for it until ctx
// ends. After the session has ended it returns io.EOF if Close did it, else
// what Err says.
func (s *Session) ReadUnit(ctx context.Context) (*codecs.Unit, codecs.Codec, error) {
	t, u, err := s.frames.Read(ctx)
	if errors.Is(err, io.EOF) {
		if cause := s.Err(); cause != nil {
			return nil, codecs.Unknown, cause
		}
	}
	if err != nil {
		return nil, codecs.Unknown, err
	}
	return u, t.Codec(), nil
}

// Stats returns what is known of the session now.
func (s *Session) Stats() peer.ConnStats { return s.conn.Stats() }

// Done returns a channel that is closed once the session has ended.
func (s *Session) Done() <-chan struct{} { return s.conn.Done() }

// Err says why the session ended; nil while it goes on and after Close.
func (s *Session) Err() error {
	if err := s.conn.Err(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Close ends the session here and on the server, and waits for all goroutines.
// Idempotent.
func (s *Session) Close() error {
	s.closeOnce.Do(func() {
		s.remove()
		_ = s.conn.Close()
	})
	s.watching.Wait()
	return nil
}
