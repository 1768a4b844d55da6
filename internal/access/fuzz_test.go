package access

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/internal/identity"
)

// seeds are the tokens of the vectors, and odd ones.
func seeds(f *testing.F) {
	f.Helper()
	data, err := os.ReadFile(vectorsFile)
	if err != nil {
		f.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(data, &v); err != nil {
		f.Fatal(err)
	}
	for _, token := range []vectorToken{v.Grant, v.Invite, v.Redeemed, v.List, v.Next} {
		f.Add(token.Compact, token.Payload)
	}
	f.Add("a.b.c", "{}")
	f.Add("", "[[[[")
	f.Add("..", `{"prf":{"prf":{}}}`)
}

// fuzz offers a parser text as it comes, and as the payload of a token that is
// signed as it should be; whatever is accepted must be accepted again when
// signed anew.
func fuzz(f *testing.F, typ string, parse func(compact string) (again func() (string, error), err error)) {
	f.Helper()
	seeds(f)
	id := newID(f)
	f.Fuzz(func(t *testing.T, compact, payload string) {
		// A fuzzer finds no signatures, so the issuer of what it makes is ours.
		var p struct {
			Issuer identity.PeerID `json:"iss"`
		}
		if json.Unmarshal([]byte(payload), &p) == nil && p.Issuer != "" {
			payload = strings.Replace(payload, string(p.Issuer), string(id.PeerID()), 1)
		}
		signed, err := identity.SignTyped(id, typ, []byte(payload))
		if err != nil {
			signed = ""
		}
		for _, c := range []string{compact, signed} {
			again, err := parse(c)
			if err != nil {
				if !errors.Is(err, ErrToken) {
					t.Fatalf("%q: %v", c, err)
				}
				continue
			}
			made, err := again()
			if errors.Is(err, ErrTooLong) {
				continue // escapes were shorter
			}
			if err != nil {
				t.Fatalf("what was read cannot be signed: %v", err)
			}
			if !samePayload(made, c, string(id.PeerID())) {
				t.Fatalf("%q is understood as %q", c, made)
			}
		}
	})
}

// samePayload reports whether two tokens say the same, apart from the issuer.
func samePayload(a, b, issuer string) bool {
	var said [2]map[string]any
	for i, compact := range []string{a, b} {
		raw, err := base64.RawURLEncoding.DecodeString(strings.Split(compact, ".")[1])
		if err != nil || json.Unmarshal(raw, &said[i]) != nil {
			return false
		}
		if said[i]["iss"] != nil {
			said[i]["iss"] = issuer
		}
	}
	x, err1 := json.Marshal(said[0])
	y, err2 := json.Marshal(said[1])
	return err1 == nil && err2 == nil && slices.Equal(x, y)
}

func FuzzParseGrant(f *testing.F) {
	id := newID(f)
	fuzz(f, GrantType, func(compact string) (func() (string, error), error) {
		g, err := ParseGrant(compact)
		if err != nil {
			return nil, err
		}
		return func() (string, error) { return SignGrant(id, *g) }, nil
	})
}

func FuzzParseInvite(f *testing.F) {
	id := newID(f)
	fuzz(f, InviteType, func(compact string) (func() (string, error), error) {
		v, err := ParseInvite(compact)
		if err != nil {
			return nil, err
		}
		return func() (string, error) { return SignInvite(id, *v) }, nil
	})
}

func FuzzParseList(f *testing.F) {
	id := newID(f)
	fuzz(f, ListType, func(compact string) (func() (string, error), error) {
		l, err := ParseList(compact)
		if err != nil {
			return nil, err
		}
		return func() (string, error) { return SignList(id, *l) }, nil
	})
}
