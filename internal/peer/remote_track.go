package peer

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/rtppack"
)

const (
	// trackQueue is how many units wait for ReadUnit at most.
	trackQueue = 512
	// lossPoll is how often a track with something missing looks after it.
	lossPoll = 5 * time.Millisecond
	// keyFrameGap is the shortest time between two requests for a key frame.
	keyFrameGap = 500 * time.Millisecond
	// maxReadFailures is how many packets in a row may be unreadable.
	maxReadFailures = 1000
	// idlePoll is how often a track with nothing missing wakes up.
	idlePoll = time.Second
)

// RemoteTrack is one stream that the other side sends, as coded frames. It asks
// for lost packets again, waits for them up to DialOptions.Patience, and asks
// for a key frame after a loss it could not mend.
//
// Frames wait in a bounded queue: a reader that falls behind loses everything
// up to the next key frame, which Stats counts.
type RemoteTrack struct {
	// Constant after construction.
	conn     *Conn
	track    *webrtc.TrackRemote
	receiver *webrtc.RTPReceiver
	mid      string
	kind     string
	tap      func(*RemoteTrack, *rtp.Packet)
	ready    chan struct{} // capacity 1: something to read, or the end
	ended    chan struct{} // closed when the stream has ended

	// Owned by the goroutine of run.
	nacks       nackTracker
	depacketize *rtppack.Depacketizer
	seen        rtppack.DepacketizerStats // what deliver has counted
	payloadType uint8
	lastPLI     time.Time
	needKey     bool // what follows cannot be decoded before a key frame

	codec  atomic.Uint32
	report atomic.Pointer[rtcp.SenderReport] // the latest, for run

	mu    sync.Mutex
	queue []*codecs.Unit
	skip  bool // the queue overflowed: forget units up to a key frame
	stats TrackStats
}

// TrackStats is what was received on a track so far.
type TrackStats struct {
	MID   string
	Kind  string // "video" or "audio"
	Codec codecs.Codec
	// Packets and Bytes count RTP packets that arrived, Bytes their payloads.
	Packets, Bytes uint64
	// Lost counts packets that never arrived, Recovered those that arrived
	// after they were asked for, Requested the requests for packets.
	Lost, Recovered, Requested uint64
	// Units and KeyUnits count coded frames, Broken those that came with parts
	// missing and were left out, Dropped those that nobody read in time.
	Units, KeyUnits, Broken, Dropped uint64
	// KeyFrameRequests counts picture loss indications sent (RFC 4585 §6.3.1).
	KeyFrameRequests uint64
}

func newRemoteTrack(c *Conn, track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver, mid string) *RemoteTrack {
	t := &RemoteTrack{
		conn:     c,
		track:    track,
		receiver: receiver,
		mid:      mid,
		kind:     track.Kind().String(),
		tap:      c.o.OnPacket,
		ready:    make(chan struct{}, 1),
		ended:    make(chan struct{}),
		nacks:    nackTracker{patience: c.o.Patience},
		needKey:  track.Kind() == webrtc.RTPCodecTypeVideo,
		lastPLI:  time.Now(), // the publisher begins with a key frame by itself
	}
	t.codec.Store(uint32(codecOf(track.Codec().MimeType)))
	return t
}

// Codec returns the codec of the stream. It may change between frames when the
// publisher's camera does.
func (t *RemoteTrack) Codec() codecs.Codec { return codecs.Codec(t.codec.Load()) }

// MID returns the media identification tag of the stream's section.
func (t *RemoteTrack) MID() string { return t.mid }

// Kind returns "video" or "audio".
func (t *RemoteTrack) Kind() string { return t.kind }

