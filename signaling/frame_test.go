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
		`{"type":"registered","id":"` + alice + `","resume":"` + t16 + `","resumed":false}`,
		`{"type":"send","to":"` + bob + `","ref":7,"payload":"a.b-_9.c"}`,
		`{"type":"send","to":"` + bob + `","ref":0,"ack":true,"payload":"a.b.c"}`,
		`{"type":"sent","ref":7}`,
		`{"type":"message","from":"` + alice + `","payload":"a.b.c"}`,
		`{"type":"error","code":"unreachable","ref":7,"message":"The other side is not connected."}`,
	}
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
		`{"type":"registered","id":"` + alice + `","resume":"","resumed":true}`,
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
