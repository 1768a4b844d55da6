package signaling

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/internal/identity"
)

func encodeSegment(b []byte) []byte {
	return base64.RawURLEncoding.AppendEncode(nil, b)
}

const (
	alice = "ffte6fjku2tziwvae45bhfwbk25bom7iges5i5xfka3jougcgera"
	bob   = "3tjei3fjraymqq6esothenslvfy5m5h355ooq7ljofs3ghuqgafa"
)

// samples are messages as another implementation writes them.
// point is a key that messages are sealed with.
const point = "BKTxgcCxZZasBXridKfKU4qX-VlB8CWneqTUUdNr68c4ukimVmZlqqVs8SZQHvbMNVx6t-r8U8pdYYwd2IyJ3hI"

func samples() map[Type]string {
	t16, t32 := strings.Repeat("A", 22), strings.Repeat("A", 43)
	head := func(t Type) string {
		return fmt.Sprintf(`"type":%q,"from":%q,"to":%q,"session":%q,"seq":1,"exp":1780315260`, t, alice, bob, t16)
	}
	return map[Type]string{
		TypeOffer:          `{` + head(TypeOffer) + `,"nonce":"` + t16 + `","key":"` + point + `","claim":"pair","grants":["a.b.c"],"sdp":"v=0\r\n","media":[{"mid":"0","camera":"front"},{"mid":"1","camera":""}]}`,
		TypeAnswer:         `{` + head(TypeAnswer) + `,"nonce":"` + t16 + `","peerNonce":"` + t16 + `","offerHash":"` + t32 + `","sdp":"v=0\r\n","ice":[{"urls":["stun:stun.example:3478"],"username":"","credential":"","expires":0}]}`,
		TypeCandidate:      `{` + head(TypeCandidate) + `,"transcript":"` + t32 + `","candidate":"candidate:1 1 udp 1 ::1 9 typ host","mid":"0"}`,
		TypeReject:         `{` + head(TypeReject) + `,"offerHash":"` + t32 + `","code":"busy","reason":"Später."}`,
		TypeRestart:        `{` + head(TypeRestart) + `,"transcript":"` + t32 + `","sdp":"v=0\r\n"}`,
		TypeRestarted:      `{` + head(TypeRestarted) + `,"transcript":"` + t32 + `","restart":7,"sdp":"v=0\r\n","ice":[]}`,
		TypeRestartRequest: `{` + head(TypeRestartRequest) + `,"transcript":"` + t32 + `","reason":"New network."}`,
		TypeBye:            `{` + head(TypeBye) + `,"transcript":"` + t32 + `","reason":""}`,
	}
}

func TestDecodeMessage_KeepsEveryFieldOfEveryType(t *testing.T) {
	for kind, in := range samples() {
		m, err := DecodeMessage([]byte(in))
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if m.Head().Type != kind || m.Head().From != alice || m.Head().To != bob {
			t.Errorf("%s: %+v", kind, m.Head())
		}
		out, err := EncodeMessage(m)
		if err != nil || string(out) != in {
			t.Errorf("%s:\n in %s\nout %s\n%v", kind, in, out, err)
		}
	}
}

