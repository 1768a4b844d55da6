package peer

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/codecs"
)

// testCall makes a fragment of the right length that carries the fingerprint.
func testCall(secret []byte) func([32]byte) (string, string, error) {
	return func(fingerprint [32]byte) (string, string, error) {
		b := append(fingerprint[:], make([]byte, 114)...)
		_, _ = rand.Read(b[32:]) // never fails
		fragment := DirectPrefix + base64.RawStdEncoding.EncodeToString(b)
		return fragment, testPassword(secret, fragment), nil
	}
}

func testPassword(secret []byte, fragment string) string {
	sum := sha256.Sum256(append(secret, fragment...))
	return base64.RawStdEncoding.EncodeToString(sum[:])
}

// doorman admits direct calls that were made with its secret.
type doorman struct {
	secret   []byte
	refuse   error
	endpoint *Endpoint

	mu      sync.Mutex
	asked   int
	calls   int
	session *Session
}

func (d *doorman) Password(fragment string) (string, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	return testPassword(d.secret, fragment), true
}

func (d *doorman) Call(c DirectCall) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls++
	if d.refuse != nil {
		return d.refuse
	}
	b, err := base64.RawStdEncoding.DecodeString(c.Fragment[len(DirectPrefix):])
	if err != nil {
		return err
	}
	d.session, err = d.endpoint.AnswerDirect(context.Background(), c, [32]byte(b[:32]))
	return err
}

func (d *doorman) count() (asked, calls int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked, d.calls
}

// withDoor runs f with a wire and an endpoint that admits direct calls.
func withDoor(t *testing.T, f func(t *testing.T, w *wire, d *doorman)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t, 20*time.Millisecond)
		d := &doorman{secret: []byte("secret")}
		var err error
		if d.endpoint, err = Listen(EndpointOptions{Certificate: testCertificate(t), Net: w.camera, Addr: "192.0.2.2:5000", Direct: d}); err != nil {
			t.Fatal(err)
		}
		f(t, w, d)
		w.cut()
		if d.session != nil {
			_ = d.session.Close()
		}
		if err := d.endpoint.Close(); err != nil {
			t.Error(err)
		}
		_ = w.router.Stop()
	})
}

func (d *doorman) dial(ctx context.Context, t *testing.T, w *wire, change func(*DialOptions, *DirectDial)) (*Conn, error) {
	t.Helper()
	o := DialOptions{Net: w.viewer, Certificate: testCertificate(t)}
	to := DirectDial{
		Call: testCall(d.secret), Fingerprint: d.endpoint.Fingerprint(),
		Addresses: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.77:1"), netip.MustParseAddrPort("192.0.2.2:5000")},
	}
	if change != nil {
		change(&o, &to)
	}
	ctx, cancel := context.WithTimeout(ctx, 8*time.Second)
	defer cancel()
	return DialDirect(ctx, o, to)
}

func TestDialDirect_WatchesWithoutAnySignaling(t *testing.T) {
	withDoor(t, func(t *testing.T, w *wire, d *doorman) {
		units := NewUnitReader()
		start := time.Now()
		conn, err := d.dial(t.Context(), t, w, func(o *DialOptions, _ *DirectDial) { o.OnTrack = units.AddTrack })
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("connected after %v, one way takes 20 ms", time.Since(start))
		watched := &watching{stream: newTestStream(1)}
		watched.publish(true, 20000)
		err = conn.AddCameras(t.Context(), 1, true, func(ctx context.Context, offer string, sections []Section) (string, error) {
			if len(sections) != 2 || sections[0].Kind != "video" || sections[1].Kind != "audio" {
				t.Errorf("new sections %+v", sections)
			}
			return d.session.Renegotiate(ctx, Offer{SDP: offer, Pick: func(mid, _ string) Stream {
				if mid == sections[0].MID {
					return watched.stream
				}
				return nil
			}})
		})
		if err != nil {
			t.Fatal(err)
		}
		var got []*codecs.Unit
		var reading sync.WaitGroup
		reading.Go(func() {
			for {
				_, u, err := units.Read(t.Context())
				if err != nil {
					return
				}
				got = append(got, u)
			}
		})
		watched.play(50)
		w.cut()
		_ = conn.Close()
		units.End()
		reading.Wait()
		if len(got) != 51 {
			t.Errorf("%d of 51 frames arrived", len(got))
		}
		if err := d.session.Err(); err != nil {
			t.Error(err)
		}
	})
}

func TestDialDirect_WhoHasNoTicketGetsNoAnswer(t *testing.T) {
	for name, change := range map[string]func(*DialOptions, *DirectDial){
		"another secret": func(_ *DialOptions, to *DirectDial) { to.Call = testCall([]byte("guessed")) },
		"another publisher's certificate": func(_ *DialOptions, to *DirectDial) {
			to.Fingerprint = "sha-256 " + hexPairs(sha256.Sum256(nil))
		},
	} {
		t.Run(name, func(t *testing.T) {
			withDoor(t, func(t *testing.T, w *wire, d *doorman) {
				conn, err := d.dial(t.Context(), t, w, change)
				if err == nil {
					_ = conn.Close()
					t.Fatal("connected")
				}
				if _, calls := d.count(); strings.HasPrefix(name, "another secret") && calls != 0 {
					t.Errorf("%d calls were admitted", calls)
				}
			})
		})
	}
}

func TestDialDirect_ARefusedViewerCostsOneLook(t *testing.T) {
	withDoor(t, func(t *testing.T, w *wire, d *doorman) {
		d.refuse = errors.New("not on the list")
		if conn, err := d.dial(t.Context(), t, w, nil); err == nil {
			_ = conn.Close()
			t.Fatal("connected")
		}
		if asked, calls := d.count(); asked != 1 || calls != 1 {
			t.Errorf("asked %d times, called %d times for one fragment", asked, calls)
		}
	})
}

func FuzzDirectFragment(f *testing.F) {
	f.Add([]byte("\x00\x01\x00\x0c\x21\x12\xa4\x42aaaaaaaaaaaa\x00\x06\x00\x07slAA:bb\x00"))
	f.Fuzz(func(t *testing.T, p []byte) {
		own, theirs, ok := directFragment(p)
		if ok && (!isFragment(own) || !isFragment(theirs) || !strings.HasPrefix(own, DirectPrefix)) {
			t.Errorf("%q %q", own, theirs)
		}
	})
}
