package mediasign

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/h264"
)

// A message is put before the first picture, and nothing else is touched.
func TestSigner_AddsMessagesAndChangesNothingElse(t *testing.T) {
	film := film(t, 4, 5)
	film[6].Discardable = true // no message goes with what others may drop
	signed := sign(t, newSigner(t, Options{}), video264(), film)
	for i, u := range signed {
		before, want := film[i], 0
		if i == 7 || i == 11 || i == 16 {
			want = 1
		}
		if n := len(u.Payload) - len(before.Payload); n != want {
			t.Fatalf("unit %d has %d messages, want %d", i, n, want)
		}
		if want == 0 && u != before {
			t.Errorf("unit %d was copied for nothing", i)
		}
		at := seiOf(u)
		rest := slices.Clone(u.Payload)
		if want == 1 {
			if next := classify(codecs.H264, u.Payload[at+1]); !next.primary {
				t.Errorf("unit %d: the message is not before the first picture", i)
			}
			rest = slices.Delete(rest, at, at+1)
		}
		if !slices.EqualFunc(rest, before.Payload, bytes.Equal) {
			t.Errorf("unit %d was changed", i)
		}
		if u.Key != before.Key || u.Discardable != before.Discardable || u.PTS != before.PTS || u.At != before.At {
			t.Errorf("unit %d: other properties were changed", i)
		}
	}
}

func TestSigner_LongGOPIsSignedInParts(t *testing.T) {
	s := newSigner(t, Options{MaxDuration: 200 * time.Millisecond})
	got := check(codecs.H264, sign(t, s, video264(), film(t, 2, 12)))
	expect(t, got, "authentic 1", "authentic 1", "authentic 1", "authentic 2", "authentic 2", "tail 2")
	parts := []int{1, 2, 3, 1, 2}
	for i, g := range got[:5] {
		if g.Part != parts[i] || !g.Start.Equal(microTime(epoch+int64([]int{0, 5, 10, 12, 17}[i])*40_000)) {
			t.Errorf("part %d from %v", g.Part, g.Start)
		}
	}
	s = newSigner(t, Options{MaxUnits: 4})
	expect(t, check(codecs.H264, sign(t, s, video264(), film(t, 2, 9))), "authentic 1", "authentic 1", "authentic 1", "authentic 2", "tail 2")
}

func TestSigner_ShortGOPsAreSignedTogether(t *testing.T) {
	s := newSigner(t, Options{MinInterval: 350 * time.Millisecond})
	film := film(t, 20, 2)
	signed := sign(t, s, video264(), film)
	got := check(codecs.H264, signed)
	for i, g := range got {
		if g.Verdict != Authentic && (!g.Tail || i < 15) {
			t.Errorf("GOP %d: %v", i+1, words(got))
		}
	}
	n := 0
	for _, u := range signed {
		for _, b := range u.Payload {
			if d, found, _ := Find(codecs.H264, b); found && d.Signature != nil {
				n++
			}
		}
	}
	if n < 3 || n > 5 {
		t.Errorf("%d signatures for 1.6 s, want one each 350 ms", n)
	}
	// A change in a message without a signature is found too.
	at := slices.IndexFunc(signed[10:], func(u *codecs.Unit) bool { return seiOf(u) >= 0 }) + 10
	signed[at] = flip(signed[at], seiOf(signed[at]), 200)
	got = check(codecs.H264, signed)
	if !slices.ContainsFunc(got, func(g GOP) bool { return g.Verdict != Authentic && !g.Tail }) {
		t.Errorf("a changed message was not found: %v", words(got))
	}
}

