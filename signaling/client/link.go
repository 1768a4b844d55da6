package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/sightline-cam/sightline/signaling"
)

// closeTimeout bounds the closing handshake with a server that may be gone, or
// hostile.
const closeTimeout = time.Second

// link is one connection to the server.
type link struct {
	// constant after construction
	client *Client
	ws     *websocket.Conn
	body   io.Closer // the connection under ws

	mu sync.Mutex
	// guarded by mu
	last *signaling.ServerError // what the server said about the connection
}

// connect runs one connection from dialling to its end, and returns how long it
// was registered and why it ended.
func (c *Client) connect(ctx context.Context) (online time.Duration, err error) {
	l, err := c.dial(ctx)
	if err != nil {
		return 0, err
	}
	started := time.Now()
	c.log.Info("signaling is up", "server", c.target.host)
	c.setState(StateOnline, nil)
	err = l.run(ctx)
	return time.Since(started), err
}

// dial connects and registers within ConnectTimeout.
func (c *Client) dial(ctx context.Context) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opts.ConnectTimeout)
	defer cancel()
	keeper := &bodyKeeper{base: c.dialer.Transport}
	httpClient := *c.dialer
	httpClient.Transport = keeper
	// A redirect could lead from wss to ws, and to a host that was not dialled.
	httpClient.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	o := &websocket.DialOptions{
		HTTPClient:      &httpClient,
		Subprotocols:    []string{signaling.Subprotocol},
		CompressionMode: websocket.CompressionDisabled,
	}
	ws, resp, err := websocket.Dial(ctx, c.target.url, o) //nolint:bodyclose // the library says that it need not be
	if err != nil {
		return nil, dialError(c.target, resp, err)
	}
	ws.SetReadLimit(signaling.MaxFrame)
	l := &link{client: c, ws: ws, body: keeper.body}
	if err := l.register(ctx); err != nil {
		_ = l.body.Close() // a server that does not finish the registration may not finish a closing handshake
		_ = ws.CloseNow()
		return nil, fmt.Errorf("register at signaling server %s: %w", c.target.host, err)
	}
	return l, nil
}

func (l *link) register(ctx context.Context) error {
	if l.ws.Subprotocol() != signaling.Subprotocol {
		return errors.New("it speaks another protocol; check the URL")
	}
	f, err := l.readFrame(ctx)
	if err != nil {
		return err
	}
	challenge, ok := f.(*signaling.Challenge)
	if !ok {
		return fmt.Errorf("%w: no challenge", signaling.ErrMessage)
	}
	c := l.client
	jws, err := signaling.SignRegistration(c.opts.Identity, challenge.Nonce, c.target.host, c.resume)
	if err != nil {
		return err
	}
	data, err := signaling.EncodeFrame(&signaling.Register{JWS: jws, Keys: c.opts.Identity.KeyStatement()})
	if err != nil {
		return err
	}
	if err := l.ws.Write(ctx, websocket.MessageText, data); err != nil {
		return err
	}
	c.backlog.rewind()
	// Right behind the registration: a viewer's lookup then costs no time.
	if err := l.flush(ctx, false); err != nil {
		return err
	}
	f, err = l.readFrame(ctx)
	if err != nil {
		return err
	}
	switch f := f.(type) {
	case *signaling.Registered:
		if f.ID != c.opts.Identity.PeerID() {
			return fmt.Errorf("%w: registered as somebody else", signaling.ErrMessage)
		}
		if c.resume != "" && !f.Resumed {
			c.log.Info("signaling server did not know this peer any more; messages may be lost", "server", c.target.host)
		}
		c.resume = f.Resume
		c.setService(Service{STUN: c.admitted(f.STUN), Relay: f.Relay})
		return nil
	case *signaling.ServerError:
		return f
	}
	return fmt.Errorf("%w: no registration", signaling.ErrMessage)
}

// run carries messages until the connection or ctx ends. It waits for its
// goroutines.
func (l *link) run(ctx context.Context) error {
	// A read whose context ends kills the connection, so that the farewell below
	// could not be said.
	inner, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	for _, work := range []func(context.Context) error{l.read, l.write, l.ping} {
		wg.Go(func() { cancel(work(inner)) })
	}
	select {
	case <-ctx.Done():
	case <-inner.Done():
	}
	force := time.AfterFunc(closeTimeout, func() { _ = l.body.Close() })
	if inner.Err() == nil {
		_ = l.ws.Close(websocket.StatusNormalClosure, "") // the server may be gone
	} else {
		_ = l.ws.CloseNow()
	}
	cancel(context.Cause(ctx))
	wg.Wait()
	force.Stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last != nil {
		return l.last
	}
	return context.Cause(inner)
}

