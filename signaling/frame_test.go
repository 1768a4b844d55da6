package signaling

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func frames() []string {
	t16, t32 := strings.Repeat("A", 22), strings.Repeat("A", 43)
	return []string{
		`{"type":"challenge","nonce":"` + t32 + `"}`,
		`{"type":"register","jws":"a.b.c","keys":"d.e.f"}`,
		`{"type":"lookup","to":"` + bob + `","ref":3}`,
		`{"type":"keys","of":"` + bob + `","ref":3,"keys":"d.e.f"}`,
		`{"type":"registered","id":"` + alice + `","resume":"` + t16 + `","resumed":false,"stun":[],"relay":false}`,
		`{"type":"registered","id":"` + alice + `","resume":"` + t16 + `","resumed":true,"stun":["stun:a.example:3478","stun:[2001:db8::1]:3479"],"relay":true}`,
		`{"type":"relay","ref":8}`,
		`{"type":"relay","ref":8,"ice":{"urls":["turn:a.example:3478","turns:a.example:5349"],"username":"17:x","credential":"y=","expires":17}}`,
		`{"type":"error","code":"forbidden","ref":8,"message":"This peer is not enrolled."}`,
		`{"type":"error","code":"unsupported","ref":8,"message":"There is no relay here."}`,
		`{"type":"send","to":"` + bob + `","ref":7,"payload":"a.b-_9.c"}`,
		`{"type":"send","to":"` + bob + `","ref":0,"ack":true,"payload":"a.b.c"}`,
		`{"type":"sent","ref":7}`,
		`{"type":"message","from":"` + alice + `","payload":"a.b.c"}`,
		`{"type":"error","code":"unreachable","ref":7,"message":"The other side is not connected."}`,
	}
}

func registered(rest string) string {
	return `{"type":"registered","id":"` + alice + `","resume":"` + strings.Repeat("A", 22) + `","resumed":true,` + rest + `}`
}

func TestDecodeFrame_KeepsEveryField(t *testing.T) {
	for _, in := range frames() {
		f, err := DecodeFrame([]byte(in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if out, err := EncodeFrame(f); err != nil || string(out) != in {
			t.Errorf("\n in %s\nout %s\n%v", in, out, err)
		}
	}
}

func TestDecodeFrame_RefusesWhatBreaksTheRules(t *testing.T) {
	for _, in := range []string{
		"", "null", "[]", "{}", "7", `{"type":"hello"}`, `{"type":"challenge"}`,
		`{"type":"challenge","nonce":"` + strings.Repeat("A", 22) + `"}`,
		`{"type":"register","jws":"","keys":"d.e.f"}`,
		`{"type":"register","jws":"a b","keys":"d.e.f"}`,
		`{"type":"register","jws":"a.b.c"}`,
		`{"type":"register","jws":"a.b.c","keys":"` + strings.Repeat("x", 1025) + `"}`,
		`{"type":"lookup","to":"` + bob + `","ref":-1}`,
		`{"type":"lookup","to":"","ref":1}`,
		`{"type":"keys","of":"` + bob + `","ref":1,"keys":""}`,
		`{"type":"keys","of":"","ref":1,"keys":"d.e.f"}`,
		`{"type":"registered","id":"x","resume":"","resumed":true}`,
		`{"type":"registered","id":"` + alice + `","resume":"","resumed":true,"stun":[],"relay":true}`,
		registered(`"relay":true`), registered(`"stun":null,"relay":true`), registered(`"stun":["turn:a"],"relay":true`),
		registered(`"stun":["stun:"],"relay":true`), registered(`"stun":["http:a"],"relay":true`), registered(`"stun":["stun:a b"],"relay":true`),
		registered(`"stun":["stun:a","stun:a","stun:a","stun:a","stun:a"],"relay":true`), registered(`"stun":[],"relay":1`),
		`{"type":"relay"` + `,"ref":-1}`, `{"type":"relay","ref":1,"to":"` + bob + `"}`, `{"type":"relay","ref":1,"ice":null}`,
		`{"type":"relay","ref":1,"ice":{}}`, `{"type":"relay","ref":1,"ICE":{"urls":["turn:a"],"username":"","credential":"","expires":0}}`,
		`{"type":"relay","ref":1,"ice":{"urls":[],"username":"","credential":"","expires":0}}`,
		`{"type":"send","to":"` + strings.ToUpper(bob) + `","ref":1,"payload":"a.b.c"}`,
		`{"type":"send","to":"` + bob + `","ref":-1,"payload":"a.b.c"}`,
		`{"type":"send","to":"` + bob + `","ref":9007199254740992,"payload":"a.b.c"}`,
		`{"type":"send","to":"` + bob + `","ref":1,"payload":"a.b.c","from":"` + alice + `"}`,
		`{"type":"send","to":"` + bob + `","ref":1,"payload":"a.b.c\n"}`,
		`{"type":"send","to":"` + bob + `","ref":1,"payload":"` + strings.Repeat("x", MaxPayload+1) + `"}`,
		`{"type":"send","Type":"send","to":"` + bob + `","ref":1,"payload":"a.b.c"}`,
		`{"type":"send","to":"` + bob + `","to":"` + alice + `","ref":1,"payload":"a.b.c"}`,
		`{"type":"message","from":"","payload":"a.b.c"}`,
		`{"type":"error","code":"new","ref":0,"message":""}`,
		`{"type":"error","code":"displaced","ref":0,"message":"a\u001b[2J"}`,
		`{"type":"sent","ref":1.5}`,
		`{"type":"sent","ref":1}` + strings.Repeat(" ", MaxFrame),
	} {
		if f, err := DecodeFrame([]byte(in)); !errors.Is(err, ErrMessage) {
			t.Errorf("%.80s: %+v, %v", in, f, err)
		}
	}
}

func FuzzDecodeFrame(f *testing.F) {
	for _, s := range frames() {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		frame, err := DecodeFrame(in)
		if err != nil {
			if !errors.Is(err, ErrMessage) {
				t.Fatal(err)
			}
			return
		}
		out, err := EncodeFrame(frame)
		if err != nil {
			t.Fatalf("decoded, but cannot be encoded: %v", err)
		}
		again, err := DecodeFrame(out)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(frame, again); diff != "" {
			t.Fatal(diff)
		}
	})
}

func BenchmarkDecodeFrame(b *testing.B) {
	in := []byte(`{"type":"send","to":"` + bob + `","ref":7,"payload":"` + strings.Repeat("x", 5000) + `"}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeFrame(in); err != nil {
			b.Fatal(err)
		}
	}
}
