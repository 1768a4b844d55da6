package agent

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/internal/peer"
)

const (
	testUfrag = "EsAw"
	testPwd   = "P2uYro0UCOQ4zxjKXaWCBui1"
)

// testOffer is an offer to receive the given sections, "video H264" and so on.
func testOffer(sections ...string) string {
	var b strings.Builder
	b.WriteString("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-ufrag:" + testUfrag + "\r\na=ice-pwd:" + testPwd + "\r\n")
	for i, s := range sections {
		kind, codec, _ := strings.Cut(s, " ")
		codec, direction, _ := strings.Cut(codec, " ")
		if direction == "" {
			direction = "recvonly"
		}
		fmt.Fprintf(&b, "m=%s 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:%d\r\na=%s\r\na=rtpmap:96 %s/90000\r\n", kind, i, direction, codec)
	}
	return b.String()
}

func testFragment(lines ...string) string {
	return "a=ice-ufrag:" + testUfrag + "\r\na=ice-pwd:" + testPwd + "\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\n" + strings.Join(lines, "\r\n") + "\r\n"
}

const testCandidate = "a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host"

func TestWHEP_PostAnswersWithASession(t *testing.T) {
	a, fake := newTestAgent(t, nil)
	w := serve(a.ownRoutes, request("POST", "/whep/front", testOffer("video H264", "audio opus", "video H264"), "Content-Type", "application/sdp", "Accept", "application/sdp"))
	if w.Code != 201 || w.Body.String() != "v=0\r\nanswer\r\n" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	h := w.Header()
	if h.Get("Content-Type") != typeSDP || h.Get("Accept-Patch") != typeFragment || h.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", h)
	}
	if l := h.Get("Location"); !strings.HasPrefix(l, "/whep/front/") || len(l) < len("/whep/front/")+22 {
		t.Errorf("Location %q", l)
	}
	if e := h.Get("ETag"); !strings.HasPrefix(e, `"`) || len(e) < 10 {
		t.Errorf("ETag %q", e)
	}
	// The fake asks for every section; only the first of each kind is served.
	if d := cmp.Diff([]string{"0video", "0audio"}, fake.picked); d != "" {
		t.Error(d)
	}
}

func TestWHEP_PostStatusCodes(t *testing.T) {
	sdp := []string{"Content-Type", "application/sdp"}
	good := testOffer("video H264")
	tests := []struct {
		name, method, path, body string
		header                   []string
		err                      error
		status                   int
		code                     string
	}{
		{"parameters of the type", "POST", "/whep/front", good, []string{"Content-Type", "Application/SDP; charset=utf-8"}, nil, 201, ""},
		{"offline camera", "POST", "/whep/off", good, sdp, nil, 201, ""},
		{"sound only", "POST", "/whep/front", testOffer("audio opus"), sdp, nil, 201, ""},
		{"H.265 player", "POST", "/whep/hevc", testOffer("video H265"), sdp, nil, 201, ""},
		{"unknown camera", "POST", "/whep/nobody", good, sdp, nil, 404, "no_camera"},
		{"no type", "POST", "/whep/front", good, nil, nil, 415, "unsupported_media_type"},
		{"wrong type", "POST", "/whep/front", good, []string{"Content-Type", "application/json"}, nil, 415, "unsupported_media_type"},
		{"accepts something else", "POST", "/whep/front", good, append(sdp, "Accept", "application/json"), nil, 406, "not_acceptable"},
		{"no codec in common", "POST", "/whep/hevc", good, sdp, nil, 406, "codec_not_supported"},
		{"empty", "POST", "/whep/front", "", sdp, nil, 400, "bad_request"},
		{"no SDP", "POST", "/whep/front", "hello", sdp, nil, 400, "bad_request"},
		{"nothing to receive", "POST", "/whep/front", testOffer("video H264 sendonly"), sdp, nil, 400, "bad_request"},
		{"no ICE", "POST", "/whep/front", strings.ReplaceAll(good, "ice-", "x-"), sdp, nil, 400, "bad_request"},
		{"too large", "POST", "/whep/front", good + strings.Repeat("a=x:y\r\n", maxBodyBytes/7), sdp, nil, 413, "too_large"},
		{"not answerable", "POST", "/whep/front", good, sdp, peer.ErrBadOffer, 400, "bad_request"},
		{"full", "POST", "/whep/front", good, sdp, peer.ErrBusy, 503, "busy"},
		{"broken", "POST", "/whep/front", good, sdp, fmt.Errorf("no more sockets"), 500, "internal"},
		{"GET", "GET", "/whep/front", "", nil, nil, 405, "method_not_allowed"},
		{"PUT", "PUT", "/whep/front", good, sdp, nil, 405, "method_not_allowed"},
		{"foreign page", "POST", "/whep/front", good, append(sdp, "Origin", "https://evil.example"), nil, 403, "wrong_origin"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, fake := newTestAgent(t, nil)
			fake.err = tt.err
			w := serve(a.ownRoutes, request(tt.method, tt.path, tt.body, tt.header...))
			if w.Code != tt.status {
				t.Fatalf("%d, want %d: %s", w.Code, tt.status, w.Body)
			}
			if tt.code != "" && errorCode(t, w) != tt.code {
				t.Errorf("code in %s, want %s", w.Body, tt.code)
			}
			if tt.status == 503 && w.Header().Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			if tt.status == 405 && w.Header().Get("Allow") != "OPTIONS, POST" {
				t.Errorf("Allow %q", w.Header().Get("Allow"))
			}
			if tt.status == 415 && w.Header().Get("Accept-Post") != typeSDP {
				t.Errorf("Accept-Post %q", w.Header().Get("Accept-Post"))
			}
		})
	}
}

