package access

import (
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
)

// samples are one token of each kind, all by the owner.
func samples(t testing.TB, p people) (grant, invite, list string) {
	t.Helper()
	scope := Scope{Rights: []Right{Live, Playback}, Cameras: []string{CameraOf(p.camera.PeerID(), "door")}, Pass: true, Expires: noon.Unix() + 3600}
	grant = must(t)(NewGrant(p.owner, home, Recipient{Peer: p.guest.PeerID(), Name: "Zoë <3", Device: "phone"}, scope, noon))
	invite, _, err := NewInvite(p.owner, InviteRequest{Redeemer: p.camera.PeerID(), Audience: home, Name: "Zoë", Scope: scope}, noon)
	if err != nil {
		t.Fatal(err)
	}
	list = must(t)(SignList(p.owner, sampleList(p)))
	return grant, invite, list
}

func sampleList(p people) List {
	return List{
		Home: home, Version: 2, Previous: HashOf("the first"), Time: noon.Unix(),
		Owners:     []Owner{{ID: p.owner.PeerID(), Name: "Ann", Device: "phone"}},
		Publishers: []Publisher{{ID: p.camera.PeerID(), Name: "Door", Kind: KindAgent, Signal: "wss://example.org:443/"}},
		Revoked:    []Revocation{{Kind: RevokedGrant, ID: home, Expires: noon.Unix() + 60, Time: noon.Unix()}},
	}
}

func TestTokens_KeepWhatWasSaid(t *testing.T) {
	p := newPeople(t)
	grant, invite, list := samples(t, p)
	g := readGrant(t, grant)
	if g.Issuer != p.owner.PeerID() || g.Holder != p.guest.PeerID() || g.Audience != home || g.Name != "Zoë <3" || g.Device != "phone" ||
		g.Issued != noon.Unix() || g.Scope.Expires != noon.Unix()+3600 || !g.Scope.Pass || len(g.Scope.Rights) != 2 || g.Compact() != grant {
		t.Errorf("the grant became %+v", g)
	}
	v := readInvite(t, invite)
	if v.Issuer != p.owner.PeerID() || v.Redeemer != p.camera.PeerID() || v.Audience != home || v.Name != "Zoë" || v.Owner ||
		v.Expires != noon.Add(DefaultInviteLifetime).Unix() || v.Scope.Expires != noon.Unix()+3600 || v.Compact() != invite {
		t.Errorf("the invite became %+v", v)
	}
	l, err := ParseList(list)
	if err != nil {
		t.Fatal(err)
	}
	want := sampleList(p)
	if !slices.Equal(l.Owners, want.Owners) || !slices.Equal(l.Publishers, want.Publishers) || !slices.Equal(l.Revoked, want.Revoked) ||
		l.Version != 2 || l.Signer() != p.owner.PeerID() || l.Hash() != HashOf(list[:strings.LastIndex(list, ".")]) || l.Compact() != list {
		t.Errorf("the list became %+v", l)
	}
}

// forgery is a token that its own issuer signed, changed in its form.
type forgery struct {
	name   string
	change func(string) string
}

// everywhere are forgeries of a name that any payload may have.
func everywhere(names ...string) (all []forgery) {
	for _, n := range names {
		all = append(all,
			forgery{n + " missing", without(n)},
			forgery{n + " null", member(n, "null")},
			forgery{n + " an object", member(n, "{}")},
			forgery{n + " twice", func(s string) string { return strings.TrimSuffix(s, "}") + `,"` + n + `":""}` }},
			forgery{n + " in another case", func(s string) string {
				return strings.Replace(s, `"`+n+`"`, `"`+strings.ToUpper(n)+`"`, 1)
			}})
	}
	return append(all,
		forgery{"an unknown name", func(s string) string { return strings.TrimSuffix(s, "}") + `,"admin":true}` }},
		forgery{"text behind", func(s string) string { return s + "{}" }},
		forgery{"an array", func(s string) string { return "[" + s + "]" }},
		forgery{"deeply nested", func(string) string { return strings.Repeat("[", 1000) + strings.Repeat("]", 1000) }},
		forgery{"empty", func(string) string { return "" }},
	)
}

