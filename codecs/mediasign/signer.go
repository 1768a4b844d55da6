package mediasign

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/codecs"
)

// Signer signs the video of one stream. The signature over a GOP is made beside
// the stream and goes with one of the next frames: no frame waits for it.
//
// Sign and Interrupt are called from one goroutine at a time, Status and Close
// from any.
type Signer struct {
	// Constant after New.
	options Options
	chain   []byte
	out     *outbox

	// Owned by the goroutine that calls Sign.
	codec   codecs.Codec
	piece   *piece // nil while waiting for a key frame
	counter uint32
	link    [hashSize]byte // first picture of the document before
	anchor  [hashSize]byte // key frame of the GOP
	side    sideTracker
	lost    bool  // the next unit does not follow the one before, and begins a GOP
	cut     bool  // the document ends with what it has, whatever comes next
	timed   bool  // offset is known
	offset  int64 // recording time less media time of the newest unit, µs
	signed  int64 // end of the newest document with a signature
	foreign int64 // time until which the camera counts as signing itself
	scratch []unit

	mu     sync.Mutex
	status Status
	closed bool
}

// New returns a signer that waits for a key frame. It fails if the key is none on
// P-256, or a certificate cannot be read or is another key's.
func New(o Options) (*Signer, error) {
	if o.Key == nil || len(o.Chain) == 0 {
		return nil, errors.New("make a video signer: no key or no certificate")
	}
	public, ok := o.Key.Public().(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() {
		return nil, errors.New("make a video signer: the key is not one of ECDSA on P-256")
	}
	text, err := pemChain(o.Chain)
	if err != nil {
		return nil, fmt.Errorf("make a video signer: %w", err)
	}
	const room = 60_000
	chain, err := parseChain(text)
	if err != nil || len(text) > room {
		return nil, fmt.Errorf("make a video signer: the chain has %d bytes: %w", len(text), err)
	}
	if !public.Equal(chain[0].PublicKey) {
		return nil, errors.New("make a video signer: the first certificate is another key's")
	}
	s := &Signer{options: o.withDefaults(), chain: text}
	s.out = &outbox{key: o.Key, result: s.result}
	return s, nil
}

// Sign returns the unit to publish instead of u: the same one, or one with
// messages before its first picture. It reads the units' time from At.
func (s *Signer) Sign(t codecs.Track, u *codecs.Unit) *codecs.Unit {
	if !t.Codec.Video() || s.isClosed() {
		return u
	}
	at := timeOfUnit(u)
	if s.steppedBack(t.Codec, u, at) {
		return u
	}
	if t.Codec != s.codec {
		s.restart(t.Codec)
	}
	first, starts := s.classify(u)
	if first < 0 || (s.piece == nil || s.lost) && !starts {
		return u // nobody gets to see it: a stream begins with a key frame
	}
	messages := s.messages(u, first)
	if s.piece != nil && s.jumped(t, u, at) {
		s.cut = true // the clock was set
	}
	for _, n := range s.scratch {
		if n.kind == picture {
			s.picture(n, at)
		} else {
			s.side.note(s.codec, n)
		}
	}
	s.piece.tick(at)
	if len(messages) == 0 {
		return u
	}
	out := *u
	out.Payload = slices.Insert(slices.Clone(u.Payload), first, messages...)
	return &out
}

// classify fills scratch and returns which unit holds the first picture, -1 if
// none does, and whether a GOP starts.
func (s *Signer) classify(u *codecs.Unit) (first int, starts bool) {
	s.scratch = s.scratch[:0]
	first = -1
	for i, data := range u.Payload {
		n := classify(s.codec, data)
		s.scratch = append(s.scratch, n)
		if n.kind == picture && first < 0 {
			first = i
		}
		starts = starts || n.start
	}
	return first, starts
}

// messages returns those that go into the unit. One that others may drop gets none.
func (s *Signer) messages(u *codecs.Unit, first int) [][]byte {
	if u.Discardable || s.piece == nil {
		return nil
	}
	if data := s.scratch[first].data; s.codec == codecs.H265 && data[1]&7 != 1 {
		return nil // a prefix SEI is of the lowest temporal layer (ITU-T H.265 §7.4.2.2)
	}
	var out [][]byte
	for _, m := range s.out.take() {
		if !m.draft.signed {
			s.piece.hashes = append(s.piece.hashes, sha256.Sum256(m.data)) // a later document signs it
		}
		out = append(out, m.data)
	}
	return out
}

// picture takes in a picture's NAL unit; it may begin a new document.
func (s *Signer) picture(n unit, at int64) {
	plain := sha256.Sum256(n.data)
	if n.start {
		s.finish(false, at)
		s.begin(at)
		s.anchor = plain
		s.piece.picture(plain, s.side.before(true, nil))
		return
	}
	if n.primary && s.due(at) {
		s.finish(true, at)
		s.begin(at)
	}
	s.piece.picture(link(s.anchor, plain), s.side.before(false, nil))
}

func (s *Signer) begin(at int64) {
	if s.piece == nil {
		s.setState(Signing, "")
	}
	s.piece = newPiece(at)
}

// due says that a part of the GOP is to be signed.
func (s *Signer) due(at int64) bool {
	return s.cut || at-s.piece.start >= s.options.MaxDuration.Microseconds() || len(s.piece.hashes) >= s.options.MaxUnits
}

// finish puts what was collected into a document and has it signed. next is the
// time of the picture that comes.
func (s *Signer) finish(partial bool, next int64) {
	p := s.piece
	if p == nil {
		return
	}
	if s.cut || next < p.last {
		next = p.last + p.step
	}
	s.cut, s.lost = false, false
	s.counter++
	d := &Document{
		Partial: partial,
		Counter: s.counter,
		Start:   microTime(p.start),
		End:     microTime(next),
		Units:   len(p.hashes),
		Bundle:  bundle(p.hashes),
		Link:    s.link,
		Vendor:  Vendor{Firmware: p.side.firmware(s.options, p.longest(next)), Serial: s.options.Serial, Manufacturer: manufacturer},
		Chain:   s.chain,
	}
	if len(p.hashes) <= maxHashes {
		d.Hashes = p.hashes
	}
	s.link = p.first
	signed := partial || next-s.signed >= s.options.MinInterval.Microseconds() || next < s.signed
	m := &outgoing{}
	m.draft, m.digest = newDraft(s.codec, d, signed)
	if signed {
		s.signed = next
	} else {
		m.data = m.draft.finish(nil)
	}
	if !s.out.put(m) {
		s.mu.Lock()
		s.status.Lost++
		s.mu.Unlock()
	}
}

// jumped reports whether the clock was set between the unit before and this one.
func (s *Signer) jumped(t codecs.Track, u *codecs.Unit, at int64) bool {
	const second = 1_000_000
	before, timed := s.offset, s.timed
	s.timed = true
	s.offset = at
	if t.ClockRate > 0 {
		s.offset -= int64(float64(u.PTS) * second / float64(t.ClockRate))
	}
	d := s.offset - before
	return timed && (d > second || d < -second)
}

// steppedBack reports whether the camera signs the video itself.
func (s *Signer) steppedBack(codec codecs.Codec, u *codecs.Unit, at int64) bool {
	const patience = 60_000_000 // µs without a message until it counts as having stopped
	for _, data := range u.Payload {
		if len(data) > 0 && classify(codec, data).kind == message && carries(codec, data, UUID(), axisUUID()) {
			s.foreign = at + patience
			s.restart(codec)
			s.setState(SteppedBack, "the camera signs its video itself")
			return true
		}
	}
	if s.foreign == 0 {
		return false
	}
	if at < s.foreign && at >= s.foreign-2*patience {
		return true
	}
	s.foreign = 0
	s.setState(Waiting, "")
	return false
}

// restart forgets everything: what comes next is signed as a new stream.
func (s *Signer) restart(codec codecs.Codec) {
	s.out.clear()
	s.codec, s.piece, s.counter, s.link, s.signed = codec, nil, 0, [hashSize]byte{}, 0
	s.lost, s.cut, s.timed = false, false, false
	s.side = sideTracker{}
}

// Interrupt says that the next unit does not follow the one before: the document
// ends with what was there.
func (s *Signer) Interrupt() {
	s.timed = false
	s.lost = s.piece != nil
	s.cut = s.lost
	s.side = sideTracker{}
}

// Status returns what the signer does.
func (s *Signer) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// Close ends the signing and waits for a signature that is being made. The last
// GOP stays unsigned. Sign then returns units as they are. Idempotent.
func (s *Signer) Close() {
	s.mu.Lock()
	s.closed = true
	s.status.State, s.status.Reason = Closed, ""
	s.mu.Unlock()
	s.out.close()
}

func (s *Signer) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// result takes in what became of a signature.
func (s *Signer) result(err error) {
	s.mu.Lock()
	if err != nil {
		s.status.Lost++
	} else {
		s.status.Signed++
	}
	failing := s.status.State == Failing
	s.mu.Unlock()
	switch {
	case err != nil:
		s.setState(Failing, err.Error())
	case failing:
		s.setState(Signing, "")
	}
}

func (s *Signer) setState(state State, reason string) {
	s.mu.Lock()
	if s.closed || s.status.State == state {
		s.mu.Unlock()
		return
	}
	s.status.State, s.status.Reason = state, reason
	status := s.status
	s.mu.Unlock()
	if s.options.Changed != nil {
		s.options.Changed(status)
	}
}

// timeOfUnit returns when the unit was captured.
func timeOfUnit(u *codecs.Unit) int64 {
	if u.At == 0 && !u.Arrived.IsZero() {
		return u.Arrived.UnixMicro()
	}
	return u.At
}

func microTime(us int64) time.Time { return time.UnixMicro(us).UTC() }
