package relay

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
)

func noDeadline() time.Time { return time.Time{} }

func TestSecret_MakesCredentialsOfTheRESTScheme(t *testing.T) {
	s, err := ParseSecret(" the-secret-of-the-tests\n")
	if err != nil {
		t.Fatal(err)
	}
	agent := newAgent(t)
	expires := time.Unix(1_900_000_000, 0)
	a := s.Credential([]string{"turn:a.example"}, agent, expires)
	if err := a.Validate(); err != nil {
		t.Error(err)
	}
	if !strings.HasPrefix(a.Username, "1900000000:"+string(agent)+":") || a.Expires != 1_900_000_000 {
		t.Errorf("%+v", a)
	}
	// As `printf %s USERNAME | openssl dgst -sha1 -hmac SECRET -binary | base64` has it.
	if got := s.password("1900000000:x"); got != "IvaLOSFKrQVcDxQfqrUOmna17CM=" {
		t.Error("password", got)
	}
	if b := s.Credential(nil, agent, expires); b.Username == a.Username || b.Credential == a.Credential {
		t.Error("two sessions share a credential")
	}
	got, until, err := parseUsername(a.Username)
	if err != nil || got != agent || !until.Equal(expires) {
		t.Error(got, until, err)
	}
}

func TestSecret_IsNotInLogs(t *testing.T) {
	s := NewSecret()
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %#v", s, s, s), fmt.Sprintf("%+v", struct{ S Secret }{s})} {
		if strings.Contains(text, s.text) {
			t.Error(text)
		}
	}
}

func TestOpenSecret_KeepsOneThatItMade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "turn-secret")
	a, err := OpenSecret(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	if b, err := OpenSecret(path); err != nil || a != b {
		t.Error("another one the second time:", err)
	}
	for _, bad := range []string{"", "short", strings.Repeat("x", 513), "with a blank in the middle", "two\nlines-of-enough-length"} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenSecret(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}

func TestParseUsername_RefusesOtherForms(t *testing.T) {
	agent := string(newAgent(t))
	token := base64.RawURLEncoding.EncodeToString(make([]byte, tokenSize))
	for _, bad := range []string{
		"", ":", "::", "17", "17:", "17:" + agent, "17:" + agent + ":", "17:" + agent + ":" + token + ":", "17:" + agent + ":" + token[1:],
		"-1:" + agent + ":" + token, "+17:" + agent + ":" + token, "017:" + agent + ":" + token, "x:" + agent + ":" + token,
		"17:" + strings.ToUpper(agent) + ":" + token, "17:x:" + token, "9007199254740992:" + agent + ":" + token,
	} {
		if _, _, err := parseUsername(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	if _, _, err := parseUsername("17:" + agent + ":" + token); err != nil {
		t.Error(err)
	}
}

func FuzzParseUsername(f *testing.F) {
	agent := newAgent(f)
	f.Add(testSecret(f).Credential(nil, agent, time.Unix(17, 0)).Username)
	f.Add("17:x:y")
	f.Fuzz(func(t *testing.T, in string) {
		id, expires, err := parseUsername(in)
		if err == nil && (id.Validate() != nil || !strings.HasPrefix(in, fmt.Sprintf("%d:%s:", expires.Unix(), id))) {
			t.Errorf("%q is read as %q, %v", in, id, expires)
		}
	})
}

func TestAgents_AreReadAgainWhenTheyChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agents.txt")
	a, b := newAgent(t), newAgent(t)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# the first\n" + string(a) + " front door\n")
	agents, err := OpenAgents(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := func(agent identity.PeerID, enrolled bool) {
		t.Helper()
		agents.checked = time.Time{} // as after a second
		if agents.Enrolled(agent) != enrolled {
			t.Errorf("%s: not %v", agent.Short(), enrolled)
		}
	}
	want(a, true)
	want(b, false)
	write(string(b) + "\n")
	want(a, false)
	want(b, true)
	write("rubbish\n") // the list before counts
	want(b, true)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	want(b, true)
	write("")
	want(b, false)
	if _, err := OpenAgents(filepath.Join(t.TempDir(), "none"), nil); err == nil {
		t.Error("a missing file is accepted")
	}
	if !AnyAgent().Enrolled(a) {
		t.Error("any is not any")
	}
}

func TestSecret_TheFirstOneIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "turn-secret")
	first, second := NewSecret(), NewSecret()
	if err := first.keep(path); err != nil {
		t.Fatal(err)
	}
	if err := second.keep(path); !errors.Is(err, fs.ErrExist) {
		t.Error("a second one:", err)
	}
	if got, err := OpenSecret(path); err != nil || got != first {
		t.Error("not the first one", err)
	}
	if all, err := os.ReadDir(filepath.Dir(path)); err != nil || len(all) != 1 {
		t.Error(all, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
}
