package server

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

// conn is one WebSocket. serve owns it and three goroutines: a reader, a writer
// and one that pings.
type conn struct {
	// constant after construction
	srv       *Server
	ws        *websocket.Conn
	raw       net.Conn
	host      string // canonical, of this connection's request
	addr      *address
	challenge signaling.Token
	out       *outbox
	strikes   *rate.Limiter

	registered atomic.Bool

	// owned by the reader; serve reads them when the reader has ended
	id      identity.PeerID // "" until registered
	limiter *rate.Limiter

	once   sync.Once
	ending ending // written before ended is closed
	ended  chan struct{}
}

func newConn(s *Server, ws *websocket.Conn, raw net.Conn, host string, addr *address) *conn {
	return &conn{
		srv: s, ws: ws, raw: raw, host: host, addr: addr,
		challenge: signaling.NewToken(signaling.ChallengeSize),
		out:       newOutbox(&s.opts),
		strikes:   rate.NewLimiter(1, s.opts.Strikes),
		ended:     make(chan struct{}),
	}
}

// end says why the connection is to end; the first reason counts. It does not
// block and may be called from anywhere.
func (c *conn) end(e ending) {
	c.once.Do(func() {
		c.ending = e
		close(c.ended)
	})
}

// serve runs the connection to its end.
func (c *conn) serve(closing <-chan struct{}) {
	started := time.Now()
	c.ws.SetReadLimit(-1) // readMessage has a limit of its own, with an answer
	c.send(&signaling.Challenge{Nonce: c.challenge})

	var reader, writer, pinger sync.WaitGroup
	reader.Go(c.read)
	writer.Go(c.write)
	pinger.Go(c.ping)

	timer := time.NewTimer(c.srv.opts.RegisterTimeout)
	defer timer.Stop()
	for over := false; !over; {
		select {
		case <-timer.C:
			if !check.Off(check.Connections) && !c.registered.Load() {
				c.end(endUnauthenticated("no registration in time", refusedMute))
			}
		case <-closing:
			c.end(endClosing())
			closing = nil
		case <-c.ended:
			over = true
		}
	}
	// From here on everything is bounded, whatever the client does.
	deadline := time.Now().Add(c.srv.opts.CloseTimeout)
	_ = c.raw.SetDeadline(deadline) // fails only on a connection that is closed
	writer.Wait()
	c.farewell(deadline)
	reader.Wait()
	pinger.Wait()
	if c.id != "" {
		c.srv.router.unregister(time.Now(), c, c.id, !c.ending.left)
	}
	fault := c.ending.fault
	if c.registered.Load() {
		c.srv.addresses.unprove(time.Now(), c.addr, fault == "")
	}
	switch {
	case fault == "":
	case c.registered.Load():
		c.srv.offendAs(c.id, c.addr.prefix, fault)
	default:
		c.srv.offend(source{address: c.addr.prefix}, fault)
	}
	c.srv.log.Debug("signaling connection ended", "peer", c.id.Short(), "reason", c.ending.reason,
		"code", string(c.ending.code), "after", time.Since(started).Round(time.Millisecond))
}

// farewell tells the client why, and closes.
func (c *conn) farewell(deadline time.Time) {
	if c.ending.slow {
		c.srv.metrics.slow.Inc()
	}
	if fault := c.ending.fault; fault != "" {
		c.srv.metrics.refused.WithLabelValues(fault).Inc()
	}
	if code := c.ending.code; code != "" {
		c.srv.metrics.errors.WithLabelValues(string(code)).Inc()
		data, err := signaling.EncodeFrame(&signaling.ServerError{Code: code, Message: sentence(code)})
		if err == nil && !c.ending.slow {
			ctx, cancel := context.WithDeadline(context.Background(), deadline)
			_ = c.ws.Write(ctx, websocket.MessageText, data) // the client may be gone
			cancel()
		}
	}
	_ = c.ws.Close(c.ending.status, c.ending.reason) // the client may be gone
}

