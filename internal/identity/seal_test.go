package identity

import (
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/sightline-cam/sightline/internal/check"
)

func TestSeal_OnlyTheReceiverOpensIt(t *testing.T) {
	receiver, stranger := newIdentity(t), newIdentity(t)
	sealed, err := Seal(receiver.AgreementKey(), []byte("where I am"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := receiver.Unseal(sealed)
	if err != nil || string(got) != "where I am" {
		t.Errorf("opened as %q, %v", got, err)
	}
	if strings.Contains(sealed, base64.RawURLEncoding.EncodeToString([]byte("where"))) {
		t.Error("the text is in the sealed message")
	}
	_, err = stranger.Unseal(sealed)
	if !errors.Is(err, ErrNotSealed) {
		t.Errorf("a stranger's error is %v", err)
	}
	if n, _ := check.Of(err); n != check.Sealed {
		t.Errorf("refused by %q", n)
	}
	again, err := Seal(receiver.AgreementKey(), []byte("where I am"))
	if err != nil || again == sealed {
		t.Errorf("the same text is sealed the same way twice: %v", err)
	}
}

func TestSeal_TheLongestMessageFits(t *testing.T) {
	id := newIdentity(t)
	sealed, err := Seal(id.AgreementKey(), make([]byte, MaxJWS))
	if err != nil || len(sealed) > MaxSealed {
		t.Fatalf("%d bytes, %v; %d are the limit", len(sealed), err, MaxSealed)
	}
	if got, err := id.Unseal(sealed); err != nil || len(got) != MaxJWS {
		t.Errorf("%d bytes come back, %v", len(got), err)
	}
	if _, err := Seal(id.AgreementKey(), make([]byte, MaxJWS+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("one byte more: %v", err)
	}
}

func TestUnseal_OpensWhatABrowserSealed(t *testing.T) {
	data, err := os.ReadFile("testdata/jwe.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Receiver     jose.JSONWebKey `json:"receiver"`
		AgreementKey AgreementKey    `json:"agreementKey"`
		Plaintext    string          `json:"plaintext"`
		Compact      string          `json:"compact"`
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	id := newIdentity(t)
	id.agreement = golden.Receiver.Key.(*ecdsa.PrivateKey)
	if key, err := agreementKeyOf(id.agreement); err != nil || key != golden.AgreementKey {
		t.Errorf("the key is %q, %v", key, err)
	}
	got, err := id.Unseal(golden.Compact)
	if err != nil || string(got) != golden.Plaintext {
		t.Errorf("opened as %q, %v", got, err)
	}
}

func TestUnseal_RefusesEveryChange(t *testing.T) {
	id := newIdentity(t)
	sealed, err := Seal(id.AgreementKey(), []byte("aaa.bbb.ccc"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(sealed) {
		changed := []byte(sealed)
		changed[i] ^= 1
		if got, err := id.Unseal(string(changed)); err == nil {
			t.Errorf("byte %d changed: opened as %q", i, got)
		}
	}
	parts := strings.Split(sealed, ".")
	header, _ := base64.RawURLEncoding.DecodeString(parts[0])
	with := func(old, text string) string {
		h := strings.Replace(string(header), old, text, 1)
		if h == string(header) {
			t.Fatalf("%q is not in the header", old)
		}
		return strings.Join(append([]string{base64.RawURLEncoding.EncodeToString([]byte(h))}, parts[1:]...), ".")
	}
	text, _ := base64.RawURLEncoding.DecodeString(parts[3])
	tag, _ := base64.RawURLEncoding.DecodeString(parts[4])
	last := len(text) - 1
	longTag := base64.RawURLEncoding.EncodeToString(append([]byte{text[last]}, tag...))
	for name, text := range map[string]string{
		"empty":            "",
		"a JWS":            "a.b.c",
		"a longer tag":     strings.Join([]string{parts[0], "", parts[2], base64.RawURLEncoding.EncodeToString(text[:last]), longTag}, "."),
		"no iv":            strings.Join([]string{parts[0], "", "", parts[3], parts[4]}, "."),
		"an encrypted key": strings.Join([]string{parts[0], "AAAA", parts[2], parts[3], parts[4]}, "."),
		"another type":     with("sightline+jwe", "JWE"),
		"deflated":         with(`"enc"`, `"zip":"DEF","enc"`),
		"another cipher":   with("A256GCM", "A128GCM"),
		"another exchange": with("ECDH-ES", "ECDH-ES+A256KW"),
		"party info":       with(`"enc"`, `"apu":"AA","enc"`),
		"a private key":    with(`"kty"`, `"d":"AA","kty"`),
		"too long":         sealed + strings.Repeat("A", MaxSealed),
	} {
		if _, err := id.Unseal(text); !errors.Is(err, ErrNotSealed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOpenKeyStatement_TakesOnlyThePeersOwn(t *testing.T) {
	id, other := newIdentity(t), newIdentity(t)
	key, err := OpenKeyStatement(id.KeyStatement(), id.PeerID())
	if err != nil || key != id.AgreementKey() {
		t.Fatalf("%q, %v", key, err)
	}
	forged, err := newKeyStatement(&Identity{signer: other.signer, id: id.PeerID()}, other.AgreementKey())
	if err != nil {
		t.Fatal(err)
	}
	offCurve := AgreementKey(base64.RawURLEncoding.EncodeToString(append([]byte{4}, make([]byte, 64)...)))
	bad, err := newKeyStatement(id, offCurve)
	if err != nil {
		t.Fatal(err)
	}
	other2, err := Sign(id, []byte(`{"type":"offer"}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		compact string
		by      check.Name
	}{
		"another peer's":             {other.KeyStatement(), check.Sender},
		"signed by another":          {forged, check.Sender},
		"a point that is no key":     {bad, check.Form},
		"another kind of message":    {other2, check.Form},
		"too long":                   {id.KeyStatement() + strings.Repeat("A", MaxKeyStatement), check.Form},
		"nothing":                    {"", check.Form},
		"with a signature cut short": {id.KeyStatement()[:len(id.KeyStatement())-4], check.Form},
	} {
		_, err := OpenKeyStatement(c.compact, id.PeerID())
		if n, _ := check.Of(err); !errors.Is(err, ErrKeyStatement) || n != c.by && n != check.Signature {
			t.Errorf("%s: refused by %q: %v", name, n, err)
		}
	}
}

func FuzzUnseal(f *testing.F) {
	id := newIdentity(f)
	sealed, err := Seal(id.AgreementKey(), []byte("x"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add("a..b.c.d")
	f.Add(".....")
	f.Fuzz(func(t *testing.T, text string) {
		if text == sealed {
			return
		}
		if got, err := id.Unseal(text); err == nil {
			t.Errorf("%q opened as %q", text, got)
		}
	})
}

func FuzzOpenKeyStatement(f *testing.F) {
	id := newIdentity(f)
	f.Add(id.KeyStatement())
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		if key, err := OpenKeyStatement(text, id.PeerID()); err == nil && key != id.AgreementKey() {
			t.Errorf("%q gives the key %q", text, key)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	id := newIdentity(b)
	text := make([]byte, 4096)
	for b.Loop() {
		if _, err := Seal(id.AgreementKey(), text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnseal(b *testing.B) {
	id := newIdentity(b)
	sealed, err := Seal(id.AgreementKey(), make([]byte, 4096))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := id.Unseal(sealed); err != nil {
			b.Fatal(err)
		}
	}
}
