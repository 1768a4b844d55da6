package hostile

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"

	"github.com/coder/websocket"

	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

// maxQueue bounds what waits to be written to one peer.
const maxQueue = 1024

var errQueue = errors.New("hostile: the peer reads too slowly")

// conn is one WebSocket. serve owns it, with a goroutine that writes.
type conn struct {
	// constant after construction
	server *Server
	ws     *websocket.Conn
	out    chan outgoing

	id identity.PeerID // "" before the registration; owned by serve
}

func newConn(s *Server, ws *websocket.Conn) *conn {
	return &conn{server: s, ws: ws, out: make(chan outgoing, maxQueue)}
}

// outgoing is a frame for a peer; "" before the registration.
type outgoing struct {
	to   identity.PeerID
	data []byte
}

// serve runs the connection until it or ctx ends.
func (c *conn) serve(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var writer sync.WaitGroup
	writer.Go(func() { c.write(ctx) })
	c.send(&signaling.Challenge{Nonce: signaling.NewToken(signaling.ChallengeSize)})
	for {
		_, data, err := c.ws.Read(ctx)
		if err != nil {
			break
		}
		f, err := signaling.DecodeFrame(data)
		if register, ok := f.(*signaling.Register); ok && c.id == "" {
			c.id = claimedID(register.JWS)
		}
		c.server.add(Record{Peer: c.id, Frame: frameOrNil(f, err), Raw: string(data)})
		if err == nil {
			c.handle(f)
		}
	}
	c.server.leave(c)
	cancel()
	_ = c.ws.CloseNow()
	writer.Wait()
}

func frameOrNil(f signaling.Frame, err error) signaling.Frame {
	if err != nil {
		return nil
	}
	return f
}

// handle obeys a frame. Whatever a peer claims is believed.
func (c *conn) handle(f signaling.Frame) {
	switch f := f.(type) {
	case *signaling.Register:
		// First of all, or a message could overtake it.
		c.send(&signaling.Registered{ID: c.id, Resume: signaling.NewToken(signaling.ResumeSize)})
		c.server.join(c, f.Keys)
	case *signaling.Lookup:
		if keys := c.server.lookUp(f.To); keys != "" {
			c.send(&signaling.Keys{Of: f.To, Ref: f.Ref, Keys: keys})
			return
		}
		c.unreachable(f.Ref)
	case *signaling.Send:
		switch taken := c.server.route(c.id, f.To, f.Payload); {
		case !taken:
			c.unreachable(f.Ref)
		case f.Ack:
			c.send(&signaling.Sent{Ref: f.Ref})
		}
	}
}

func (c *conn) unreachable(ref int64) {
	c.send(&signaling.ServerError{Code: signaling.CodeUnreachable, Ref: ref, Message: "The other side is not connected."})
}

// send queues a frame. What cannot be sent ends the connection, so that a test
// notices.
func (c *conn) send(f signaling.Frame) {
	data, err := signaling.EncodeFrame(f)
	if err == nil {
		err = c.push(outgoing{to: c.id, data: data})
	}
	if err != nil {
		_ = c.ws.CloseNow() // the peer may be gone
	}
}

func (c *conn) push(o outgoing) error {
	select {
	case c.out <- o:
		return nil
	default:
		return errQueue
	}
}

func (c *conn) write(ctx context.Context) {
	for {
		select {
		case o := <-c.out:
			f, err := signaling.DecodeFrame(o.data)
			c.server.add(Record{Peer: o.to, ToPeer: true, Frame: frameOrNil(f, err), Raw: string(o.data)})
			if c.ws.Write(ctx, websocket.MessageText, o.data) != nil {
				return // serve notices too
			}
		case <-ctx.Done():
			return
		}
	}
}

// claimedID reads who a registration says it is from, without looking at the
// signature.
func claimedID(compact string) identity.PeerID {
	var claim struct {
		ID identity.PeerID `json:"id"`
	}
	if parts := strings.Split(compact, "."); len(parts) == 3 {
		if text, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil {
			_ = json.Unmarshal(text, &claim) // "" then
		}
	}
	return claim.ID
}
