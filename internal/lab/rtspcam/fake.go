package rtspcam

import (
	"bufio"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// Fake is a camera whose every word is up to the test. It has one stream of
// media, with interleaved channels 0 and 1.
type Fake struct {
	// SDP is the description's media section; default H.264 without
	// parameter sets, payload type 96.
	SDP string
	// Status holds the status lines ("403 Forbidden") to answer a method
	// with, instead of doing it.
	Status map[string]string
	// NoTCP and NoUDP answer 461 to the transport.
	NoTCP, NoUDP bool
	// Play sends the media of a connection, in a goroutine of its own; the
	// connection is closed when it returns. nil sends nothing for ever.
	Play func(s *FakeSender)
}

// FakeSender writes to one client of a Fake.
type FakeSender struct {
	// UDP says that the client asked for UDP.
	UDP bool
	// Done is closed when the client has gone.
	Done <-chan struct{}
	// Feedback receives the RTCP packets of the client; it drops what finds
	// no room.
	Feedback <-chan rtcp.Packet

	conn      *fakeConn
	rtp, rtcp *net.UDPConn
}

// Start starts the camera and returns its URL. It ends with the test.
func (f *Fake) Start(tb testing.TB) string {
	tb.Helper()
	return StartListener(tb, f.serve)
}

// Serve is Start with a listener that somebody else opened, such as in another
// network namespace.
func (f *Fake) Serve(tb testing.TB, l net.Listener) string {
	tb.Helper()
	return ServeListener(tb, l, f.serve)
}

// RTP sends an RTP packet; false when the client has gone.
func (s *FakeSender) RTP(p *rtp.Packet) bool {
	b, err := p.Marshal()
	if err != nil {
		panic(fmt.Sprintf("a test's RTP packet: %v", err))
	}
	return s.send(0, s.rtp, b)
}

// RTCP sends an RTCP packet; false when the client has gone.
func (s *FakeSender) RTCP(p rtcp.Packet) bool {
	b, err := p.Marshal()
	if err != nil {
		panic(fmt.Sprintf("a test's RTCP packet: %v", err))
	}
	return s.send(1, s.rtcp, b)
}

// Raw writes bytes into the RTSP connection.
func (s *FakeSender) Raw(b []byte) bool { return s.conn.write(b) }

func (s *FakeSender) send(channel byte, socket *net.UDPConn, b []byte) bool {
	select {
	case <-s.Done:
		return false
	default:
	}
	if s.UDP {
		_, _ = socket.Write(b) // refused while the client's socket is not open
		return true
	}
	return s.conn.write(append([]byte{'$', channel, byte(len(b) >> 8), byte(len(b))}, b...))
}

// fakeConn is the RTSP connection to one client.
type fakeConn struct {
	net.Conn
	mu sync.Mutex // one writer at a time
}

func (c *fakeConn) write(b []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.Write(b)
	return err == nil
}

func (f *Fake) serve(conn net.Conn) {
	done := make(chan struct{})
	feedback := make(chan rtcp.Packet, 16)
	s := &FakeSender{Done: done, Feedback: feedback, conn: &fakeConn{Conn: conn}}
	var playing sync.WaitGroup
	defer func() {
		close(done)
		_ = conn.Close()
		if s.rtp != nil {
			_ = s.rtp.Close()
			_ = s.rtcp.Close()
		}
		playing.Wait()
	}()
	in := bufio.NewReader(conn)
	for {
		if first, err := in.Peek(1); err != nil {
			return
		} else if first[0] == '$' {
			if !readInterleaved(in, feedback) {
				return
			}
			continue
		}
		method, header, err := readRequest(in)
		if err != nil {
			return
		}
		status, extra, body := f.answer(s, method, header)
		text := fmt.Sprintf("RTSP/1.0 %s\r\nCSeq: %s\r\n%s", status, header.Get("CSeq"), extra)
		if body != "" {
			text += fmt.Sprintf("Content-Type: application/sdp\r\nContent-Length: %d\r\n", len(body))
		}
		if !s.conn.write([]byte(text + "\r\n" + body)) {
			return
		}
		switch {
		case method == "TEARDOWN":
			return
		case method == "PLAY" && status == "200 OK" && f.Play != nil:
			playing.Go(func() {
				f.Play(s)
				_ = conn.Close()
			})
		}
	}
}

func readRequest(in *bufio.Reader) (method string, header textproto.MIMEHeader, err error) {
	r := textproto.NewReader(in)
	line, err := r.ReadLine()
	if err != nil {
		return "", nil, err
	}
	method, _, _ = strings.Cut(line, " ")
	header, err = r.ReadMIMEHeader()
	return method, header, err
}

// readInterleaved reads a binary frame and hands on the RTCP packets in it.
func readInterleaved(in *bufio.Reader, feedback chan<- rtcp.Packet) bool {
	var head [4]byte
	for i := range head {
		b, err := in.ReadByte()
		if err != nil {
			return false
		}
		head[i] = b
	}
	body := make([]byte, int(head[2])<<8|int(head[3]))
	for i := range body {
		b, err := in.ReadByte()
		if err != nil {
			return false
		}
		body[i] = b
	}
	packets, err := rtcp.Unmarshal(body)
	if err != nil {
		return true
	}
	for _, p := range packets {
		select {
		case feedback <- p:
		default:
		}
	}
	return true
}

func (f *Fake) answer(s *FakeSender, method string, header textproto.MIMEHeader) (status, extra, body string) {
	if status, ok := f.Status[method]; ok {
		return status, "", ""
	}
	switch method {
	case "OPTIONS":
		return "200 OK", "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER\r\n", ""
	case "DESCRIBE":
		media := f.SDP
		if media == "" {
			media = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\n"
		}
		return "200 OK", "", "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=fake\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n" + media + "a=control:track\r\n"
	case "SETUP":
		return f.setup(s, header.Get("Transport"))
	}
	return "200 OK", "Session: 1\r\n", ""
}

func (f *Fake) setup(s *FakeSender, transport string) (status, extra, body string) {
	udp := !strings.Contains(transport, "/TCP")
	if udp && f.NoUDP || !udp && f.NoTCP {
		return "461 Unsupported Transport", "", ""
	}
	if !udp {
		return "200 OK", "Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n", ""
	}
	_, ports, _ := strings.Cut(transport, "client_port=")
	var a, b int
	if _, err := fmt.Sscanf(ports, "%d-%d", &a, &b); err != nil {
		return "400 Bad Request", "", ""
	}
	var err error
	loopback := net.IPv4(127, 0, 0, 1)
	if s.rtp, err = net.DialUDP("udp4", nil, &net.UDPAddr{IP: loopback, Port: a}); err != nil {
		return "500 Internal Server Error", "", ""
	}
	if s.rtcp, err = net.DialUDP("udp4", nil, &net.UDPAddr{IP: loopback, Port: b}); err != nil {
		return "500 Internal Server Error", "", ""
	}
	s.UDP = true
	port := func(c *net.UDPConn) string {
		_, port, _ := net.SplitHostPort(c.LocalAddr().String())
		return port
	}
	return "200 OK", fmt.Sprintf("Session: 1\r\nTransport: RTP/AVP;unicast;client_port=%d-%d;server_port=%s-%s\r\n",
		a, b, port(s.rtp), port(s.rtcp)), ""
}
