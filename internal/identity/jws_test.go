package identity

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// handMade signs header and payload without any of the package's code.
func handMade(t testing.TB, key *ecdsa.PrivateKey, header, payload string) string {
	t.Helper()
	input := b64([]byte(header)) + "." + b64([]byte(payload))
	sum := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	sig := make([]byte, 64)
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return input + "." + b64(sig)
}

func jwkOf(t testing.TB, key *ecdsa.PublicKey) string {
	t.Helper()
	point, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	half := len(point) / 2
	return fmt.Sprintf(`{"kty":"EC","crv":%q,"x":%q,"y":%q}`, key.Params().Name, b64(point[1:1+half]), b64(point[1+half:]))
}

func privateKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestVerify_ReturnsPayloadAndSigner(t *testing.T) {
	id := newIdentity(t)
	payload := []byte(`{"a":"ü"}`)
	compact, err := Sign(id, payload)
	if err != nil {
		t.Fatal(err)
	}
	got, from, err := Verify(compact)
	if err != nil || from != id.PeerID() || !bytes.Equal(got, payload) {
		t.Fatalf("Verify = %q, %q, %v", got, from, err)
	}
}

func TestVerify_AcceptsWhatABrowserMade(t *testing.T) {
	data, err := os.ReadFile("testdata/webcrypto.json")
	if err != nil {
		t.Fatal(err)
	}
	var v struct{ Point, PeerID, Payload, JWS string }
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	payload, from, err := Verify(v.JWS)
	if err != nil || string(payload) != v.Payload || string(from) != v.PeerID {
		t.Fatalf("Verify = %q, %q, %v", payload, from, err)
	}
	point, err := base64.RawURLEncoding.DecodeString(v.Point)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		t.Fatal(err)
	}
	if id, err := PeerIDOf(key); err != nil || string(id) != v.PeerID {
		t.Errorf("PeerIDOf = %q, %v; want %q", id, err, v.PeerID)
	}
}

func TestSign_IsAcceptedByWebCrypto(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("node is missing; install it")
		}
		t.Skip("node is not installed")
	}
	compact, err := Sign(newIdentity(t), []byte(`{"to":"a browser"}`))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), node, "testdata/verify.mjs")
	cmd.Stdin = strings.NewReader(compact)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil || string(out) != `{"to":"a browser"}` {
		t.Fatalf("node: %q, %v", out, err)
	}
}

