package verify

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	agent "github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/mediasign"
	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/export"
	"github.com/sightline-cam/sightline/recordings/fmp4"
	"github.com/sightline-cam/sightline/recordings/fmp4/fmp4test"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func noon() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

var _ agent.Signer = (*mediasign.Signer)(nil)

// camera is a camera that signs.
type camera struct {
	id     *identity.Identity
	signer *mediasign.Signer
	root   *x509.Certificate
	signed uint64
}

func newCamera(t testing.TB) *camera {
	t.Helper()
	id, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	leaf, der, err := mediasign.Certify(id.Signer(), string(id.PeerID()))
	if err != nil {
		t.Fatal(err)
	}
	root, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	s, err := mediasign.New(mediasign.Options{Key: id.Signer(), Chain: [][]byte{leaf}, Serial: string(id.PeerID())})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return &camera{id: id, signer: s, root: root}
}

// film returns signed video: key frames each second, five frames a second.
func (c *camera) film(t testing.TB, seconds int, from time.Time) fmp4test.Media {
	t.Helper()
	return c.sign(t, plain(t, seconds, from))
}

// plain returns video without signatures. All pictures are made of two, each with
// bytes of its own at the end: encoding takes time.
func plain(t testing.TB, seconds int, from time.Time) fmp4test.Media {
	t.Helper()
	m := fmp4test.Pictures(t, testpattern.Options{Width: 640, Height: 360, FPS: 5, GOP: time.Second}, 2, from)
	two := m.Units
	m.Units = nil
	for i := range int64(5 * seconds) {
		u := *two[min(i%5, 1)]
		u.PTS, u.At = two[0].PTS+i*18_000, from.UnixMicro()+i*200_000
		last := len(u.Payload) - 1
		u.Payload = slices.Clone(u.Payload)
		u.Payload[last] = append(slices.Clone(u.Payload[last]), byte(1+u.At/200_000%97), byte(1+i))
		m.Units = append(m.Units, &u)
	}
	return m
}

// sign waits for each signature, so that it goes with the next frame.
func (c *camera) sign(t testing.TB, m fmp4test.Media) fmp4test.Media {
	t.Helper()
	first := true
	for i, u := range m.Units {
		m.Units[i] = c.signer.Sign(m.Track, u)
		if u.Key && !first {
			c.signed++
		}
		first = false
		c.await(t)
	}
	return m
}

// await waits until everything is signed.
func (c *camera) await(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); c.signer.Status().Signed < c.signed; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("no signature: %+v", c.signer.Status())
		}
	}
}

// segment puts a film into a file as the recorder does.
func segment(t testing.TB, m fmp4test.Media) fmp4test.Segment {
	t.Helper()
	h := fmp4.Header{Ref: recordings.Ref{Stream: recordings.Stream{Camera: "front", Rendition: recordings.Main}, Start: recordings.Time(m.Units[0].At)}}
	return fmp4test.Write(t, h, m, fmp4test.Media{}, time.Second, 0)
}

// shelf opens segments for an export.
type shelf map[recordings.Ref][]byte

type media struct{ *bytes.Reader }

func (media) Close() error { return nil }

func exported(t testing.TB, o export.Options, segments ...fmp4test.Segment) []byte {
	t.Helper()
	s := shelf{}
	var list []recordings.Segment
	for _, seg := range segments {
		s[seg.Ref] = seg.Data
		list = append(list, seg.Segment)
	}
	open := func(_ context.Context, ref recordings.Ref) (export.Media, error) {
		return media{bytes.NewReader(s[ref])}, nil
	}
	r := recordings.Range{From: list[0].Start, To: list[len(list)-1].End}
	e, err := export.New(t.Context(), open, list, r, o)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	data, err := io.ReadAll(e)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func check(t testing.TB, data []byte, o Options) Report {
	t.Helper()
	r, err := File(t.Context(), bytes.NewReader(data), int64(len(data)), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// kinds lists the problems, each with the group's number.
func kinds(r Report) []string {
	out := []string{}
	for _, p := range r.Problems {
		out = append(out, fmt.Sprint(p.Kind, " ", p.GOP))
	}
	return out
}

func expect(t *testing.T, r Report, want ...string) {
	t.Helper()
	if want == nil {
		want = []string{}
	}
	if got := kinds(r); !slices.Equal(got, want) || r.AllWell != (len(want) == 0) {
		t.Errorf("got  %q, all well: %v\nwant %q\n%s", got, r.AllWell, want, strings.Join(r.Lines(), "\n"))
	}
}

// raw returns a film as a stream with start codes.
func rawStream(units []*codecs.Unit) []byte {
	var out []byte
	for _, u := range units {
		for _, n := range u.Payload {
			out = append(append(out, 0, 0, 0, 1), n...)
		}
	}
	return out
}

func segmentHeader() fmp4.Header {
	return fmp4.Header{Ref: recordings.Ref{Stream: recordings.Stream{Camera: "front", Rendition: recordings.Main}, Start: recordings.TimeOf(noon())}}
}

func newSignerFor(t testing.TB, c *camera) *mediasign.Signer {
	t.Helper()
	leaf, _, err := mediasign.Certify(c.id.Signer(), string(c.id.PeerID()))
	if err != nil {
		t.Fatal(err)
	}
	s, err := mediasign.New(mediasign.Options{Key: c.id.Signer(), Chain: [][]byte{leaf}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
