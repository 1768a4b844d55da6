package access

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

// noon is the time in these tests.
var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant

const home = "AAAAAAAAAAAAAAAAAAAAAA"

func newID(t testing.TB) *identity.Identity {
	t.Helper()
	id, err := identity.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// must takes the result of a call that makes a token.
func must(t testing.TB) func(string, error) string {
	return func(compact string, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return compact
	}
}

func readGrant(t testing.TB, compact string) *Grant {
	t.Helper()
	g, err := ParseGrant(compact)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func readInvite(t testing.TB, compact string) *Invite {
	t.Helper()
	v, err := ParseInvite(compact)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// everything is the widest scope.
func everything() Scope {
	return Scope{Rights: AllRights(), Cameras: []string{AnyCamera}, Pass: true}
}

// people are an owner, guests and two publishers of one home, and somebody else.
type people struct {
	owner, guest, friend, stranger *identity.Identity
	camera, recorder               *identity.Identity
}

func newPeople(t testing.TB) people {
	return people{newID(t), newID(t), newID(t), newID(t), newID(t), newID(t)}
}

// at is what one of the publishers judges by.
func (p people) at(publisher *identity.Identity) Authority {
	return Authority{
		Publisher: publisher.PeerID(), Home: home,
		Owner: func(peer identity.PeerID) bool { return peer == p.owner.PeerID() },
		Member: func(peer identity.PeerID) bool {
			return peer == p.camera.PeerID() || peer == p.recorder.PeerID()
		},
	}
}

// refusedBy fails the test unless err wraps want and names the check.
func refusedBy(t testing.TB, what string, err, want error, by check.Name) {
	t.Helper()
	if name, _ := check.Of(err); !errors.Is(err, want) || name != by {
		t.Errorf("%s: %v, refused by %q; want %v by %q", what, err, name, want, by)
	}
}

// resign changes a token's payload as text and signs it again.
func resign(t testing.TB, id *identity.Identity, typ, compact string, change func(string) string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(compact, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	changed := change(string(raw))
	if changed == string(raw) {
		t.Fatal("the change changes nothing")
	}
	return must(t)(identity.SignTyped(id, typ, []byte(changed)))
}

// member replaces one member of a JSON object, keeping the order of the others.
func member(name, value string) func(string) string {
	return func(object string) string {
		var all map[string]json.RawMessage
		if err := json.Unmarshal([]byte(object), &all); err != nil {
			return object
		}
		return strings.Replace(object, `"`+name+`":`+string(all[name]), `"`+name+`":`+value, 1)
	}
}

// without removes one member of a JSON object.
func without(name string) func(string) string {
	return func(object string) string {
		var all map[string]json.RawMessage
		if err := json.Unmarshal([]byte(object), &all); err != nil {
			return object
		}
		delete(all, name)
		out, err := json.Marshal(all)
		if err != nil {
			return object
		}
		return string(out)
	}
}
