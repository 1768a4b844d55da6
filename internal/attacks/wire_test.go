package attacks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/coder/websocket"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

// wire is a connection to a signaling server that says whatever it is told to.
// Its methods belong to one goroutine.
type wire struct {
	// Constant.
	ws     *websocket.Conn
	host   string
	frames chan signaling.Frame // closed when the server hangs up
	ended  chan error           // capacity 1: why

	ref  int64
	mail []*signaling.Delivery // came while something else was waited for
}

// statusError is an HTTP answer instead of a WebSocket.
type statusError int

// Error implements error.
func (e statusError) Error() string {
	return fmt.Sprintf("HTTP %d %s", int(e), http.StatusText(int(e)))
}

// connect opens a WebSocket at a server ("http://host:port"); header and host
// are sent if given.
func (w *world) connect(base string, client *http.Client, header http.Header) (*wire, error) {
	o := &websocket.DialOptions{
		Subprotocols: []string{signaling.Subprotocol}, HTTPHeader: header, HTTPClient: client,
		CompressionMode: websocket.CompressionDisabled,
	}
	if o.HTTPClient == nil {
		o.HTTPClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	}
	host := strings.TrimPrefix(base, "http://")
	if header != nil && header.Get("Host") != "" {
		o.Host, host = header.Get("Host"), header.Get("Host")
	}
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	ws, res, err := websocket.Dial(ctx, base+signaling.Path, o) //nolint:bodyclose // the library says that it need not be
	if err != nil {
		if res != nil && res.StatusCode != http.StatusSwitchingProtocols {
			return nil, statusError(res.StatusCode)
		}
		return nil, err
	}
	ws.SetReadLimit(signaling.MaxFrame)
	x := &wire{ws: ws, host: signaling.CanonicalHost(host), frames: make(chan signaling.Frame, 256), ended: make(chan error, 1)}
	read, stop := context.WithCancel(w.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		x.read(read)
	}()
	w.Cleanup(func() {
		stop()
		_ = ws.CloseNow()
		<-done
	})
	return x, nil
}

func (x *wire) read(ctx context.Context) {
	defer close(x.frames)
	for {
		_, data, err := x.ws.Read(ctx)
		if err != nil {
			x.ended <- err
			return
		}
		f, err := signaling.DecodeFrame(data)
		if err != nil {
			x.ended <- fmt.Errorf("the server sent %.200q: %w", data, err)
			return
		}
		select {
		case x.frames <- f:
		case <-ctx.Done():
			x.ended <- ctx.Err()
			return
		}
	}
}

// hangUp closes the connection politely, so that the server forgets the peer.
func (x *wire) hangUp() { _ = x.ws.Close(websocket.StatusNormalClosure, "") }

// write sends a frame, raw sends bytes.
func (x *wire) write(ctx context.Context, f signaling.Frame) error {
	data, err := signaling.EncodeFrame(f)
	if err != nil {
		return err
	}
	return x.raw(ctx, data)
}

func (x *wire) raw(ctx context.Context, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return x.ws.Write(ctx, websocket.MessageText, data)
}

// next returns the next frame. A connection that the server closed is a
// websocket.CloseError.
func (x *wire) next(ctx context.Context) (signaling.Frame, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case f, ok := <-x.frames:
		if ok {
			return f, nil
		}
		err := <-x.ended
		x.ended <- err
		return nil, err
	case <-ctx.Done():
		return nil, fmt.Errorf("no frame from the server: %w", ctx.Err())
	}
}

// challenge waits for the server's challenge.
func (x *wire) challenge(ctx context.Context) (signaling.Token, error) {
	f, err := x.next(ctx)
	if err != nil {
		return "", err
	}
	c, ok := f.(*signaling.Challenge)
	if !ok {
		return "", fmt.Errorf("%T instead of a challenge", f)
	}
	return c.Nonce, nil
}

// register proves id to the server.
func (x *wire) register(ctx context.Context, id *identity.Identity) error {
	nonce, err := x.challenge(ctx)
	if err != nil {
		return err
	}
	proof, err := signaling.SignRegistration(id, nonce, x.host, "")
	if err != nil {
		return err
	}
	return x.registerBy(ctx, proof, id.KeyStatement())
}

// registerBy sends a proof, whoever made it, and waits to be registered.
func (x *wire) registerBy(ctx context.Context, proof, keys string) error {
	if err := x.write(ctx, &signaling.Register{JWS: proof, Keys: keys}); err != nil {
		return err
	}
	f, err := x.next(ctx)
	if err != nil {
		return err
	}
	switch f := f.(type) {
	case *signaling.Registered:
		return nil
	case *signaling.ServerError:
		return f
	}
	return fmt.Errorf("%T instead of a registration", f)
}

// await returns the first frame that is wanted and puts deliveries aside.
func (x *wire) await(ctx context.Context, wanted func(signaling.Frame) bool) (signaling.Frame, error) {
	for {
		f, err := x.next(ctx)
		if err != nil {
			return nil, err
		}
		if wanted(f) {
			return f, nil
		}
		if d, ok := f.(*signaling.Delivery); ok {
			x.mail = append(x.mail, d)
		}
	}
}

// lookup asks for a peer's key statement.
func (x *wire) lookup(ctx context.Context, of identity.PeerID) (string, error) {
	x.ref++
	ref := x.ref
	if err := x.write(ctx, &signaling.Lookup{To: of, Ref: ref}); err != nil {
		return "", err
	}
	f, err := x.await(ctx, func(f signaling.Frame) bool {
		k, keys := f.(*signaling.Keys)
		e, failed := f.(*signaling.ServerError)
		return keys && k.Ref == ref || failed && e.Ref == ref
	})
	if err != nil {
		return "", err
	}
	if e, ok := f.(*signaling.ServerError); ok {
		return "", e
	}
	return f.(*signaling.Keys).Keys, nil
}

// send passes a payload on and waits until the server has taken it.
func (x *wire) send(ctx context.Context, to identity.PeerID, payload string) error {
	x.ref++
	ref := x.ref
	if err := x.write(ctx, &signaling.Send{To: to, Ref: ref, Ack: true, Payload: payload}); err != nil {
		return err
	}
	f, err := x.await(ctx, func(f signaling.Frame) bool {
		s, sent := f.(*signaling.Sent)
		e, failed := f.(*signaling.ServerError)
		return sent && s.Ref == ref || failed && e.Ref == ref
	})
	if err != nil {
		return err
	}
	if e, ok := f.(*signaling.ServerError); ok {
		return e
	}
	return nil
}

// receive returns the next message from somebody.
func (x *wire) receive(ctx context.Context) (*signaling.Delivery, error) {
	if len(x.mail) > 0 {
		d := x.mail[0]
		x.mail = x.mail[1:]
		return d, nil
	}
	f, err := x.await(ctx, func(f signaling.Frame) bool { _, ok := f.(*signaling.Delivery); return ok })
	if err != nil {
		return nil, err
	}
	return f.(*signaling.Delivery), nil
}

// serverCode returns the code of the server's error, or "".
func serverCode(err error) signaling.ErrorCode {
	var e *signaling.ServerError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
