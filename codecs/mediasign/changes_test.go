package mediasign

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/codecs"
)

// change returns a copy of a unit in which edit changed a copy of the NAL unit n.
func change(u *codecs.Unit, n int, edit func(b []byte) []byte) *codecs.Unit {
	out := *u
	out.Payload = slices.Clone(u.Payload)
	out.Payload[n] = edit(bytes.Clone(u.Payload[n]))
	return &out
}

func flip(u *codecs.Unit, n, at int) *codecs.Unit {
	return change(u, n, func(b []byte) []byte { b[at] ^= 0x10; return b })
}

// seiOf returns which NAL unit of a unit is a signed message, -1 if none is.
func seiOf(u *codecs.Unit) int {
	return slices.IndexFunc(u.Payload, func(b []byte) bool { return carries(codecs.H264, b, UUID()) })
}

// withoutSEI returns a unit without its message, and the message.
func withoutSEI(t testing.TB, u *codecs.Unit) (*codecs.Unit, []byte) {
	t.Helper()
	n := seiOf(u)
	if n < 0 {
		t.Fatal("the unit has no message")
	}
	out := *u
	out.Payload = slices.Delete(slices.Clone(u.Payload), n, n+1)
	return &out, u.Payload[n]
}

func withSEI(u *codecs.Unit, sei []byte) *codecs.Unit {
	out := *u
	out.Payload = slices.Insert(slices.Clone(u.Payload), len(u.Payload)-1, sei)
	return &out
}