// TestDecodeMessage_RefusesWhatBreaksTheRules changes one member of a valid
// message at a time.
func TestDecodeMessage_RefusesWhatBreaksTheRules(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	media := func(n int) any {
		var m []map[string]string
		for i := range n {
			m = append(m, map[string]string{"mid": fmt.Sprint(i), "camera": ""})
		}
		return m
	}
	ice := func(n int, urls ...string) any {
		for len(urls) < n {
			urls = append(urls, "stun:a")
		}
		return []any{map[string]any{"urls": append([]string{}, urls...), "username": "", "credential": "", "expires": 0}}
	}
	one := func(mid, camera string) any { return []map[string]string{{"mid": mid, "camera": camera}} }
	tests := []struct {
		kind   Type
		member string
		values []any
	}{
		{TypeOffer, "type", []any{"", "Offer", "register", nil, 1, "answer"}},
		{TypeOffer, "from", []any{"", strings.ToUpper(alice), alice[1:], bob, nil}},
		{TypeOffer, "to", []any{"", alice, bob[:51] + "b", 5}},
		{TypeOffer, "session", []any{"", long(21), long(22), long(23), strings.Repeat("A", 21) + "=", strings.Repeat("A", 21) + "B", strings.Repeat("A", 20) + "\r\n"}},
		{TypeOffer, "seq", []any{0, -1, 2, 1.5, "1", 1 << 53, nil}},
		{TypeOffer, "exp", []any{-1, 1 << 53, "soon", 1.5}},
		{TypeOffer, "nonce", []any{"", long(43), nil}},
		{TypeOffer, "key", []any{"", point[1:], point + "A", "B" + strings.Repeat("A", 86), strings.ToLower(point), nil, 1}},
		{TypeOffer, "claim", []any{"Pair", "grant", 1}},
		{TypeOffer, "grants", []any{"a.b.c", []string{""}, []string{"a b"}, []string{long(MaxGrantsTotal + 1)},
			[]string{long(MaxGrantsTotal), "a"}, []string{"a", "b", "c", "d", "e"}}},
		{TypeOffer, "sdp", []any{"", long(MaxSDP + 1), "v=0\x00", nil, []string{"v=0"}}},
		{TypeOffer, "media", []any{media(MaxMedia + 1), one("", "a"), one(long(MaxMID+1), "a"), one("a b", "a"), one("ä", "a"),
			one("0", "Front"), one("0", long(MaxCameraID+1)), one("0", "../etc"), one("0", "-a"), one("0", "ä"), one("0", "a b"),
			[]map[string]string{{"mid": "0", "camera": ""}, {"mid": "0", "camera": ""}}, "0", map[string]string{}}},
		{TypeOffer, "offerHash", []any{strings.Repeat("A", 43)}},
		{TypeOffer, "SDP", []any{"v=0"}},
		{TypeAnswer, "seq", []any{2}},
		{TypeAnswer, "peerNonce", []any{"", long(22)}},
		{TypeAnswer, "offerHash", []any{"", strings.Repeat("A", 22), strings.Repeat("A", 42) + "B"}},
		{TypeAnswer, "sdp", []any{""}},
		{TypeAnswer, "media", []any{media(1)}},
		{TypeAnswer, "ice", []any{nil, "x", ice(0), ice(MaxICEURLs + 1), ice(1, "http://x"), ice(1, "stun:"), ice(1, "stun:a b"), ice(1, "turn:"+long(MaxICEText)),
			[]any{map[string]any{"urls": []string{"stun:a"}, "username": long(MaxICEText + 1), "credential": "", "expires": 0}},
			[]any{map[string]any{"urls": []string{"stun:a"}, "username": "", "credential": "a\nb", "expires": 0}},
			[]any{map[string]any{"urls": []string{"stun:a"}, "username": "", "credential": "", "expires": -1}}}},
		{TypeRestart, "transcript", []any{"", long(44)}},
		{TypeRestart, "sdp", []any{"", long(MaxSDP + 1)}},
		{TypeRestarted, "transcript", []any{""}},
		{TypeRestarted, "restart", []any{0, -1, 1 << 53, "1"}},
		{TypeRestarted, "sdp", []any{""}},
		{TypeRestarted, "ice", []any{nil, ice(0)}},
		{TypeRestartRequest, "transcript", []any{""}},
		{TypeRestartRequest, "reason", []any{long(MaxReason + 1), "a\nb"}},
		{TypeCandidate, "candidate", []any{"a=candidate:1", "candidate:" + long(MaxCandidate), "candidate:1\r\na=x", "candidate:ä", 7}},
		{TypeCandidate, "mid", []any{long(MaxMID + 1), "a\n"}},
		{TypeCandidate, "transcript", []any{"", nil}},
		{TypeReject, "code", []any{"", "other", "Busy"}},
		{TypeReject, "reason", []any{long(MaxReason + 1), "a\nb", "a\x1b[2J", "\u0085"}},
		{TypeReject, "offerHash", []any{""}},
		{TypeReject, "sdp", []any{"v=0"}},
		{TypeBye, "transcript", []any{"", long(44)}},
		{TypeBye, "reason", []any{long(MaxReason + 1), "\u0000"}},
	}
	for _, tt := range tests {
		for _, v := range tt.values {
			var members map[string]any
			if err := json.Unmarshal([]byte(samples()[tt.kind]), &members); err != nil {
				t.Fatal(err)
			}
			members[tt.member] = v
			in, err := json.Marshal(members)
			if err != nil {
				t.Fatal(err)
			}
			if m, err := DecodeMessage(in); !errors.Is(err, ErrMessage) {
				t.Errorf("%s with %s = %.60v: %+v, %v", tt.kind, tt.member, v, m, err)
			}
		}
	}
	for _, in := range []string{"", "null", "[]", `"offer"`, "{}", samples()[TypeBye] + "{}", `{"Type":"bye"}`,
		strings.Replace(samples()[TypeBye], `"reason":""`, `"reason":"","reason":"x"`, 1), strings.Repeat("[", 1<<15),
		samples()[TypeOffer] + strings.Repeat(" ", MaxPayload)} {
		if _, err := DecodeMessage([]byte(in)); !errors.Is(err, ErrMessage) {
			t.Errorf("%.60q: %v", in, err)
		}
	}
}