func TestSigner_InterruptionEndsTheDocumentWithWhatWasThere(t *testing.T) {
	s := newSigner(t, Options{})
	film := film(t, 20, 5)
	signed := sign(t, s, video264(), film[:13])
	s.Interrupt()
	// Frames before the next key frame reach nobody: they are not signed.
	rest := sign(t, s, video264(), film[63:85])
	for _, u := range rest[:2] {
		if seiOf(u) >= 0 {
			t.Error("a message went with a frame that nobody gets")
		}
	}
	got := check(codecs.H264, slices.Concat(signed, rest[2:]))
	expect(t, got, "authentic 1", "authentic 2", "authentic 3", "authentic 4", "authentic 5", "authentic 6", "tail 7")
	if end := got[2].End.UnixMicro(); end != epoch+13*40_000 {
		t.Errorf("the interrupted GOP ends at %d, want one frame after its last", end-epoch)
	}
	if start := got[3].Start.UnixMicro(); start != epoch+65*40_000 {
		t.Errorf("the next GOP starts at %d", start-epoch)
	}
}

func TestSigner_ClockStepEndsTheDocument(t *testing.T) {
	s := newSigner(t, Options{})
	film := film(t, 6, 5)
	for i, u := range film {
		if u.At -= epoch; i >= 12 { // from 1970 to now within a GOP
			u.At += epoch
		}
	}
	got := check(codecs.H264, sign(t, s, video264(), film))
	expect(t, got, "authentic 1", "authentic 2", "authentic 3", "authentic 3", "authentic 4", "authentic 5", "tail 6")
	if g := got[2]; g.Start.UnixMicro() != 400_000 || g.End.UnixMicro() != 480_000 {
		t.Errorf("before the step: %v to %v", g.Start, g.End)
	}
	if g := got[3]; g.Start.UnixMicro() != epoch+480_000 || g.End.UnixMicro() != epoch+600_000 {
		t.Errorf("after the step: %v to %v", g.Start, g.End)
	}
}

func TestSigner_StepsBackForCameraThatSigns(t *testing.T) {
	for name, uuid := range map[string][16]byte{"ONVIF": UUID(), "Axis": axisUUID()} {
		t.Run(name, func(t *testing.T) {
			var said []Status
			s := newSigner(t, Options{Changed: func(st Status) { said = append(said, st) }})
			short := film(t, 10, 5)
			var film []*codecs.Unit
			for i := range 2000 {
				u := *short[i%len(short)]
				u.PTS, u.At = int64(i)*3600, epoch+int64(i)*40_000
				film = append(film, &u)
			}
			theirs := append(append([]byte{6, 5, 18}, uuid[:]...), 1, 2, 0x80)
			for i := 0; i < 150; i += 5 {
				film[i] = withSEI(film[i], theirs)
			}
			signed := sign(t, s, video264(), film[:1600])
			for i, u := range signed {
				if u != film[i] {
					t.Fatalf("unit %d was signed", i)
				}
			}
			if st := s.Status(); st.State != SteppedBack || !strings.Contains(st.Reason, "itself") {
				t.Errorf("status %+v", st)
			}
			// A minute after the camera's last message it signs.
			sign(t, s, video264(), film[1600:])
			if st := s.Status(); st.State != Signing || st.Signed == 0 {
				t.Errorf("status %+v", st)
			}
			states := []State{}
			for _, st := range said {
				states = append(states, st.State)
			}
			if !slices.Equal(states, []State{SteppedBack, Waiting, Signing}) {
				t.Errorf("it said %v", states)
			}
		})
	}
}

// slowKey signs when it is let.
type slowKey struct {
	*ecdsa.PrivateKey
	let chan error
}

func (k *slowKey) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	if err := <-k.let; err != nil {
		return nil, err
	}
	return k.PrivateKey.Sign(r, digest, o)
}

func TestSigner_SlowKeyDelaysNoFrame(t *testing.T) {
	key := &slowKey{newKey(t), make(chan error)}
	s := newSigner(t, Options{Key: key, Chain: chainOf(t, key.PrivateKey)})
	film := film(t, 100, 2)
	var signed []*codecs.Unit
	for i, u := range film {
		switch i {
		case 21, 41:
			for range 5 {
				key.let <- nil
			}
		}
		signed = append(signed, s.Sign(video264(), u))
	}
	if st := s.Status(); st.Lost == 0 || st.Lost > 99-outboxLimit {
		t.Errorf("%d documents were lost, with room for %d", st.Lost, outboxLimit)
	}
	got := check(codecs.H264, signed)
	for i, g := range got[:8] {
		if g.Verdict != Authentic || g.Number != i+1 {
			t.Errorf("GOP %d: %v", g.Number, g.Verdict)
		}
	}
	close(key.let)
	s.Close()
	s.Close()
	if u := s.Sign(video264(), film[0]); u != film[0] || s.Status().State != Closed {
		t.Error("a closed signer does something")
	}
}

