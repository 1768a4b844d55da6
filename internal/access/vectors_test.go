package access

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
)

const vectorsFile = "testdata/vectors.json"

// vectors are fixed inputs and what comes of them, for this package and the page.
// The signatures are random, so tokens are kept, and made anew with -update.
type vectors struct {
	Comment string               `json:"comment"`
	Keys    map[string]vectorKey `json:"keys"`
	// Grant is by the owner for the guest, Invite by the owner, Redeemed the
	// grant that the publisher made of it, List version 1 by the owner.
	Grant    vectorToken   `json:"grant"`
	Invite   vectorToken   `json:"invite"`
	Redeemed vectorToken   `json:"redeemed"`
	List     vectorToken   `json:"list"`
	Next     vectorToken   `json:"next"`
	Secret   string        `json:"secret"` // of Invite and the proofs
	Proofs   []vectorProof `json:"proofs"`
	Scopes   []vectorScope `json:"scopes"`
	// Signals says which addresses may be a publisher's signal.
	Signals map[string]bool `json:"signals"`
}

// vectorKey is the key of nobody: it is public.
type vectorKey struct {
	PeerID identity.PeerID `json:"peer"`
	D      string          `json:"d"`
	X      string          `json:"x"`
	Y      string          `json:"y"`
}

type vectorToken struct {
	Payload string `json:"payload"`
	Compact string `json:"compact"`
	Hash    string `json:"hash"` // of Compact without its signature
}

type vectorProof struct {
	Kind       string          `json:"kind"`
	Side       string          `json:"side"`
	Transcript string          `json:"transcript"`
	Viewer     identity.PeerID `json:"viewer"`
	Publisher  identity.PeerID `json:"publisher"`
	Proof      string          `json:"proof"`
}

// vectorScope says whether child is within parent; both are as in a grant.
type vectorScope struct {
	Child  vectorRights `json:"child"`
	Parent vectorRights `json:"parent"`
	Within bool         `json:"within"`
}

type vectorRights struct {
	Rights  []Right  `json:"rights"`
	Cameras []string `json:"cameras"`
	Pass    bool     `json:"pass"`
	Expires int64    `json:"exp"`
}

func (r vectorRights) scope() Scope {
	return Scope(r)
}

func newVectorKey(t *testing.T) vectorKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d, err1 := key.Bytes()
	point, err2 := key.PublicKey.Bytes()
	id, err3 := identity.PeerIDOf(&key.PublicKey)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	return vectorKey{PeerID: id, D: encode(d), X: encode(point[1:33]), Y: encode(point[33:])}
}