func grantForgeries(p people) []forgery {
	camera := string(p.camera.PeerID())
	all := everywhere("iss", "sub", "cnf", "aud", "jti", "iat", "exp", "name", "device", "rights", "cameras", "pass", "owner", "prf")
	return append(all,
		forgery{"cnf of another", member("cnf", `{"kid":"`+string(p.stranger.PeerID())+`"}`)},
		forgery{"cnf with more in it", member("cnf", `{"kid":"`+string(p.guest.PeerID())+`","jwk":""}`)},
		forgery{"cnf empty", member("cnf", `{}`)},
		forgery{"makes an owner", member("owner", "true")},
		forgery{"sub in capitals", member("sub", `"`+strings.ToUpper(string(p.guest.PeerID()))+`"`)},
		forgery{"aud of everybody", member("aud", `"*"`)},
		forgery{"aud empty", member("aud", `""`)},
		forgery{"jti too short", member("jti", `"AAAA"`)},
		forgery{"jti with stray bits", member("jti", `"AAAAAAAAAAAAAAAAAAAAAB"`)},
		forgery{"iat a fraction", member("iat", "1.5")},
		forgery{"iat negative", member("iat", "-1")},
		forgery{"exp beyond what browsers count", member("exp", "9007199254740992")},
		forgery{"exp a string", member("exp", `"0"`)},
		forgery{"no right", member("rights", "[]")},
		forgery{"an unknown right", member("rights", `["root"]`)},
		forgery{"a right twice", member("rights", `["live","live"]`)},
		forgery{"a right null", member("rights", `["live",null]`)},
		forgery{"no camera", member("cameras", "[]")},
		forgery{"a camera twice", member("cameras", `["*","*"]`)},
		forgery{"a camera of nobody", member("cameras", `["door"]`)},
		forgery{"all cameras of all", member("cameras", `["*/*"]`)},
		forgery{"a pattern", member("cameras", `["`+camera+`/d*"]`)},
		forgery{"a camera without a name", member("cameras", `["`+camera+`/"]`)},
		forgery{"a camera's name too long", member("cameras", `["`+camera+`/`+strings.Repeat("a", 65)+`"]`)},
		forgery{"65 cameras", member("cameras", `["`+manyCameras(camera, 65)+`"]`)},
		forgery{"a name too long", member("name", `"`+strings.Repeat("ä", 65)+`"`)},
		forgery{"a name that turns the text", member("name", `"\u202egnp.exe"`)},
		forgery{"a name with an escape", member("device", `"\u001b[2J"`)},
		forgery{"a proof that is none", member("prf", `"a.b.c"`)},
	)
}

func manyCameras(publisher string, n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("%s/%d", publisher, i))
	}
	return strings.Join(all, `","`)
}

func TestParseGrant_RefusesEveryOtherForm(t *testing.T) {
	p := newPeople(t)
	grant, invite, list := samples(t, p)
	for _, f := range grantForgeries(p) {
		_, err := ParseGrant(resign(t, p.owner, GrantType, grant, f.change))
		refusedBy(t, f.name, err, ErrToken, check.Form)
	}
	signed := func(id *identity.Identity, typ string) string {
		return resign(t, id, typ, grant, member("name", `"x"`))
	}
	_, err := ParseGrant(signed(p.stranger, GrantType))
	refusedBy(t, "signed by another than iss", err, ErrToken, check.Sender)
	for name, compact := range map[string]string{
		"an invite": invite, "a list": list, "signed as an invite": signed(p.owner, InviteType),
		"signed as a message": signed(p.owner, "sightline+jws"), "too long": strings.Repeat("a", MaxGrant+1), "empty": "",
	} {
		_, err := ParseGrant(compact)
		refusedBy(t, name, err, ErrToken, check.Form)
	}
}

