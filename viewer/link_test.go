package viewer

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/signaling"
)

func TestParseLink_ReadsWhatAnAgentPrints(t *testing.T) {
	id := newPeerID(t)
	secret := string(signaling.NewToken(access.TokenSize))
	jti := access.NewToken()
	for text, want := range map[string]Link{
		"https://cam.example/#peer=" + string(id):                                 {SignalURL: "wss://cam.example", Peer: id},
		"http://127.0.0.1:8788/#peer=" + id.Grouped():                             {SignalURL: "ws://127.0.0.1:8788", Peer: id},
		"https://cam.example/#peer=" + string(id) + "&camera=front":               {SignalURL: "wss://cam.example", Peer: id},
		"https://cam.example/#peer=" + string(id) + "&pair=" + secret:             {SignalURL: "wss://cam.example", Peer: id, Claim: &Claim{Kind: "pair", Secret: secret}},
		"https://c.example/#peer=" + string(id) + "&invite=" + jti + "." + secret: {SignalURL: "wss://c.example", Peer: id, Claim: &Claim{Kind: "invite", Invite: jti, Secret: secret}},
	} {
		got, err := ParseLink(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", text, d)
		}
	}
}

func TestParseLink_RefusesWithoutQuotingTheSecret(t *testing.T) {
	id := string(newPeerID(t))
	secret := string(signaling.NewToken(access.TokenSize))
	for _, text := range []string{
		"", "peer", id, "ftp://h/#peer=" + id, "https://h/", "https://h/#peer=x&pair=" + secret, "https://h/#peer=" + id + "&pair=" + secret[1:],
		"https://h/#peer=" + id + "&pair=" + secret + "&invite=a." + secret, "https://h/#peer=" + id + "&invite=" + secret, "https://h/#peer=" + id + "&invite=abc." + secret,
		"https://h/#peer=" + id + "&pair=%zz" + secret, "https://h/#peer=" + id + "&x=" + strings.Repeat("x", maxLink),
	} {
		_, err := ParseLink(text)
		if !errors.Is(err, ErrLink) {
			t.Errorf("%.60s: %v", text, err)
		} else if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), secret[1:]) {
			t.Errorf("the error quotes the secret: %v", err)
		}
	}
}

func FuzzParseLink(f *testing.F) {
	f.Add("https://cam.example/#peer=" + string(newPeerID(f)) + "&invite=" + access.NewToken() + "." + string(signaling.NewToken(access.TokenSize)))
	f.Fuzz(func(t *testing.T, text string) {
		l, err := ParseLink(text)
		if err == nil && (l.Peer.Validate() != nil || l.SignalURL == "") {
			t.Errorf("%q gives %+v", text, l)
		}
	})
}