// ReadUnit returns the next coded frame, waiting for it until ctx ends. After
// the stream has ended it returns io.EOF. One reader at a time.
func (t *RemoteTrack) ReadUnit(ctx context.Context) (*codecs.Unit, error) {
	for {
		over := isClosed(t.ended) // before the queue is looked at, or its last units are lost
		t.mu.Lock()
		if len(t.queue) > 0 {
			u := t.queue[0]
			t.queue[0] = nil
			t.queue = t.queue[1:]
			t.mu.Unlock()
			return u, nil
		}
		t.mu.Unlock()
		if over {
			return nil, io.EOF
		}
		select {
		case <-t.ready:
		case <-t.ended:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// RequestKeyFrame asks the publisher for a key frame.
func (t *RemoteTrack) RequestKeyFrame() {
	t.mu.Lock()
	t.stats.KeyFrameRequests++
	t.mu.Unlock()
	t.conn.writeRTCP(&rtcp.PictureLossIndication{MediaSSRC: uint32(t.track.SSRC())})
}

// Stats returns what was received so far.
func (t *RemoteTrack) Stats() TrackStats {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.stats
	s.MID, s.Kind, s.Codec = t.mid, t.kind, t.Codec()
	return s
}

// run reads the stream until it ends.
func (t *RemoteTrack) run() {
	defer close(t.ended)
	failures := 0
	for {
		wait := idlePoll
		if t.nacks.waiting() {
			wait = lossPoll
		}
		if err := t.track.SetReadDeadline(time.Now().Add(wait)); err != nil {
			return
		}
		p, _, err := t.track.ReadRTP()
		now := time.Now()
		if err != nil && !isTimeout(err) {
			if t.conn.ending() || errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) {
				return
			}
			if failures++; failures > maxReadFailures {
				t.conn.log.Warn("stream given up: its packets cannot be read", "mid", t.mid, "error", err)
				return
			}
		}
		if p != nil {
			failures = 0
			if t.tap != nil {
				t.tap(t, p)
			}
			t.arrived(now, p)
		}
		t.look(now)
	}
}

// readRTCP takes the publisher's sender reports until the stream ends. Reading
// them is also what makes our own reports complete.
func (t *RemoteTrack) readRTCP() {
	buf := make([]byte, receiveMTU)
	for {
		n, _, err := t.receiver.Read(buf)
		if err != nil {
			return
		}
		packets, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			continue
		}
		for _, p := range packets {
			if r, ok := p.(*rtcp.SenderReport); ok && r.SSRC == uint32(t.track.SSRC()) {
				t.report.Store(r)
			}
		}
	}
}

// timeOfNTP converts a 64-bit NTP time stamp (RFC 5905 §6), seconds since 1900.
func timeOfNTP(ntp uint64) time.Time {
	const since1900 = 2208988800
	return time.Unix(int64(ntp>>32)-since1900, int64((ntp&0xffffffff)*1e9>>32)) // 32 bits
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, os.ErrDeadlineExceeded) || (errors.As(err, &timeout) && timeout.Timeout())
}

// arrived takes one packet.
func (t *RemoteTrack) arrived(now time.Time, p *rtp.Packet) {
	t.mu.Lock()
	t.stats.Packets++
	t.stats.Bytes += uint64(len(p.Payload))
	t.mu.Unlock()
	t.nacks.arrived(now, p.SequenceNumber)
	if t.depacketize == nil || (p.PayloadType != t.payloadType && len(p.Payload) > 0) {
		codec := t.track.Codec()
		t.codec.Store(uint32(codecOf(codec.MimeType)))
		t.payloadType = p.PayloadType
		t.depacketize = rtppack.NewDepacketizer(t.Codec(), int(codec.ClockRate))
		t.depacketize.Wait = t.nacks.patience
		t.seen = rtppack.DepacketizerStats{}
	}
	if r := t.report.Swap(nil); r != nil {
		t.depacketize.SenderReport(timeOfNTP(r.NTPTime), r.RTPTime)
	}
	t.deliver(t.depacketize.Push(p, now))
}

// look gives up on what is overdue, asks for what is missing, and for a key
// frame if nothing else helps.
func (t *RemoteTrack) look(now time.Time) {
	if t.depacketize == nil {
		return
	}
	t.deliver(t.depacketize.Flush(now))
	if seqs := t.nacks.requests(now, t.conn.rtt()); len(seqs) > 0 {
		t.conn.writeRTCP(&rtcp.TransportLayerNack{
			MediaSSRC: uint32(t.track.SSRC()),
			Nacks:     rtcp.NackPairsFromSequenceNumbers(seqs),
		})
	}
	if t.needKey && now.Sub(t.lastPLI) >= keyFrameGap {
		t.lastPLI = now
		t.RequestKeyFrame()
	}
}

// deliver hands on units and notes what was lost on the way to them.
func (t *RemoteTrack) deliver(units []*codecs.Unit) {
	d := t.depacketize.Stats()
	// What is lost came before the units, or else they would not be whole.
	if t.kind == "video" && (d.Lost != t.seen.Lost || d.Broken != t.seen.Broken) {
		t.needKey = true
	}
	t.mu.Lock()
	t.stats.Lost += d.Lost - t.seen.Lost
	t.stats.Broken += d.Broken - t.seen.Broken
	t.stats.Recovered, t.stats.Requested = t.nacks.recovered, t.nacks.requested
	t.mu.Unlock()
	t.seen = d
	for _, u := range units {
		t.enqueue(u)
	}
}

// enqueue hands a unit to the reader.
func (t *RemoteTrack) enqueue(u *codecs.Unit) {
	if u.Key {
		t.needKey = false
	}
	t.mu.Lock()
	t.stats.Units++
	if u.Key {
		t.stats.KeyUnits++
		t.skip = false
	}
	switch {
	case t.skip:
		t.stats.Dropped++
	case len(t.queue) >= trackQueue:
		t.stats.Dropped += uint64(len(t.queue))
		t.queue = nil
		t.skip = !u.Key
		if t.skip {
			t.stats.Dropped++
		} else {
			t.queue = append(t.queue, u)
		}
	default:
		t.queue = append(t.queue, u)
	}
	t.mu.Unlock()
	notify(t.ready)
}