func TestWHEP_IsClosedToWhoMayNotWatch(t *testing.T) {
	a, _ := newTestAgent(t, func(o *Options) { o.Open = false })
	w := serve(a.ownRoutes, request("POST", "/whep/front", testOffer("video H264"), "Content-Type", "application/sdp"))
	if w.Code != 401 || w.Header().Get("WWW-Authenticate") == "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

func TestWHEP_OptionsTellTheTypes(t *testing.T) {
	a, _ := newTestAgent(t, func(o *Options) { o.Open = false })
	w := serve(a.ownRoutes, request("OPTIONS", "/whep/front", ""))
	if w.Code != 204 || w.Header().Get("Accept-Post") != typeSDP || w.Header().Get("Allow") != "OPTIONS, POST" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	w = serve(a.ownRoutes, request("OPTIONS", "/whep/front/x", ""))
	if w.Code != 204 || w.Header().Get("Accept-Patch") != typeFragment {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// openWHEP opens a session and returns its path and entity tag.
func openTestWHEP(t *testing.T, a *Agent) (path, etag string) {
	t.Helper()
	w := serve(a.ownRoutes, request("POST", "/whep/front", testOffer("video H264"), "Content-Type", "application/sdp"))
	if w.Code != 201 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Header().Get("Location"), w.Header().Get("ETag")
}

func TestWHEP_PatchStatusCodes(t *testing.T) {
	a, fake := newTestAgent(t, nil)
	path, etag := openTestWHEP(t, a)
	other := strings.Replace(path, "/front/", "/hevc/", 1)
	frag := []string{"Content-Type", typeFragment, "If-Match", etag}
	tests := []struct {
		name, path, body string
		header           []string
		status           int
	}{
		{"candidate", path, testFragment(testCandidate, "a=end-of-candidates"), frag, 204},
		{"list of tags", path, testFragment(testCandidate), []string{"Content-Type", typeFragment, "If-Match", `"x", ` + etag}, 204},
		{"no candidates", path, testFragment(), frag, 204},
		{"no tag", path, testFragment(testCandidate), frag[:2], 428},
		{"other tag", path, testFragment(testCandidate), []string{"Content-Type", typeFragment, "If-Match", `"other"`}, 412},
		{"restart", path, testFragment(testCandidate), []string{"Content-Type", typeFragment, "If-Match", "*"}, 422},
		{"other credentials", path, strings.Replace(testFragment(), testUfrag, "Other", 1), frag, 422},
		{"wrong type", path, testFragment(testCandidate), []string{"Content-Type", typeSDP, "If-Match", etag}, 415},
		{"not a fragment", path, "hello", frag, 400},
		{"unusable candidate", path, testFragment(strings.Replace(testCandidate, "host", "host unusable", 1)), frag, 204},
		{"too large", path, testFragment(strings.Repeat("a=x:y\r\n", maxBodyBytes/7)), frag, 413},
		{"unknown session", "/whep/front/" + strings.Repeat("A", 22), testFragment(), frag, 404},
		{"session of another camera", other, testFragment(), frag, 404},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := serve(a.ownRoutes, request("PATCH", tt.path, tt.body, tt.header...))
			if w.Code != tt.status {
				t.Errorf("%d, want %d: %s", w.Code, tt.status, w.Body)
			}
		})
	}
	want := []string{"0 " + testCandidate[2:], "0 ", "0 " + testCandidate[2:]}
	if d := cmp.Diff(want, fake.session(0).candidates); d != "" {
		t.Error(d)
	}
}

func TestWHEP_DeleteEndsTheSession(t *testing.T) {
	a, fake := newTestAgent(t, nil)
	path, _ := openTestWHEP(t, a)
	if w := serve(a.ownRoutes, request("DELETE", path, "")); w.Code != 200 {
		t.Fatalf("%d", w.Code)
	}
	<-fake.session(0).Done()
	a.sessions.wait()
	if w := serve(a.ownRoutes, request("DELETE", path, "")); w.Code != 404 {
		t.Errorf("again: %d", w.Code)
	}
}

func TestWHEP_SessionEndsWithItsConnection(t *testing.T) {
	a, fake := newTestAgent(t, nil)
	path, etag := openTestWHEP(t, a)
	_ = fake.session(0).Close() // the path failed
	a.sessions.wait()
	w := serve(a.ownRoutes, request("PATCH", path, testFragment(), "Content-Type", typeFragment, "If-Match", etag))
	if w.Code != 404 {
		t.Errorf("got %d", w.Code)
	}
	if sum := a.sessions.totals(); sum.Sent.Packets != 3 || sum.Open[viaWHEP] != 0 || sum.Opened[viaWHEP] != 1 {
		t.Errorf("totals %+v", sum)
	}
}

func TestWHEP_AFullAgentSaysWhenToTryAgain(t *testing.T) {
	a, _ := newTestAgent(t, func(o *Options) { o.MaxSessions = 1 })
	openTestWHEP(t, a)
	w := serve(a.ownRoutes, request("POST", "/whep/front", testOffer("video H264"), "Content-Type", "application/sdp"))
	if w.Code != 503 || w.Header().Get("Retry-After") != "5" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

func FuzzReadOffer(f *testing.F) {
	for _, s := range [][]string{{"video H264"}, {"audio opus", "video H265"}, {"video VP8 sendonly"}, {}} {
		f.Add(testOffer(s...))
	}
	f.Add("v=0\r\nm=video 9 X 0 8")
	f.Fuzz(func(t *testing.T, text string) {
		facts, err := readOffer(text)
		if (facts == nil) == (err == nil) {
			t.Fatalf("%v beside %v", facts, err)
		}
		if facts != nil && (len(facts.ice) == 0 || facts.video == nil && facts.audio == nil) {
			t.Fatalf("accepted %+v", facts)
		}
	})
}