// read handles frames until the connection ends.
func (c *conn) read() {
	for {
		kind, data, err := c.readMessage()
		switch {
		case errors.Is(err, signaling.ErrMessage):
			c.end(endTooLarge())
			return
		case websocket.CloseStatus(err) == websocket.StatusNormalClosure,
			websocket.CloseStatus(err) == websocket.StatusGoingAway:
			c.end(endLeft())
			return
		case err != nil:
			c.end(endLost("the connection is lost"))
			return
		case kind != websocket.MessageText:
			c.end(endBadMessage("not a text message"))
			return
		}
		select {
		case <-c.ended:
			// Keep reading for the closing handshake, but obey no more.
			continue
		default:
		}
		if e, ok := c.handle(time.Now(), data); !ok {
			c.end(e)
			return
		}
	}
}

// readMessage reads one message of at most MaxFrame bytes. The library's own
// limit closes the connection before an error frame could be written.
func (c *conn) readMessage() (websocket.MessageType, []byte, error) {
	// No deadline: the pings notice a client that is gone, and the deadline of
	// the raw connection ends the closing handshake.
	kind, r, err := c.ws.Reader(context.Background())
	if err != nil {
		return 0, nil, err
	}
	if !check.Off(check.Form) {
		r = io.LimitReader(r, signaling.MaxFrame+1)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return 0, nil, err
	}
	if !check.Off(check.Form) && len(data) > signaling.MaxFrame {
		return 0, nil, signaling.ErrMessage
	}
	return kind, data, nil
}

// handle obeys one frame; ok is false if the connection must end.
func (c *conn) handle(now time.Time, data []byte) (e ending, ok bool) {
	tooMany := !c.addr.frames.AllowN(now, 1) || c.limiter != nil && !c.limiter.AllowN(now, 1)
	if !check.Off(check.Rate) && tooMany {
		return c.overLimit(now, data)
	}
	frame, err := decode(data)
	if err != nil {
		return endBadMessage("malformed frame"), false
	}
	switch f := frame.(type) {
	case *signaling.Register:
		c.srv.metrics.frames.WithLabelValues(string(signaling.FrameRegister)).Inc()
		if c.id != "" {
			return endBadMessage("registered already"), false
		}
		return c.register(f)
	case *signaling.Send:
		c.srv.metrics.frames.WithLabelValues(string(signaling.FrameSend)).Inc()
		if c.id == "" {
			return endUnauthenticated("a message before the registration", refusedProof), false
		}
		c.route(f)
		return ending{}, true
	case *signaling.Lookup:
		c.srv.metrics.frames.WithLabelValues(string(signaling.FrameLookup)).Inc()
		if c.id == "" {
			return endUnauthenticated("a lookup before the registration", refusedProof), false
		}
		c.lookup(f)
		return ending{}, true
	case *signaling.RelayRequest:
		c.srv.metrics.frames.WithLabelValues(string(signaling.FrameRelay)).Inc()
		if c.id == "" {
			return endUnauthenticated("a relay request before the registration", refusedProof), false
		}
		c.relay(time.Now(), f)
		return ending{}, true
	}
	return endBadMessage("a frame that only the server sends"), false
}

// overLimit drops a frame that came too fast.
func (c *conn) overLimit(now time.Time, data []byte) (ending, bool) {
	if !c.strikes.AllowN(now, 1) {
		return endFlood(), false
	}
	ref := int64(0)
	// Decoding is cheap beside what the limit protects, and the client wants to
	// know which message it must repeat.
	if f, err := signaling.DecodeFrame(data); err == nil {
		switch f := f.(type) {
		case *signaling.Send:
			ref = f.Ref
		case *signaling.Lookup:
			ref = f.Ref
		case *signaling.RelayRequest:
			ref = f.Ref
		}
	}
	c.refuse(signaling.CodeRateLimited, ref)
	return ending{}, true
}

func (c *conn) register(f *signaling.Register) (ending, bool) {
	reg, err := signaling.VerifyRegistration(f.JWS, c.challenge, c.host)
	if err != nil {
		c.srv.log.Debug("registration refused", "err", err)
		return endUnauthenticated("the registration proves nothing", refusedProof), false
	}
	if c.srv.offenders.held(time.Now(), source{peer: reg.ID}) > 0 {
		return endHeldOff(), false
	}
	// The reader sets id before anyone can unregister: serve does so when the
	// reader has ended.
	c.id = reg.ID
	limiter, err := c.srv.router.register(c, reg.ID, reg.Resume, f.Keys)
	if err != nil {
		c.srv.log.Error("registration failed", "err", err)
		return ending{code: signaling.CodeServerBusy, status: websocket.StatusTryAgainLater, reason: "internal error"}, false
	}
	c.limiter = limiter
	c.srv.addresses.prove(c.addr)
	c.registered.Store(true)
	return ending{}, true
}