func (k vectorKey) identity(t *testing.T) *identity.Identity {
	t.Helper()
	d, err := base64.RawURLEncoding.DecodeString(k.D)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
	if err != nil {
		t.Fatal(err)
	}
	id, err := identity.New(key)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func vectorOf(t *testing.T, compact string) vectorToken {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(compact, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	return vectorToken{Payload: string(payload), Compact: compact, Hash: hashOfList(compact)}
}

// inputs are the fixed parts of the tokens.
func (v *vectors) inputs() (grant Grant, invite Invite, redeemed Grant, list, next List) {
	owner, guest, publisher := v.Keys["owner"].PeerID, v.Keys["guest"].PeerID, v.Keys["publisher"].PeerID
	door := Scope{Rights: []Right{Live, Talk}, Cameras: []string{CameraOf(publisher, "door")}, Expires: noon.Unix() + 3600}
	all := Scope{Rights: []Right{Live, Playback, Events}, Cameras: []string{CamerasOf(publisher)}, Pass: true}
	grant = Grant{
		Issuer: owner, Holder: guest, Audience: home, ID: "BBBBBBBBBBBBBBBBBBBBBA", Issued: noon.Unix(),
		Name: "Zoë <&> 名", Device: "phone", Scope: door,
	}
	secret, _ := base64.RawURLEncoding.DecodeString(v.Secret)
	invite = Invite{
		Issuer: owner, Audience: home, ID: "CCCCCCCCCCCCCCCCCCCCCA", Issued: noon.Unix(), Expires: noon.Add(24 * time.Hour).Unix(),
		Redeemer: publisher, Commit: CommitOf(secret), Name: "Gran", Scope: all,
	}
	redeemed = Grant{
		Issuer: publisher, Holder: guest, Audience: home, ID: "DDDDDDDDDDDDDDDDDDDDDA", Issued: noon.Unix() + 60,
		Name: "Gran", Device: "tablet", Scope: all, Proof: v.Invite.Compact,
	}
	list = List{
		Type: listMessage, Home: home, Version: 1, Time: noon.Unix(),
		Owners:     []Owner{{ID: owner, Name: "Ann", Device: "phone"}},
		Publishers: []Publisher{{ID: publisher, Name: "Front door", Kind: KindAgent, Signal: "wss://signal.example.org"}},
		Revoked:    []Revocation{},
	}
	next = list
	next.Version, next.Previous, next.Time = 2, v.List.Hash, noon.Unix()+120
	next.Revoked = []Revocation{
		{Kind: RevokedGrant, ID: grant.ID, Expires: grant.Scope.Expires, Time: noon.Unix() + 120},
		{Kind: RevokedPeer, ID: string(guest), Time: noon.Unix() + 120},
	}
	return grant, invite, redeemed, list, next
}

func (v *vectors) make(t *testing.T) {
	t.Helper()
	v.Comment = "Made by go test ./internal/access -run Vectors -update. The keys are nobody's."
	v.Keys = map[string]vectorKey{"owner": newVectorKey(t), "guest": newVectorKey(t), "publisher": newVectorKey(t)}
	v.Secret = "AAECAwQFBgcICQoLDA0ODw"
	owner, publisher := v.Keys["owner"].identity(t), v.Keys["publisher"].identity(t)
	grant, invite, _, list, _ := v.inputs()
	v.Grant = vectorOf(t, must(t)(SignGrant(owner, grant)))
	v.Invite = vectorOf(t, must(t)(SignInvite(owner, invite)))
	v.List = vectorOf(t, must(t)(SignList(owner, list)))
	_, _, redeemed, _, next := v.inputs()
	v.Redeemed = vectorOf(t, must(t)(SignGrant(publisher, redeemed)))
	v.Next = vectorOf(t, must(t)(SignList(owner, next)))
	secret, err := ParseSecret(v.Secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{ClaimPair, ClaimInvite} {
		for _, side := range []string{SideViewer, SidePublisher} {
			p := vectorProof{Kind: kind, Side: side, Transcript: HashOf("offer.answer"), Viewer: v.Keys["guest"].PeerID, Publisher: publisher.PeerID()}
			p.Proof = ClaimProof(secret, kind, side, p.Transcript, p.Viewer, p.Publisher)
			v.Proofs = append(v.Proofs, p)
		}
	}
	v.Scopes, v.Signals = v.scopes(), signals()
}

func (v *vectors) scopes() (all []vectorScope) {
	one, two := v.Keys["publisher"].PeerID, v.Keys["owner"].PeerID
	entries := []string{AnyCamera, CamerasOf(one), CameraOf(one, "door"), CameraOf(one, "yard"), CamerasOf(two)}
	for _, c := range entries {
		for _, p := range entries {
			all = append(all, vectorScope{
				Child:  vectorRights{Rights: []Right{Live}, Cameras: []string{c}},
				Parent: vectorRights{Rights: []Right{Live, Talk}, Cameras: []string{p}},
			})
		}
	}
	for _, exp := range [][2]int64{{0, 0}, {0, 5}, {5, 0}, {5, 5}, {6, 5}, {4, 5}} {
		for _, pass := range [][2]bool{{false, false}, {true, false}, {false, true}, {true, true}} {
			all = append(all, vectorScope{
				Child:  vectorRights{Rights: []Right{Talk}, Cameras: []string{AnyCamera}, Expires: exp[0], Pass: pass[0]},
				Parent: vectorRights{Rights: []Right{Talk, Live}, Cameras: []string{AnyCamera}, Expires: exp[1], Pass: pass[1]},
			})
		}
	}
	all = append(all, vectorScope{
		Child:  vectorRights{Rights: []Right{Live, Admin}, Cameras: []string{AnyCamera}},
		Parent: vectorRights{Rights: []Right{Live}, Cameras: []string{AnyCamera}},
	})
	for i, s := range all {
		all[i].Within = s.Child.scope().Within(s.Parent.scope()) == nil
	}
	return all
}

// signals are addresses that two parsers of URLs judge differently, and whether a
// list may have them.
func signals() map[string]bool {
	all := map[string]bool{}
	for _, good := range []string{
		"", "wss://signal.example.org", "wss://signal.example.org/", "ws://localhost:8787", "wss://a:1", "wss://a:65535/",
		"ws://[::1]:80/", "wss://[fd00::1]", "wss://1.2.3.4.5/", "wss://xn--a/", "wss://" + strings.Repeat("a", maxSignal-6),
	} {
		all[good] = true
	}
	for _, bad := range []string{
		"wss://", "wss://a:0", "wss://a:65536", "wss://a:99999", "wss://a:080", "wss://a:", "wss://a//", "wss://a/v1/signal", "wss://a/?q",
		"wss://a/#f", "wss://a:b@c", "wss://A.example", "WSS://a", "wss:a", "https://a", "wss://a_b", "wss://a b", " wss://a", "wss://a\n",
		"wss://[::1", "wss://::1", "wss://[]", "wss://[fe80::1%eth0]", "wss://\u00e4", "wss://a/" + strings.Repeat("/", maxSignal),
		"wss://" + strings.Repeat("a", maxSignal-5),
	} {
		all[bad] = false
	}
	return all
}

func TestList_SignalIsAHostAndAPort(t *testing.T) {
	for s, good := range signals() {
		err := Publisher{Kind: KindAgent, Signal: s}.validate()
		if good != (err == nil) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

//nolint:gochecknoglobals // a flag of the test
var update = flag.Bool("update", false, "make "+vectorsFile+" anew")

func TestVectors_StayAsTheyAre(t *testing.T) {
	if *update {
		var v vectors
		v.make(t)
		data, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(vectorsFile, append(data, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	grant, invite, redeemed, list, next := v.inputs()
	for name, tt := range map[string]struct {
		token   vectorToken
		payload any
	}{
		"grant": {v.Grant, grant.payload()}, "invite": {v.Invite, invite.payload()}, "redeemed": {v.Redeemed, redeemed.payload()},
		"list": {v.List, list}, "next": {v.Next, next},
	} {
		var want strings.Builder
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(tt.payload); err != nil {
			t.Fatal(err)
		}
		if tt.token.Payload != strings.TrimRight(want.String(), "\n") || vectorOf(t, tt.token.Compact) != tt.token {
			t.Errorf("the %s is now\n%s", name, want.String())
		}
	}
	if !jsonEqual(t, v.Signals, signals()) {
		t.Error("addresses are judged differently")
	}
	if !jsonEqual(t, v.Scopes, v.scopes()) {
		t.Error("the scopes are judged differently")
	}
	secret, err := ParseSecret(v.Secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range v.Proofs {
		if got := ClaimProof(secret, p.Kind, p.Side, p.Transcript, p.Viewer, p.Publisher); got != p.Proof {
			t.Errorf("%s by the %s: %s", p.Kind, p.Side, got)
		}
	}
	v.judge(t)
}

// judge makes sure that the tokens are worth what they say.
func (v *vectors) judge(t *testing.T) {
	t.Helper()
	guest, publisher := v.Keys["guest"].PeerID, v.Keys["publisher"].PeerID
	s, err := NewListState(v.Keys["owner"].PeerID).Accept(v.List.Compact)
	if err != nil {
		t.Fatal(err)
	}
	a := s.Authority(publisher)
	grant, redeemed := readGrant(t, v.Grant.Compact), readGrant(t, v.Redeemed.Compact)
	if err := errors.Join(a.Check(grant, guest, noon), a.Check(redeemed, guest, noon), a.CheckInvite(readInvite(t, v.Invite.Compact), noon)); err != nil {
		t.Error(err)
	}
	if s, err = s.Accept(v.Next.Compact); err != nil {
		t.Fatal(err)
	}
	a = s.Authority(publisher)
	if !errors.Is(a.Check(grant, guest, noon), ErrRevoked) || !errors.Is(a.Check(redeemed, guest, noon), ErrRevoked) {
		t.Error("the second list revokes nothing")
	}
}

func jsonEqual(t *testing.T, a, b any) bool {
	t.Helper()
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return string(x) == string(y)
}