func (l *link) readFrame(ctx context.Context) (signaling.Frame, error) {
	kind, data, err := l.ws.Read(ctx)
	if err != nil {
		return nil, fmt.Errorf("the server closed the connection: %w", err)
	}
	if kind != websocket.MessageText {
		return nil, fmt.Errorf("%w: not a text message", signaling.ErrMessage)
	}
	return signaling.DecodeFrame(data)
}

func (l *link) read(ctx context.Context) error {
	for {
		f, err := l.readFrame(ctx)
		if err != nil {
			return err
		}
		switch f := f.(type) {
		case *signaling.Delivery:
			l.client.receive(*f)
		case *signaling.Sent:
			err = l.client.backlog.answer(f.Ref, signaling.FrameSent, reply{})
		case *signaling.Keys:
			err = l.client.backlog.answer(f.Ref, signaling.FrameKeys, reply{keys: f.Keys})
		case *signaling.RelayAnswer:
			err = l.client.backlog.answer(f.Ref, signaling.FrameRelay, reply{relay: f.ICE})
		case *signaling.ServerError:
			l.failed(f)
		default:
			err = fmt.Errorf("%w: unexpected frame", signaling.ErrMessage)
		}
		if err != nil {
			return err
		}
	}
}

// failed takes an error of the server: about a message, or about the connection.
func (l *link) failed(f *signaling.ServerError) {
	switch {
	case f.Ref == 0:
		l.mu.Lock()
		l.last = f
		l.mu.Unlock()
	case f.Code == signaling.CodeUnreachable:
		if !l.client.backlog.finish(f.Ref, reply{err: ErrUnreachable}) {
			l.client.log.Debug("a message was held, but nobody came for it")
		}
	case f.Code == signaling.CodeForbidden, f.Code == signaling.CodeUnsupported:
		l.client.backlog.finish(f.Ref, reply{err: fmt.Errorf("%w: %w", ErrNoRelay, f)})
	default:
		l.client.backlog.finish(f.Ref, reply{err: fmt.Errorf("%w: %w", ErrNotSent, f)})
	}
}

func (l *link) write(ctx context.Context) error {
	for {
		if err := l.flush(ctx, true); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-l.client.backlog.wake:
		}
	}
}

// flush writes what waits to be written.
func (l *link) flush(ctx context.Context, registered bool) error {
	backlog := l.client.backlog
	for frame := backlog.next(registered); frame != nil; frame = backlog.next(registered) {
		bounded, cancel := context.WithTimeout(ctx, l.client.opts.PingTimeout)
		err := l.ws.Write(bounded, websocket.MessageText, frame)
		cancel()
		if err != nil {
			return fmt.Errorf("write to the server: %w", err)
		}
	}
	return nil
}

func (l *link) ping(ctx context.Context) error {
	ticker := time.NewTicker(l.client.opts.PingInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
			if err := l.pong(ctx, l.client.opts.PingTimeout); err != nil {
				return err
			}
		case <-l.client.probe:
			if err := l.pong(ctx, min(probeTimeout, l.client.opts.PingTimeout)); err != nil {
				return err
			}
		}
	}
}

// pong asks the server for a sign of life.
func (l *link) pong(ctx context.Context, patience time.Duration) error {
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := l.ws.Ping(bounded); err != nil {
		return fmt.Errorf("the server does not answer: %w", err)
	}
	return nil
}

// dialError says in words what an HTTP answer means.
func dialError(t target, resp *http.Response, err error) error {
	if resp == nil {
		return fmt.Errorf("connect to signaling server %s: %w", t.host, withoutURL(err))
	}
	reason := "is that a signaling server? Check the URL"
	switch resp.StatusCode {
	case http.StatusMisdirectedRequest:
		reason = "it does not answer to that name: add it to the server's allowed hosts, or use another of its names"
	case http.StatusForbidden:
		reason = "it refuses this origin"
	case http.StatusTooManyRequests:
		reason = "too many connections from this address"
	case http.StatusServiceUnavailable:
		reason = "it is full or shutting down"
	}
	return fmt.Errorf("connect to signaling server %s: HTTP status %d: %s", t.host, resp.StatusCode, reason)
}

// withoutURL takes the repeated URL out of a dial error.
func withoutURL(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// bodyKeeper keeps hold of the connection under a WebSocket, whose own closing
// handshake a hostile server could draw out for ever.
type bodyKeeper struct {
	base http.RoundTripper // nil: the default transport
	body io.Closer         // of the last response
}

// RoundTrip implements http.RoundTripper.
func (k *bodyKeeper) RoundTrip(r *http.Request) (*http.Response, error) {
	base := k.base
	if base == nil {
		base = http.DefaultTransport
	}
	resp, err := base.RoundTrip(r)
	if err == nil {
		k.body = resp.Body
	}
	return resp, err
}