func TestSigner_FailingKeyIsSaid(t *testing.T) {
	key := &slowKey{newKey(t), make(chan error, 9)}
	s := newSigner(t, Options{Key: key, Chain: chainOf(t, key.PrivateKey)})
	film := film(t, 8, 2)
	key.let <- nil
	key.let <- errors.New("the secure element does not answer")
	signed := sign(t, s, video264(), film[:6])
	if st := s.Status(); st.State != Failing || st.Signed != 1 || st.Lost != 1 || !strings.Contains(st.Reason, "secure element") {
		t.Errorf("status %+v", st)
	}
	for range 5 {
		key.let <- nil
	}
	signed = append(signed, sign(t, s, video264(), film[6:])...)
	if st := s.Status(); st.State != Signing || st.Reason != "" {
		t.Errorf("status %+v", st)
	}
	expect(t, check(codecs.H264, signed), "authentic 1", "unsigned 2", "authentic 3", "authentic 4", "authentic 5", "authentic 6", "authentic 7", "tail 8")
}

func TestSigner_OtherCodecBeginsAnew(t *testing.T) {
	s := newSigner(t, Options{})
	sign(t, s, video264(), film(t, 3, 5))
	got := check(codecs.H265, sign(t, s, video265(), film265(4, 5)))
	expect(t, got, "authentic 1", "authentic 2", "authentic 3", "tail 4")
	if got[0].Counter != 1 {
		t.Errorf("the first document has the number %d", got[0].Counter)
	}
}

func TestNew_RefusesWhatDoesNotBelongTogether(t *testing.T) {
	a, b := newKey(t), newKey(t)
	leaf, _, err := Certify(a, "a")
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]Options{
		"nothing":                   {},
		"no certificate":            {Key: a},
		"another key's certificate": {Key: b, Chain: [][]byte{leaf}},
		"no certificate at all":     {Key: a, Chain: [][]byte{{1, 2, 3}}},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestCertify_MakesTheSameEachTime(t *testing.T) {
	key := newKey(t)
	leaf, root, err := Certify(key, "camera")
	if err != nil {
		t.Fatal(err)
	}
	again, _, _ := Certify(key, "camera")
	if !bytes.Equal(leaf, again) {
		t.Error("a key in memory made another certificate")
	}
	text, err := pemChain([][]byte{leaf, root})
	if err != nil {
		t.Fatal(err)
	}
	chain := mustChain(t, text)
	if err := chain[0].CheckSignatureFrom(chain[1]); err != nil {
		t.Error(err)
	}
	if chain[0].Subject.String() == chain[1].Subject.String() || chain[0].IsCA {
		t.Error("the leaf is its own issuer")
	}
}

// A camera of 2 Mbit/s, 25 frames a second, a key frame each 2 s. The time is that
// of a second of video: 20 ms were 2 % of a core.
func BenchmarkSigner_SecondOfVideo(b *testing.B) {
	s := newSigner(b, Options{})
	slice := append([]byte{0x41, 0x9a}, bytes.Repeat([]byte{0x5a}, 10_000)...)
	key := append([]byte{0x65, 0x88}, bytes.Repeat([]byte{0x5a}, 10_000)...)
	var n int64
	b.SetBytes(250_000)
	b.ReportAllocs()
	for b.Loop() {
		for range 25 {
			u := &codecs.Unit{PTS: n * 3600, At: epoch + n*40_000, Payload: [][]byte{slice}}
			if n%50 == 0 {
				u.Payload = [][]byte{{0x67, 66}, {0x68, 1}, key}
				u.Key = h264.IsKey(u.Payload)
			}
			s.Sign(video264(), u)
			n++
		}
	}
	s.out.running.Wait()
}