func TestEncodeMessage_TheLargestOfferFitsIntoAFrame(t *testing.T) {
	var media []Media
	for i := range MaxMedia {
		media = append(media, Media{MID: fmt.Sprintf("%0*d", MaxMID, i), Camera: strings.Repeat("c", MaxCameraID)})
	}
	line := "a=rtpmap:96 <H264/90000>&\r\n"
	big := strings.Repeat(line, MaxSDP/len(line))
	p := newPair(t)
	v, err := NewViewerSession(p.viewer, p.publisher.PeerID(), p.publisher.AgreementKey())
	if err != nil {
		t.Fatal(err)
	}
	grants := []string{strings.Repeat("g", MaxGrantsTotal)}
	compact, err := v.Offer(noon, Request{SDP: big, Media: media, Claim: ClaimInvite, Grants: grants})
	if err != nil {
		t.Fatal(err)
	}
	frame, err := EncodeFrame(&Send{To: p.publisher.PeerID(), Ref: MaxInt, Ack: true, Payload: compact})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes of %d", len(frame), MaxFrame)
	if got := open(t, compact).Message().(*Offer).SDP; got != big {
		t.Error("the description changed on its way")
	}
}

func TestCanonicalHost_HasOneSpelling(t *testing.T) {
	for in, want := range map[string]string{
		"Example.ORG": "example.org", "example.org:443": "example.org", "example.org:80": "example.org", "example.org.": "example.org",
		"example.org:8443": "example.org:8443", "[::1]:80": "[::1]", "[::1]": "[::1]", "[::1]:8080": "[::1]:8080", "127.0.0.1:8788": "127.0.0.1:8788",
		"::80": "::80",
	} {
		if got := CanonicalHost(in); got != want || CanonicalHost(got) != want {
			t.Errorf("CanonicalHost(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestVerifyRegistration_IsGoodForOneChallengeAtOneHost(t *testing.T) {
	id, nonce := newID(t), NewToken(ChallengeSize)
	jws, err := SignRegistration(id, nonce, "example.org:8443", "")
	if err != nil {
		t.Fatal(err)
	}
	r, err := VerifyRegistration(jws, nonce, "example.org:8443")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&Registration{Type: "register", Nonce: nonce, Host: "example.org:8443", ID: id.PeerID()}, r); diff != "" {
		t.Error(diff)
	}
	if _, err := VerifyRegistration(jws, NewToken(ChallengeSize), "example.org:8443"); !errors.Is(err, ErrNotForMe) {
		t.Error("another challenge:", err)
	}
	if _, err := VerifyRegistration(jws, nonce, "example.org"); !errors.Is(err, ErrNotForMe) {
		t.Error("another host:", err)
	}
	claim := Registration{Type: "register", Nonce: nonce, Host: "example.org", ID: bob}
	payload, err := marshal(claim)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := identity.Sign(id, payload)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := VerifyRegistration(forged, nonce, "example.org"); !errors.Is(err, ErrSender) {
		t.Error("somebody else's id:", err)
	}
	for _, host := range []string{"", "Example.org", "example.org:443", strings.Repeat("x", MaxHost+1)} {
		if _, err := SignRegistration(id, nonce, host, ""); !errors.Is(err, ErrMessage) {
			t.Errorf("host %.20q: %v", host, err)
		}
	}
	if _, err := SignRegistration(id, nonce, "example.org", "short"); !errors.Is(err, ErrMessage) {
		t.Error("a broken resume token:", err)
	}
}

func FuzzDecodeMessage(f *testing.F) {
	for _, s := range samples() {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := DecodeMessage(in)
		if err != nil {
			if !errors.Is(err, ErrMessage) || m != nil {
				t.Fatalf("%v, %v", m, err)
			}
			return
		}
		out, err := EncodeMessage(m)
		if err != nil {
			t.Fatalf("decoded, but cannot be encoded: %v", err)
		}
		again, err := DecodeMessage(out)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, again); diff != "" {
			t.Fatal(diff)
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	p := newPair(b)
	_, offer := p.offer(b, noon)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Open(p.publisher, offer); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHandshake(b *testing.B) {
	p := newPair(b)
	p.gate = newGate(b, OfferVerifierOptions{Identity: p.publisher, NoncesPerViewer: 1 << 20})
	b.ReportAllocs()
	for b.Loop() {
		p.connect(b)
	}
}