func TestVerifier_NamesWhatWasChanged(t *testing.T) {
	cases := []struct {
		name string
		edit func(u []*codecs.Unit) []*codecs.Unit
		want []string
	}{
		{"picture changed", func(u []*codecs.Unit) []*codecs.Unit { u[12] = flip(u[12], 0, 20); return u },
			[]string{"authentic 1", "authentic 2", "changed 3", "authentic 4", "authentic 5", "authentic 6", "authentic 7", "tail 8"}},
		{"key frame changed", func(u []*codecs.Unit) []*codecs.Unit { u[10] = flip(u[10], 2, 200); return u },
			[]string{"authentic 1", "authentic 2", "changed 3", "authentic 4", "authentic 5", "authentic 6", "authentic 7", "tail 8"}},
		{"first key frame changed", func(u []*codecs.Unit) []*codecs.Unit { u[0] = flip(u[0], 2, 200); return u },
			[]string{"changed 1", "authentic 2", "authentic 3", "authentic 4", "authentic 5", "authentic 6", "authentic 7", "tail 8"}},
		{"parameter set changed", func(u []*codecs.Unit) []*codecs.Unit { u[10] = flip(u[10], 0, 5); return u },
			[]string{"authentic 1", "authentic 2", "changed 3", "authentic 4", "authentic 5", "authentic 6", "authentic 7", "tail 8"}},
		{"message put in", func(u []*codecs.Unit) []*codecs.Unit {
			u[12] = withSEI(u[12], []byte{6, 47, 2, 0x40, 0x20, 0x80}) // display orientation
			return u
		}, []string{"authentic 1", "authentic 2", "changed 3", "authentic 4", "authentic 5", "authentic 6", "authentic 7", "tail 8"}},
		{"signature removed", func(u []*codecs.Unit) []*codecs.Unit { u[16], _ = withoutSEI(t, u[16]); return u },
			[]string{"authentic 1", "authentic 2", "unsigned 3", "authentic 4", "authentic 5", "authentic 6", "authentic 7", "tail 8"}},
		{"all signatures removed", func(u []*codecs.Unit) []*codecs.Unit {
			for i := range u {
				if seiOf(u[i]) >= 0 {
					u[i], _ = withoutSEI(t, u[i])
				}
			}
			return u
		}, []string{"tail 1", "tail 2", "tail 3", "tail 4", "tail 5", "tail 6", "tail 7", "tail 8"}},
		{"signature changed", func(u []*codecs.Unit) []*codecs.Unit { u[16] = flip(u[16], 0, 300); return u },
			[]string{"authentic 1", "authentic 2", "bad-signature 3", "authentic 4", "authentic 5", "authentic 6", "authentic 7", "tail 8"}},
		{"first signature changed", func(u []*codecs.Unit) []*codecs.Unit { u[6] = flip(u[6], 0, 300); return u },
			[]string{"bad-signature 1", "authentic 2", "authentic 3", "authentic 4", "authentic 5", "authentic 6", "authentic 7", "tail 8"}},
		{"last signature changed", func(u []*codecs.Unit) []*codecs.Unit { u[36] = flip(u[36], 0, 300); return u },
			[]string{"authentic 1", "authentic 2", "authentic 3", "authentic 4", "authentic 5", "authentic 6", "bad-signature 7", "tail 8"}},
		{"signature moved ahead", func(u []*codecs.Unit) []*codecs.Unit {
			plain, sei := withoutSEI(t, u[16])
			u[16], u[12] = plain, withSEI(u[12], sei)
			return u
		}, []string{"authentic 1", "authentic 2", "reordered 3", "authentic 4", "authentic 5", "authentic 6", "authentic 7", "tail 8"}},
		{"signature moved behind the next", func(u []*codecs.Unit) []*codecs.Unit {
			plain, sei := withoutSEI(t, u[16])
			u[16], u[23] = plain, withSEI(u[23], sei)
			return u
		}, []string{"authentic 1", "authentic 2", "reordered 3", "authentic 4", "authentic 5", "authentic 6", "authentic 7", "tail 8"}},
		{"GOPs swapped", func(u []*codecs.Unit) []*codecs.Unit {
			return slices.Concat(u[:10], u[15:20], u[10:15], u[20:])
		}, []string{"authentic 1", "reordered 2", "reordered 4", "reordered 3", "authentic 5", "authentic 6", "authentic 7", "tail 8"}},
		{"GOP of another time put in", func(u []*codecs.Unit) []*codecs.Unit {
			return slices.Concat(u[:10], film(t, 12, 5)[50:55], u[10:])
		}, []string{"authentic 1", "authentic 2", "inserted 3", "authentic 4", "authentic 5", "authentic 6", "authentic 7", "authentic 8", "tail 9"}},
		{"GOP replaced", func(u []*codecs.Unit) []*codecs.Unit {
			other := film(t, 12, 5)[50:55]
			for i, o := range other {
				o.PTS, o.At = u[10+i].PTS, u[10+i].At
			}
			_, sei := withoutSEI(t, u[11])
			other[1] = withSEI(other[1], sei)
			return slices.Concat(u[:10], other, u[15:])
		}, []string{"authentic 1", "authentic 2", "changed 3", "authentic 4", "authentic 5", "authentic 6", "authentic 7", "tail 8"}},
	}
	signed := sign(t, newSigner(t, Options{}), video264(), film(t, 8, 5))
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			expect(t, check(codecs.H264, c.edit(slices.Clone(signed))), c.want...)
		})
	}
}

func TestVerifier_JoinedClipsAreNamed(t *testing.T) {
	long := sign(t, newSigner(t, Options{}), video264(), film(t, 20, 5))
	t.Run("of one stream", func(t *testing.T) {
		got := check(codecs.H264, slices.Concat(long[:20], long[70:95]))
		expect(t, got, "authentic 1", "authentic 2", "authentic 3", "unsigned 4", "missing 4", "authentic 5", "authentic 6", "authentic 7", "authentic 8", "tail 9")
		if n := got[4].Pieces; n != 10 {
			t.Errorf("%d documents are said to be missing, want 10", n)
		}
	})
	t.Run("in the wrong order", func(t *testing.T) {
		expect(t, check(codecs.H264, slices.Concat(long[50:75], long[:25])),
			"authentic 1", "authentic 2", "authentic 3", "authentic 4", "unsigned 5",
			"reordered 6", "reordered 7", "reordered 8", "reordered 9", "tail 10")
		expect(t, check(codecs.H264, slices.Concat(long[50:75], long[20:60])),
			"authentic 1", "authentic 2", "authentic 3", "authentic 4", "unsigned 5", "missing 4",
			"reordered 6", "reordered 7", "reordered 8", "reordered 9", "reordered 10", "reordered 11", "repeated 12", "repeated 13")
	})
	t.Run("of two runs of the signer", func(t *testing.T) {
		key := newKey(t)
		a := sign(t, newSigner(t, Options{Key: key}), video264(), film(t, 4, 5))
		film := film(t, 12, 5)
		b := sign(t, newSigner(t, Options{Key: key}), video264(), film[40:])
		got := check(codecs.H264, slices.Concat(a, b))
		expect(t, got, "authentic 1", "authentic 2", "authentic 3", "unsigned 4", "authentic 5", "authentic 6", "authentic 7", "tail 8")
		if !got[4].Began {
			t.Error("that the signer began anew is not said")
		}
		// The second one not from its beginning.
		c := sign(t, newSigner(t, Options{Key: key}), video264(), film[20:])
		got = check(codecs.H264, slices.Concat(a[:15], c[20:]))
		if w := words(got); !slices.Contains(w, "missing 3") {
			t.Errorf("that something is missing is not said: %q", w)
		}
	})
	t.Run("of two cameras", func(t *testing.T) {
		a, b := clip(t), clip(t)
		expect(t, check(codecs.H264, slices.Concat(a, b)),
			"authentic 1", "authentic 2", "authentic 3", "authentic 4", "unsigned 5", "other-key 6", "other-key 7", "other-key 8", "other-key 9", "tail 10")
	})
}