func TestVerify_RefusesEverythingButOurOwnForm(t *testing.T) {
	key := privateKey(t, elliptic.P256())
	other := privateKey(t, elliptic.P256())
	p384 := privateKey(t, elliptic.P384())
	jwk := jwkOf(t, &key.PublicKey)
	header := `{"alg":"ES256","typ":"sightline+jws","jwk":` + jwk + `}`
	good := handMade(t, key, header, "payload")
	if _, _, err := Verify(good); err != nil {
		t.Fatal("the form under test itself is refused:", err)
	}
	parts := strings.Split(good, ".")
	private := strings.TrimSuffix(jwk, "}") + `,"d":"` + strings.Repeat("A", 43) + `"}`
	with := func(h string) string { return handMade(t, key, h, "payload") }
	tests := map[string]string{
		"empty":                  "",
		"one part":               parts[0],
		"four parts":             good + ".",
		"detached payload":       parts[0] + ".." + parts[2],
		"payload changed":        parts[0] + "." + b64([]byte("payloae")) + "." + parts[2],
		"alg none, no signature": b64([]byte(`{"alg":"none","typ":"sightline+jws","jwk":`+jwk+`}`)) + "." + parts[1] + ".",
		"alg none":               with(`{"alg":"none","typ":"sightline+jws","jwk":` + jwk + `}`),
		"HS256 keyed with the public key": func() string {
			input := b64([]byte(`{"alg":"HS256","typ":"sightline+jws","jwk":`+jwk+`}`)) + "." + parts[1]
			point, _ := key.PublicKey.Bytes()
			mac := hmac.New(sha256.New, point)
			mac.Write([]byte(input))
			return input + "." + b64(mac.Sum(nil))
		}(),
		"ES384": func() string {
			input := b64([]byte(`{"alg":"ES384","typ":"sightline+jws","jwk":`+jwkOf(t, &p384.PublicKey)+`}`)) + "." + parts[1]
			sum := sha512.Sum384([]byte(input))
			r, s, err := ecdsa.Sign(rand.Reader, p384, sum[:])
			if err != nil {
				t.Fatal(err)
			}
			return input + "." + b64(append(r.FillBytes(make([]byte, 48)), s.FillBytes(make([]byte, 48))...))
		}(),
		"ES256 with a P-384 key":    with(`{"alg":"ES256","typ":"sightline+jws","jwk":` + jwkOf(t, &p384.PublicKey) + `}`),
		"somebody else's jwk":       with(`{"alg":"ES256","typ":"sightline+jws","jwk":` + jwkOf(t, &other.PublicKey) + `}`),
		"a private jwk":             with(`{"alg":"ES256","typ":"sightline+jws","jwk":` + private + `}`),
		"a point off the curve":     with(`{"alg":"ES256","typ":"sightline+jws","jwk":{"kty":"EC","crv":"P-256","x":"` + rfcX + `","y":"` + rfcX + `"}}`),
		"the point at infinity":     with(`{"alg":"ES256","typ":"sightline+jws","jwk":{"kty":"EC","crv":"P-256","x":"` + strings.Repeat("A", 43) + `","y":"` + strings.Repeat("A", 43) + `"}}`),
		"no jwk":                    with(`{"alg":"ES256","typ":"sightline+jws"}`),
		"jwk null":                  with(`{"alg":"ES256","typ":"sightline+jws","jwk":null}`),
		"no typ":                    with(`{"alg":"ES256","jwk":` + jwk + `}`),
		"another typ":               with(`{"alg":"ES256","typ":"JWT","jwk":` + jwk + `}`),
		"kid":                       with(`{"alg":"ES256","typ":"sightline+jws","kid":"x","jwk":` + jwk + `}`),
		"crit":                      with(`{"alg":"ES256","typ":"sightline+jws","crit":["exp"],"jwk":` + jwk + `}`),
		"jku":                       with(`{"alg":"ES256","typ":"sightline+jws","jku":"https://example.org/","jwk":` + jwk + `}`),
		"b64 false":                 with(`{"alg":"ES256","typ":"sightline+jws","b64":false,"crit":["b64"],"jwk":` + jwk + `}`),
		"alg twice":                 with(`{"alg":"none","alg":"ES256","typ":"sightline+jws","jwk":` + jwk + `}`),
		"alg in another case":       with(`{"Alg":"ES256","typ":"sightline+jws","jwk":` + jwk + `}`),
		"text after the header":     with(header + "{}"),
		"header is an array":        with("[" + header + "]"),
		"header is not JSON":        with("x"),
		"header too long":           with(header + strings.Repeat(" ", 2000)),
		"line break in base64":      parts[0] + "." + parts[1][:4] + "\n" + parts[1][4:] + "." + parts[2],
		"padding":                   parts[0] + "." + parts[1] + "==." + parts[2],
		"standard alphabet":         strings.Replace(good, parts[2], strings.NewReplacer("-", "+", "_", "/").Replace(parts[2])+"/", 1),
		"stray bits":                strings.TrimSuffix(good, good[len(good)-1:]) + string(good[len(good)-1]+1),
		"signature cut":             good[:len(good)-4],
		"signature empty":           parts[0] + "." + parts[1] + ".",
		"signature of zeros":        parts[0] + "." + parts[1] + "." + b64(make([]byte, 64)),
		"signature in ASN.1":        parts[0] + "." + parts[1] + "." + b64(asn1Signature(t, key, parts[0]+"."+parts[1])),
		"flattened JSON":            `{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] + `"}`,
		"far too long":              handMade(t, key, header, strings.Repeat("x", MaxJWS)),
		"signed by another, our ID": handMade(t, other, header, "payload"),
	}
	for name, compact := range tests {
		if payload, from, err := Verify(compact); !errors.Is(err, ErrNotVerified) || payload != nil || from != "" {
			t.Errorf("%s: %q from %q, %v", name, payload, from, err)
		}
	}
}

func asn1Signature(t testing.TB, key *ecdsa.PrivateKey, input string) []byte {
	t.Helper()
	sum := sha256.Sum256([]byte(input))
	sig, err := key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

func TestSign_RefusesWhatVerifyWouldNotRead(t *testing.T) {
	id := newIdentity(t)
	for _, size := range []int{55_100, MaxJWS, 1 << 20} {
		if _, err := Sign(id, make([]byte, size)); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	compact, err := Sign(id, make([]byte, 54_900))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Verify(compact); err != nil {
		t.Error(err)
	}
}

func FuzzVerify(f *testing.F) {
	key := privateKey(f, elliptic.P256())
	header := `{"alg":"ES256","typ":"sightline+jws","jwk":` + jwkOf(f, &key.PublicKey) + `}`
	f.Add(handMade(f, key, header, "payload"))
	f.Add(handMade(f, key, `{"alg":"none"}`, ""))
	f.Add("a.b.c")
	f.Add("..")
	f.Fuzz(func(t *testing.T, compact string) {
		payload, from, err := Verify(compact)
		if err != nil {
			if !errors.Is(err, ErrNotVerified) || payload != nil || from != "" {
				t.Fatalf("%q, %q, %v", payload, from, err)
			}
			return
		}
		if err := from.Validate(); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkSign(b *testing.B) {
	id := newIdentity(b)
	payload := bytes.Repeat([]byte("v=0\r\n"), 800)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Sign(id, payload); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	compact, err := Sign(newIdentity(b), bytes.Repeat([]byte("v=0\r\n"), 800))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Verify(compact); err != nil {
			b.Fatal(err)
		}
	}
}