func (c *conn) lookup(f *signaling.Lookup) {
	keys, ok := c.srv.router.keys(f.To)
	if !ok {
		c.refuse(signaling.CodeUnreachable, f.Ref)
		return
	}
	c.reply(&signaling.Keys{Of: f.To, Ref: f.Ref, Keys: keys})
}

func (c *conn) relay(now time.Time, f *signaling.RelayRequest) {
	relay, code := c.srv.opts.ICE.Relay(now, c.id, c.name())
	if code != "" {
		c.refuse(code, f.Ref)
		return
	}
	c.reply(&signaling.RelayAnswer{Ref: f.Ref, ICE: relay})
}

// name is how the client dialled this server, without the port.
func (c *conn) name() string {
	name, _ := splitHost(c.host)
	return name
}

func (c *conn) route(f *signaling.Send) {
	// Encoded before looking for the receiver, so that it takes the same time
	// whether there is one or not.
	data, err := signaling.EncodeFrame(&signaling.Delivery{From: c.id, Payload: f.Payload})
	code := signaling.CodeTooLarge
	if err == nil {
		code = c.srv.router.route(f.To, parcel{data: data, from: c.id, ref: f.Ref})
	}
	if code != "" {
		c.refuse(code, f.Ref)
		return
	}
	if f.Ack {
		c.reply(&signaling.Sent{Ref: f.Ref})
	}
}

// reply answers a frame of the client's. It waits until there is room: whoever
// asks faster than it reads the answers is read from more slowly, and closed by
// the writer's timeout if it reads nothing. For the reader only.
func (c *conn) reply(f signaling.Frame) {
	data, err := signaling.EncodeFrame(f)
	if err != nil {
		c.srv.log.Error("encode a frame", "err", err)
		return
	}
	c.out.wait(parcel{data: data}, c.ended)
}

// refuse answers a frame with an error, as reply does.
func (c *conn) refuse(code signaling.ErrorCode, ref int64) {
	c.srv.metrics.errors.WithLabelValues(string(code)).Inc()
	c.reply(&signaling.ServerError{Code: code, Ref: ref, Message: sentence(code)})
}

// fail queues an error about an earlier frame. It does not wait.
func (c *conn) fail(code signaling.ErrorCode, ref int64) {
	c.srv.metrics.errors.WithLabelValues(string(code)).Inc()
	c.send(&signaling.ServerError{Code: code, Ref: ref, Message: sentence(code)})
}

// send queues a frame of the server's own.
func (c *conn) send(f signaling.Frame) {
	data, err := signaling.EncodeFrame(f)
	if err != nil {
		c.srv.log.Error("encode a frame", "err", err)
		return
	}
	if !c.out.push(parcel{data: data}) {
		c.end(endSlow())
	}
}

// write empties the outbox until the connection ends.
func (c *conn) write() {
	for {
		select {
		case <-c.ended:
			return
		case p := <-c.out.queue:
			c.out.taken(p)
			ctx, cancel := context.WithTimeout(context.Background(), c.srv.opts.WriteTimeout)
			err := c.ws.Write(ctx, websocket.MessageText, p.data)
			cancel()
			if err != nil {
				c.end(endLost("a write failed"))
				return
			}
		}
	}
}

// ping notices a client that is gone without a word.
func (c *conn) ping() {
	ticker := time.NewTicker(c.srv.opts.PingInterval)
	defer ticker.Stop()
	for {
		select {
		case <-c.ended:
			return
		case <-ticker.C:
			ctx, cancel := context.WithTimeout(context.Background(), c.srv.opts.PingTimeout)
			err := c.ws.Ping(ctx)
			cancel()
			if err != nil {
				c.end(endLost("no pong in time"))
				return
			}
		}
	}
}
