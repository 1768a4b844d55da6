package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

// The key of RFC 7515 Appendix A.3.1; its PeerID was computed with other tools.
const (
	rfcX      = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
	rfcY      = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
	rfcPeerID = "3tjei3fjraymqq6esothenslvfy5m5h355ooq7ljofs3ghuqgafa"
)

func publicKey(t testing.TB, x, y string) *ecdsa.PublicKey {
	t.Helper()
	point := []byte{4}
	for _, s := range []string{x, y} {
		raw, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		point = append(point, raw...)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestPeerID_IsTheHashOfTheUncompressedPoint(t *testing.T) {
	got, err := PeerIDOf(publicKey(t, rfcX, rfcY))
	if err != nil || got != rfcPeerID {
		t.Fatalf("PeerIDOf = %q, %v; want %q", got, err, rfcPeerID)
	}
	if err := got.Validate(); err != nil {
		t.Error(err)
	}
}

func TestPeerID_RefusesOtherCurves(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := PeerIDOf(&key.PublicKey); !errors.Is(err, ErrKey) {
		t.Errorf("P-384: %v", err)
	}
	if _, err := PeerIDOf(nil); !errors.Is(err, ErrKey) {
		t.Errorf("nil: %v", err)
	}
	if _, err := New(key); !errors.Is(err, ErrKey) {
		t.Errorf("New with P-384: %v", err)
	}
}

func TestPeerID_DIDKeyMatchesThePublishedVector(t *testing.T) {
	// A P-256 vector of the did:key method.
	got, err := DIDKey(publicKey(t, "igrFmi0whuihKnj9R3Om1SoMph72wUGeFaBbzG2vzns", "efsX5b10x8yjyrj4ny3pGfLcY7Xby1KzgqOdqnsrJIM"))
	if want := "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv"; err != nil || got != want {
		t.Fatalf("DIDKey = %q, %v; want %q", got, err, want)
	}
}

func TestParsePeerID_AcceptsWhatPeopleType(t *testing.T) {
	id := PeerID(rfcPeerID)
	if got, want := id.Grouped(), "3tje-i3fj-raym-qq6e-soth-ensl-vfy5-m5h3-55oo-q7lj-ofs3-ghuq-gafa"; got != want {
		t.Errorf("Grouped = %q, want %q", got, want)
	}
	for _, typed := range []string{rfcPeerID, id.Grouped(), strings.ToUpper(id.Grouped()), " " + rfcPeerID + "\n", strings.ReplaceAll(id.Grouped(), "-", " ")} {
		if got, err := ParsePeerID(typed); err != nil || got != id {
			t.Errorf("ParsePeerID(%q) = %q, %v", typed, got, err)
		}
	}
}

func TestParsePeerID_RefusesWhatIsNone(t *testing.T) {
	for name, s := range map[string]string{
		"empty": "", "short": rfcPeerID[1:], "long": rfcPeerID + "a", "wrong character": "1" + rfcPeerID[1:],
		"padding": rfcPeerID[:51] + "=", "stray bits at the end": rfcPeerID[:51] + "b", "very long": strings.Repeat("-", 1<<20),
	} {
		if id, err := ParsePeerID(s); !errors.Is(err, ErrPeerID) {
			t.Errorf("%s: %q, %v", name, id, err)
		}
	}
	if err := PeerID(strings.ToUpper(rfcPeerID)).Validate(); err == nil {
		t.Error("Validate accepts a second spelling")
	}
}

func FuzzParsePeerID(f *testing.F) {
	f.Add(rfcPeerID)
	f.Add(PeerID(rfcPeerID).Grouped())
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParsePeerID(s)
		if err != nil {
			return
		}
		if again, err := ParsePeerID(id.Grouped()); err != nil || again != id {
			t.Fatalf("%q became %q, %v", id, again, err)
		}
	})
}