func TestVerifier_OtherKeysAreNamed(t *testing.T) {
	signed := sign(t, newSigner(t, Options{}), video264(), film(t, 8, 5))
	other := newSigner(t, Options{})
	t.Run("expected one", func(t *testing.T) {
		v := NewVerifier(VerifierOptions{Codec: codecs.H264, Key: (&Origin{Chain: mustChain(t, other.chain)}).Key()})
		var got []GOP
		for _, u := range clip(t) {
			got = append(got, v.Add(u)...)
		}
		expect(t, append(got, v.Finish()...), "other-key 1", "other-key 2", "other-key 3", "other-key 4", "tail 5")
	})
	t.Run("one GOP signed by another", func(t *testing.T) {
		u := slices.Clone(signed)
		forged := sign(t, other, video264(), film(t, 8, 5))
		_, sei := withoutSEI(t, forged[16])
		plain, _ := withoutSEI(t, u[16])
		u[16] = withSEI(plain, sei)
		got := check(codecs.H264, u)
		if w := words(got); !slices.Contains(w, "other-key 3") {
			t.Errorf("got %q", w)
		}
	})
	t.Run("certificate swapped", func(t *testing.T) {
		u := slices.Clone(signed)
		n := seiOf(u[16])
		mine, _, _ := Find(codecs.H264, u[16].Payload[n])
		// Signatures of certificates have one of three lengths.
		for len(other.chain) != len(mine.Chain) {
			other = newSigner(t, Options{})
		}
		u[16] = change(u[16], n, func(b []byte) []byte {
			plain, _ := unescape(b)
			at := bytes.Index(plain, mine.Chain)
			plain = bytes.Clone(plain)
			copy(plain[at:], other.chain)
			var e escaper
			e.write(plain)
			return e.out
		})
		got := check(codecs.H264, u)
		expect(t, got, "authentic 1", "authentic 2", "bad-signature 3", "authentic 4", "authentic 5", "authentic 6", "authentic 7", "tail 8")
		if !strings.Contains(got[2].Reason, "another one than before") {
			t.Errorf("the reason is %q", got[2].Reason)
		}
	})
}

// A camera that plays a film again and again, or looks at a scene in which nothing
// moves, sends pictures that were there before. Their signatures tell them apart; at the
// end, where there is none yet, they are unsigned and not copied.
func TestVerifier_ACameraMayRepeatItself(t *testing.T) {
	once := film(t, 3, 20)
	again := film(t, 3, 20)
	last := once[len(once)-1]
	step := last.PTS - once[len(once)-2].PTS
	for i, u := range again {
		again[i].Payload = once[i].Payload
		again[i].PTS = u.PTS - once[0].PTS + last.PTS + step
		again[i].At = u.At - once[0].At + last.At + step*1000/90
	}
	signed := sign(t, newSigner(t, Options{}), video264(), slices.Concat(once, again))
	expect(t, check(codecs.H264, signed),
		"authentic 1", "authentic 2", "authentic 3", "authentic 4", "authentic 5", "tail 6")
}