func TestParseInvite_RefusesEveryOtherForm(t *testing.T) {
	p := newPeople(t)
	grant, invite, _ := samples(t, p)
	week := noon.Add(MaxInviteLifetime).Unix()
	forgeries := append(everywhere("iss", "aud", "jti", "iat", "exp", "redeemer", "commit", "name", "rights", "cameras",
		"pass", "grantExp", "owner", "prf"),
		forgery{"never ends", member("exp", "0")},
		forgery{"ends before it begins", member("exp", fmt.Sprint(noon.Unix()))},
		forgery{"lasts longer than a week", member("exp", fmt.Sprint(week+1))},
		forgery{"redeemed by nobody", member("redeemer", `""`)},
		forgery{"no commitment", member("commit", `""`)},
		forgery{"a commitment of 16 bytes", member("commit", `"`+home+`"`)},
		forgery{"grantExp negative", member("grantExp", "-1")},
		forgery{"made of an invite", member("prf", `"`+invite+`"`)},
	)
	for _, f := range forgeries {
		_, err := ParseInvite(resign(t, p.owner, InviteType, invite, f.change))
		refusedBy(t, f.name, err, ErrToken, check.Form)
	}
	if _, err := ParseInvite(resign(t, p.owner, InviteType, invite, member("exp", fmt.Sprint(week)))); err != nil {
		t.Error("a week is refused:", err)
	}
	_, err := ParseInvite(resign(t, p.stranger, InviteType, invite, member("name", `"x"`)))
	refusedBy(t, "signed by another than iss", err, ErrToken, check.Sender)
	_, err = ParseInvite(grant)
	refusedBy(t, "a grant", err, ErrToken, check.Form)
	_, err = ParseInvite(strings.Repeat("a", MaxInvite+1))
	refusedBy(t, "too long", err, ErrToken, check.Form)
}

func TestParseList_RefusesEveryOtherForm(t *testing.T) {
	p := newPeople(t)
	grant, _, list := samples(t, p)
	owner := func(id *identity.Identity) string { return fmt.Sprintf(`{"id":%q,"name":"","device":""}`, id.PeerID()) }
	publisher := func(kind, signal string) string {
		return fmt.Sprintf(`[{"id":%q,"name":"","kind":%q,"signal":%q}]`, p.camera.PeerID(), kind, signal)
	}
	revoked := func(kind, id, exp string) string {
		return fmt.Sprintf(`{"kind":%q,"id":%q,"exp":%s,"time":1}`, kind, id, exp)
	}
	peer := func(i int) string { return string(p.stranger.PeerID()[:50]) + string(rune('a'+i)) + "a" }
	var owners, revocations []string
	for i := range MaxOwners + 1 {
		owners = append(owners, fmt.Sprintf(`{"id":%q,"name":"","device":""}`, peer(i)))
	}
	for range MaxRevoked + 1 {
		revocations = append(revocations, revoked(RevokedGrant, NewToken(), "0"))
	}
	forgeries := append(everywhere("type", "home", "version", "previous", "time", "owners", "publishers", "revoked"),
		forgery{"another type", member("type", `"grant"`)},
		forgery{"home too short", member("home", `"AAAA"`)},
		forgery{"version 0", member("version", "0")},
		forgery{"version too large", member("version", "9007199254740992")},
		forgery{"version 1 with a previous one", member("version", "1")},
		forgery{"version 2 without", member("previous", `""`)},
		forgery{"previous not a hash", member("previous", `"`+home+`"`)},
		forgery{"no owner", member("owners", "[]")},
		forgery{"an owner twice", member("owners", "["+owner(p.owner)+","+owner(p.owner)+"]")},
		forgery{"an owner without a device", member("owners", `[{"id":"`+string(p.owner.PeerID())+`","name":""}]`)},
		forgery{"an owner without a key", member("owners", `[{"id":"","name":"","device":""}]`)},
		forgery{"an owner whose name is an attack", member("owners", fmt.Sprintf(`[{"id":%q,"name":"\u202e","device":""}]`, p.owner.PeerID()))},
		forgery{"17 owners", member("owners", "["+strings.Join(owners, ",")+"]")},
		forgery{"a publisher of another kind", member("publishers", publisher("server", ""))},
		forgery{"a publisher at a page", member("publishers", publisher(KindAgent, "https://example.org"))},
		forgery{"a publisher at a script", member("publishers", publisher(KindAgent, "javascript:alert(1)"))},
		forgery{"a publisher with a password", member("publishers", publisher(KindAgent, "wss://a:b@example.org"))},
		forgery{"a publisher at a path", member("publishers", publisher(KindAgent, "wss://example.org/v1/signal"))},
		forgery{"a publisher at a long address", member("publishers", publisher(KindAgent, "wss://"+strings.Repeat("a", 256)))},
		forgery{"an owner revoked", member("revoked", "["+revoked(RevokedPeer, string(p.owner.PeerID()), "0")+"]")},
		forgery{"a revocation of another kind", member("revoked", "["+revoked("home", home, "0")+"]")},
		forgery{"a revocation of a peer by jti", member("revoked", "["+revoked(RevokedPeer, home, "0")+"]")},
		forgery{"a revocation of a grant by peer", member("revoked", "["+revoked(RevokedGrant, string(p.guest.PeerID()), "0")+"]")},
		forgery{"a revocation twice", member("revoked", "["+revoked(RevokedGrant, home, "0")+","+revoked(RevokedGrant, home, "5")+"]")},
		forgery{"a revocation before time", member("revoked", "["+revoked(RevokedGrant, home, "-5")+"]")},
		forgery{"401 revocations", member("revoked", "["+strings.Join(revocations, ",")+"]")},
	)
	for _, f := range forgeries {
		_, err := ParseList(resign(t, p.owner, ListType, list, f.change))
		refusedBy(t, f.name, err, ErrToken, check.Form)
	}
	_, err := ParseList(grant)
	refusedBy(t, "a grant", err, ErrToken, check.Form)
}

