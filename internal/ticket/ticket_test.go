package ticket

import (
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
)

func generate(t testing.TB) *identity.Identity {
	t.Helper()
	id, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestCall_SaysWhoDialsWhomAndProvesIt(t *testing.T) {
	viewer, agent, stranger := generate(t), generate(t).PeerID(), generate(t).PeerID()
	now, expires := time.Unix(1_800_000_000, 0), time.Unix(1_900_000_000, 0)
	print := sha256.Sum256([]byte("certificate"))
	secret, err := Secret([]byte("key"), viewer.PeerID(), expires)
	if err != nil {
		t.Fatal(err)
	}
	text, password, err := Call(viewer, agent, secret, expires, now, print)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) != 197 || password != Password(secret, text) || len(password) != 43 {
		t.Errorf("fragment of %d characters, password of %d", len(text), len(password))
	}
	f, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if f.Viewer != viewer.PeerID() || !f.Expires.Equal(expires) || !f.Time.Equal(now) || f.Fingerprint != print {
		t.Errorf("read %+v", f)
	}
	if err := f.Verify(agent); err != nil {
		t.Error(err)
	}
	if err := f.Verify(stranger); !errors.Is(err, ErrFragment) {
		t.Errorf("a call to another agent: %v", err)
	}
	again, _, err := Call(viewer, agent, secret, expires, now, print)
	if err != nil || again == text {
		t.Errorf("a second call has the same fragment: %v", err)
	}
}

func TestVerify_RefusesWhateverWasChanged(t *testing.T) {
	viewer, agent := generate(t), generate(t).PeerID()
	text, _, err := Call(viewer, agent, []byte("secret"), time.Unix(1_900_000_000, 0), time.Unix(1_800_000_000, 0), [32]byte{})
	if err != nil {
		t.Fatal(err)
	}
	for i := len(Prefix); i < len(text)-1; i++ { // the last character has spare bits
		c := byte('A')
		if text[i] == c {
			c = 'B'
		}
		f, err := Parse(text[:i] + string(c) + text[i+1:])
		if err == nil && f.Verify(agent) == nil {
			t.Fatalf("a change at %d is not noticed", i)
		}
	}
	for _, bad := range []string{"", Prefix, text[:len(text)-1], text + "A", "xx" + text[2:], Prefix + strings.Repeat("/", len(text)-2)} {
		if _, err := Parse(bad); !errors.Is(err, ErrFragment) {
			t.Errorf("%.10q…: %v", bad, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	viewer := generate(f)
	text, _, err := Call(viewer, viewer.PeerID(), nil, time.Unix(1, 0), time.Unix(2, 0), [32]byte{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := Parse(text); err == nil {
			if p.Viewer.Validate() != nil || len(p.raw) != size {
				t.Errorf("%+v", p)
			}
		}
	})
}
