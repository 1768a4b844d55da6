package agent

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const goodFragment = "a=group:BUNDLE 0 1\r\n" +
	"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" +
	"a=mid:0\r\n" +
	"a=ice-ufrag:EsAw\r\n" +
	"a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n" +
	"a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0\r\n" +
	"a=candidate:3471623853 1 udp 2122194687 198.51.100.2 61765 typ host generation 0\r\n" +
	"a=end-of-candidates\r\n"

func TestSDPFragment_KeepsCandidatesOfEachSection(t *testing.T) {
	got, err := parseSDPFragment(goodFragment)
	if err != nil {
		t.Fatal(err)
	}
	want := &sdpFragment{
		Ufrag: "EsAw", Pwd: "P2uYro0UCOQ4zxjKXaWCBui1",
		Media: []fragmentMedia{{Mid: "0", End: true, Candidates: []string{
			"candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0",
			"candidate:3471623853 1 udp 2122194687 198.51.100.2 61765 typ host generation 0",
		}}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
}

func badFragments() map[string]string {
	const cred = "a=ice-ufrag:EsAw\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\n"
	return map[string]string{
		"empty":                       "",
		"no credentials":              "m=audio 9 RTP/AVP 0\na=mid:0\n",
		"no password":                 "a=ice-ufrag:EsAw\n",
		"short password":              "a=ice-ufrag:EsAw\na=ice-pwd:abc\n",
		"bad characters":              "a=ice-ufrag:Es w\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\n",
		"two ufrags":                  cred + "a=ice-ufrag:Other\n",
		"whole SDP":                   "v=0\n" + cred,
		"no mid":                      cred + "m=audio 9 RTP/AVP 0\na=candidate:1 1 udp 1 192.0.2.1 1 typ host\n",
		"mid twice":                   cred + "m=audio 9 RTP/AVP 0\na=mid:0\na=mid:1\n",
		"mid outside":                 cred + "a=mid:0\n",
		"candidate outside":           cred + "a=candidate:1 1 udp 1 192.0.2.1 1 typ host\n",
		"candidate malformed":         cred + "m=audio 9 RTP/AVP 0\na=mid:0\na=candidate:nonsense\n",
		"line without value":          cred + "m=\n",
		"control character":           cred + "a=x:\x00\n",
		"line too long":               cred + "a=x:" + strings.Repeat("y", maxFragmentLine) + "\n",
		"too many candidates":         cred + "m=audio 9 RTP/AVP 0\na=mid:0\n" + strings.Repeat("a=candidate:1 1 udp 1 192.0.2.1 1 typ host\n", maxFragmentCandidates+1),
		"too many sections":           cred + strings.Repeat("m=audio 9 RTP/AVP 0\na=mid:0\n", maxFragmentMedia+1),
		"too long":                    cred + strings.Repeat("a=x:y\n", maxFragmentBytes/6),
		"media section without ports": cred + "m=audio\n",
	}
}

func TestSDPFragment_RefusesWhatIsNotOne(t *testing.T) {
	for name, body := range badFragments() {
		t.Run(name, func(t *testing.T) {
			if got, err := parseSDPFragment(body); !errors.Is(err, errFragment) {
				t.Fatalf("got %+v, %v; want errFragment", got, err)
			}
		})
	}
}

func FuzzSDPFragment(f *testing.F) {
	f.Add(goodFragment)
	for _, body := range badFragments() {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		frag, err := parseSDPFragment(body)
		if err != nil {
			if frag != nil {
				t.Fatal("a result beside an error")
			}
			return
		}
		if len(frag.Media) > maxFragmentMedia || frag.Ufrag == "" || frag.Pwd == "" {
			t.Fatalf("accepted %+v", frag)
		}
		for _, m := range frag.Media {
			if m.Mid == "" || slices.ContainsFunc(m.Candidates, func(c string) bool { return strings.ContainsAny(c, "\r\n\x00") }) {
				t.Fatalf("accepted %+v", m)
			}
		}
	})
}