func TestTokens_AFlippedBitAnywhereIsRefused(t *testing.T) {
	grant, invite, list := samples(t, newPeople(t))
	parsers := map[string]func(string) error{
		grant:  func(s string) error { _, err := ParseGrant(s); return err },
		invite: func(s string) error { _, err := ParseInvite(s); return err },
		list:   func(s string) error { _, err := ParseList(s); return err },
	}
	for compact, parse := range parsers {
		for i := range len(compact) {
			flipped := []byte(compact)
			flipped[i] ^= 1 << (i % 8)
			if err := parse(string(flipped)); !errors.Is(err, ErrToken) {
				t.Errorf("byte %d: %v", i, err)
			}
		}
	}
}

func TestSign_MakesNothingThatIsNotRead(t *testing.T) {
	p := newPeople(t)
	if _, err := SignGrant(p.owner, Grant{}); !errors.Is(err, ErrToken) {
		t.Error("an empty grant:", err)
	}
	if _, err := SignInvite(p.owner, Invite{}); !errors.Is(err, ErrToken) {
		t.Error("an empty invite:", err)
	}
	if _, err := SignList(p.owner, List{}); !errors.Is(err, ErrToken) {
		t.Error("an empty list:", err)
	}
	scope := everything()
	scope.Cameras = strings.Split(manyCameras(string(p.camera.PeerID()), MaxCameras), `","`)
	if _, err := NewGrant(p.owner, home, Recipient{Peer: p.guest.PeerID()}, scope, noon); err != nil {
		t.Error("a grant for as many cameras as a scope may name:", err)
	}
	if _, _, err := NewInvite(p.owner, InviteRequest{Redeemer: p.camera.PeerID(), Scope: scope}, noon); !errors.Is(err, ErrTooLong) {
		t.Error("an invite whose grant would be too long:", err)
	}
	l := sampleList(p)
	for range MaxRevoked - 1 {
		l.Revoked = append(l.Revoked, Revocation{Kind: RevokedGrant, ID: NewToken(), Expires: noon.Unix(), Time: noon.Unix()})
	}
	if _, err := SignList(p.owner, l); err != nil {
		t.Error("a full list:", err)
	}
	l.Revoked = nil
	for range MaxRevoked {
		peer := sha256.Sum256([]byte{byte(len(l.Revoked)), byte(len(l.Revoked) >> 8)})
		id := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(peer[:]))
		l.Revoked = append(l.Revoked, Revocation{Kind: RevokedPeer, ID: id, Expires: maxInt, Time: maxInt})
	}
	if _, err := SignList(p.owner, l); err != nil {
		t.Error("a list full of peers:", err)
	}
}
