package mediasign

import (
	"bytes"
	"testing"

	"github.com/sightline-cam/sightline/codecs"
)

func FuzzFind(f *testing.F) {
	for _, u := range clip(f) {
		if n := seiOf(u); n >= 0 {
			f.Add(u.Payload[n], false)
			f.Add(append([]byte{0x4e, 1}, u.Payload[n][1:]...), true)
			f.Add(u.Payload[n][:200], false)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, is265 bool) {
		codec := codecs.H264
		if is265 {
			codec = codecs.H265
		}
		d, found, err := Find(codec, data)
		if err == nil && found && (len(d.Signature) > len(data) || len(d.Hashes) > maxHashes) {
			t.Errorf("read too much: %+v", d)
		}
		if err == nil && found {
			_, _ = parseChain(d.Chain)
		}
	})
}

// What is escaped comes back, and looks like no start code.
func FuzzEscape(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 3, 0, 0, 1, 0, 0, 3, 3})
	f.Fuzz(func(t *testing.T, data []byte) {
		var e escaper
		e.write(data)
		plain, removed := unescape(e.out)
		if !bytes.Equal(plain, data) || len(e.out) != len(data)+len(removed) {
			t.Fatalf("%x came back as %x", data, plain)
		}
		for _, bad := range [][]byte{{0, 0, 0}, {0, 0, 1}, {0, 0, 2}} {
			if bytes.Contains(e.out, bad) {
				t.Fatalf("%x contains %x", e.out, bad)
			}
		}
		if n := escapedEnd(len(data), removed); n != len(e.out) {
			t.Fatalf("all of it ends at %d, want %d", n, len(e.out))
		}
	})
}

// Whatever a stream is made of, the verifier ends, and counts what it was given.
func FuzzVerifier(f *testing.F) {
	signed := clip(f)
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24})
	f.Add([]byte{0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 5, 6, 7, 8, 9, 5, 6, 133, 140, 24, 23, 22})
	f.Add([]byte{20, 21, 22, 23, 24, 0, 1, 2, 3, 4, 5, 6, 7})
	f.Fuzz(func(t *testing.T, order []byte) {
		if len(order) > 200 {
			return
		}
		v := NewVerifier(VerifierOptions{Codec: codecs.H264, Window: 30})
		var gops []GOP
		pictures := 0
		for _, b := range order {
			u := signed[int(b)%len(signed)]
			if b >= 128 { // a changed one
				u = flip(u, int(b)%len(u.Payload), 1)
			}
			for _, n := range u.Payload {
				if classify(codecs.H264, n).kind == picture {
					pictures++
				}
			}
			gops = append(gops, v.Add(u)...)
		}
		units := 0
		for _, g := range append(gops, v.Finish()...) {
			units += g.Units
		}
		if units != pictures {
			t.Errorf("the report accounts for %d of %d", units, pictures)
		}
	})
}
