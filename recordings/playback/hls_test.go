package playback

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/fmp4/fmp4test"
)

// openHLS asks for a path.
func openHLS(t testing.TB, d *desk, who string, fromMs, toMs int64) (path string) {
	t.Helper()
	w := d.ask(who, "POST", "/v1/recordings/front/hls", fmt.Sprintf(`{"fromMs":%d,"toMs":%d,"rendition":"main"}`, fromMs, toMs))
	var out struct {
		Path    string
		Expires time.Time
	}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != http.StatusCreated {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if token := strings.Split(out.Path, "/")[2]; len(token) != hlsTokenLength || !strings.HasSuffix(out.Path, "/index.m3u8") || time.Until(out.Expires) > hlsTokenIdle {
		t.Errorf("%+v", out)
	}
	return out.Path
}

// fetch makes a request of nobody's.
func fetch(d *desk, path string, header ...string) (status int, body string) {
	w := d.ask("", "GET", path, "", header...)
	return w.Code, w.Body.String()
}

func TestHLS_APlayerPlaysAPlaylistOverSegmentsAndGaps(t *testing.T) {
	d := newDesk(t, nil)
	d.shelf.film(t, front(noon), 12, codecs.AAC, nil)
	d.shelf.film(t, front(noon.Add(12*time.Second)), 6, codecs.AAC, nil)
	d.shelf.film(t, front(noon.Add(time.Hour)), 3, codecs.AAC, nil)
	path := openHLS(t, d, "playback", millis(noon)+1500, millis(noon)+3_602_000)
	status, text := fetch(d, path)
	want := `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:10
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="init-main.1795262400000000.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-21T12:00:01.000Z
#EXTINF:4.000000,
#EXT-X-BYTERANGE:N@0
main.1795262400000000.mp4
#EXTINF:4.000000,
#EXT-X-BYTERANGE:N@N
main.1795262400000000.mp4
#EXTINF:3.000000,
#EXT-X-BYTERANGE:N@N
main.1795262400000000.mp4
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="init-main.1795262412000000.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-21T12:00:12.000Z
#EXTINF:4.000000,
#EXT-X-BYTERANGE:N@0
main.1795262412000000.mp4
#EXTINF:2.000000,
#EXT-X-BYTERANGE:N@N
main.1795262412000000.mp4
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="init-main.1795266000000000.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-21T13:00:00.000Z
#EXTINF:2.000000,
#EXT-X-BYTERANGE:N@0
main.1795266000000000.mp4
#EXT-X-ENDLIST
`
	if got := withoutSizes(text); status != 200 || got != want {
		t.Errorf("%d\n%s", status, text)
	}
	frames := playHLS(t, d, path)
	if frames != (11+6+2)*filmFPS {
		t.Errorf("%d frames were decoded", frames)
	}
}

// withoutSizes makes byte ranges comparable that depend on the encoder.
func withoutSizes(playlist string) string {
	lines := strings.Split(playlist, "\n")
	for i, line := range lines {
		if before, _, ok := strings.Cut(line, ",BYTERANGE="); ok {
			lines[i] = before
		}
		if size, ok := strings.CutPrefix(line, "#EXT-X-BYTERANGE:"); ok {
			lines[i] = "#EXT-X-BYTERANGE:N@N"
			if strings.HasSuffix(size, "@0") {
				lines[i] = "#EXT-X-BYTERANGE:N@0"
			}
		}
	}
	return strings.Join(lines, "\n")
}

// playHLS plays a playlist with ffmpeg and returns how many pictures it decoded.
func playHLS(t testing.TB, d *desk, path string) int {
	t.Helper()
	server := d.server(t, "")
	out := fmp4test.Run(t, nil, "ffmpeg", "-nostdin", "-v", "error", "-xerror", "-threads", "1", "-allowed_extensions", "ALL", "-i", server.URL+path,
		"-map", "0:v", "-f", "rawvideo", "-fps_mode", "passthrough", "-vf", "scale=2:2", "-pix_fmt", "gray", "-")
	return len(out) / 4
}

func TestHLS_SoundThatItHasNoNameForIsLeftOut(t *testing.T) {
	d := newDesk(t, nil)
	d.shelf.film(t, front(noon), 4, codecs.PCMU, nil)
	path := openHLS(t, d, "playback", millis(noon), millis(noon)+4000)
	_, text := fetch(d, path)
	if n := strings.Count(text, "#EXTINF"); n != 4 {
		t.Errorf("%d entries; the sound is between the fragments\n%s", n, text)
	}
	_, init := fetch(d, strings.Replace(path, "index.m3u8", "init-"+segmentID(front(noon))+".mp4", 1))
	if strings.Contains(init, "ulaw") || !strings.Contains(init, "avc1") {
		t.Errorf("the init segment is %q", init)
	}
	if frames := playHLS(t, d, path); frames != 4*filmFPS {
		t.Errorf("%d frames were decoded", frames)
	}
}

func TestHLS_AGrowingPlaylistIsOnlyAppendedTo(t *testing.T) {
	d := newDesk(t, nil)
	now := recordings.TimeOf(time.Now().Add(-time.Minute))
	grow := func(n int, open bool) {
		d.shelf.fill(t, front(now), n, 100, time.Second, func(s *recordings.Segment) { s.Open = open })
	}
	grow(5, true) // three of a GOP, two of the next
	path := openHLS(t, d, "playback", millis(now), 0)
	last := ""
	entries := func() int {
		t.Helper()
		_, text := fetch(d, path)
		if !strings.Contains(text, "#EXT-X-PLAYLIST-TYPE:EVENT\n") || !strings.HasPrefix(text, last) || strings.Contains(text, "ENDLIST") {
			t.Fatalf("after\n%s\ncomes\n%s", last, text)
		}
		last = text
		return strings.Count(text, "#EXTINF:")
	}
	refresh := func() { // as if the time for it had come
		token, _ := d.hls.find(time.Now(), strings.Split(path, "/")[2])
		token.stream.turn <- struct{}{}
		token.stream.refreshed = time.Time{}
		<-token.stream.turn
	}
	for i, want := range []int{0, 1, 1, 2, 3} {
		if i > 0 {
			refresh()
		}
		grow([]int{5, 7, 11, 13, 14}[i], i < 4)
		if i == 0 {
			refresh()
		}
		if got := entries(); got != want {
			t.Errorf("step %d: %d entries, want %d\n%s", i, got, want, last)
		}
	}
	// What is filled in later is before the end, and does not show.
	earlier := front(now.Add(-30 * time.Second))
	d.shelf.fill(t, earlier, 30, 100, time.Second, nil)
	next := front(now.Add(20 * time.Second))
	d.shelf.fill(t, next, 6, 100, time.Second, nil)
	refresh()
	if got := entries(); got != 4 || !strings.Contains(last, "#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"init-"+segmentID(next)) {
		t.Errorf("%d entries\n%s", got, last)
	}
}

func TestHLS_GivesWhatThePlaylistHasAndNoMore(t *testing.T) {
	d := newDesk(t, nil)
	seg := d.shelf.fill(t, front(noon), 30, 1000, time.Second, nil)
	d.shelf.fill(t, front(noon.Add(time.Hour)), 30, 1000, time.Second, nil)
	data := d.shelf.read(t, seg.Ref)
	path := openHLS(t, d, "playback", millis(noon)+10_000, millis(noon)+12_000)
	file := strings.Replace(path, "index.m3u8", segmentID(seg.Ref)+".mp4", 1)
	covered := data[seg.Fragments[9].Offset:seg.Fragments[12].Offset] // from the key frame before on
	if status, body := fetch(d, file); status != 200 || body != string(covered) {
		t.Errorf("%d, %d bytes", status, len(body))
	}
	if status, body := fetch(d, file, "Range", "bytes=1000-1999"); status != 206 || body != string(covered[1000:2000]) {
		t.Errorf("%d, %d bytes", status, len(body))
	}
	if status, _ := fetch(d, file, "Range", "bytes=3000-"); status != 416 {
		t.Errorf("beyond: %d", status)
	}
	for _, name := range []string{segmentID(front(noon.Add(time.Hour))) + ".mp4", "main.1.mp4", "index.html", segmentID(seg.Ref), "init-.mp4", "..%2f..", "init-init-main.1.mp4"} {
		if status, _ := fetch(d, strings.Replace(path, "index.m3u8", name, 1)); status != 404 {
			t.Errorf("%s: %d", name, status)
		}
	}
	if w := d.ask("", "GET", path, ""); w.Header().Get("Content-Type") != typePlaylist || w.Header().Get("Referrer-Policy") != "no-referrer" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%v", w.Header())
	}
	if got := d.kinds(); !slices.Equal(got, []ChangeKind{ChangeHLSToken}) {
		t.Errorf("%v", got)
	}
}

func TestHLS_APathIsWorthNothingWithoutTheRight(t *testing.T) {
	d := newDesk(t, nil)
	d.shelf.fill(t, front(noon), 30, 1000, time.Second, nil)
	path := openHLS(t, d, "playback", millis(noon), millis(noon)+10_000)
	owners := openHLS(t, d, "owner", millis(noon), millis(noon)+10_000)
	d.revoke(t, "playback")
	if status, _ := fetch(d, path); status != 404 {
		t.Errorf("after it was taken back: %d", status)
	}
	if len(d.hls.all) != 1 {
		t.Errorf("%d tokens are remembered", len(d.hls.all))
	}
	for _, wrong := range []string{"/hls/x/index.m3u8", "/hls/" + strings.Repeat("A", hlsTokenLength) + "/index.m3u8", "/hls//index.m3u8"} {
		if status, body := fetch(d, wrong); status == 200 {
			t.Errorf("%s: %s", wrong, body)
		}
	}
	if status, _ := fetch(d, owners); status != 200 {
		t.Errorf("the owner's: %d", status)
	}
}

func TestHLS_ADownloadEndsWithTheRight(t *testing.T) {
	d := newDesk(t, nil)
	d.stall = 10 * patience
	largeFile(t, d)
	path := openHLS(t, d, "playback", millis(noon), millis(noon)+40_000)
	s := d.server(t, "")
	ended := watchEnd(s)
	begin(t, s.URL, strings.Replace(path, "index.m3u8", segmentID(front(noon))+".mp4", 1))
	d.revoke(t, "playback")
	endsByItself(t, ended)
}

func TestHLS_WhatCannotBeShownIsRefused(t *testing.T) {
	d := newDesk(t, nil)
	d.shelf.fill(t, front(noon), 30, 1000, time.Second, nil)
	ms, now := millis(noon), time.Now()
	for body, want := range map[string]int{
		fmt.Sprintf(`{"fromMs":%d,"toMs":%d,"rendition":"big"}`, ms, ms+1):                       400,
		fmt.Sprintf(`{"fromMs":%d,"toMs":%d,"rendition":"sub"}`, ms, ms+1):                       404,
		fmt.Sprintf(`{"fromMs":%d,"toMs":%d,"rendition":""}`, ms, ms+1):                          201,
		fmt.Sprintf(`{"fromMs":%d,"toMs":%d,"rendition":""}`, ms+1, ms):                          400,
		fmt.Sprintf(`{"fromMs":%d,"toMs":%d,"rendition":""}`, ms, ms+25*3_600_000):               400,
		fmt.Sprintf(`{"fromMs":%d,"toMs":%d,"rendition":""}`, ms+60_000, ms+70_000):              404,
		fmt.Sprintf(`{"fromMs":%d,"toMs":0,"rendition":""}`, now.Add(-13*time.Hour).UnixMilli()): 400,
		fmt.Sprintf(`{"fromMs":%d,"toMs":0,"rendition":""}`, now.Add(time.Hour).UnixMilli()):     400,
		fmt.Sprintf(`{"fromMs":%d,"toMs":0,"rendition":""}`, now.Add(-11*time.Hour).UnixMilli()): 201,
		`{"fromMs":-1,"toMs":1,"rendition":""}`:                                                  400,
	} {
		if w := d.ask("playback", "POST", "/v1/recordings/front/hls", body); w.Code != want {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	for i := range 40 { // with G.711 each fragment is an entry
		d.shelf.segs = append(d.shelf.segs, recordings.Segment{Ref: front(noon.Add(time.Hour + time.Duration(i)*time.Minute)), End: noon.Add(time.Hour + time.Duration(i+1)*time.Minute), Format: recordings.Format{Audio: "ulaw"}})
		for j := range 600 {
			s := &d.shelf.segs[len(d.shelf.segs)-1]
			s.Fragments = append(s.Fragments, recordings.Fragment{Start: s.Start.Add(time.Duration(j) * 100 * time.Millisecond), Duration: 100 * time.Millisecond, Key: true})
		}
	}
	if w := d.ask("playback", "POST", "/v1/recordings/front/hls", fmt.Sprintf(`{"fromMs":%d,"toMs":%d,"rendition":""}`, ms, ms+2*3_600_000)); w.Code != 400 || !strings.Contains(w.Body.String(), "shorter") {
		t.Errorf("too much: %d %s", w.Code, w.Body)
	}
}

func TestHLSTokens_ExpireAndAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := newHLSTokens()
		ann, stream := &trust.Principal{Peer: "ann"}, newHLSStream(recordings.Stream{}, always(), false)
		text, expires, err := tokens.add(time.Now(), ann, stream)
		if err != nil || !expires.Equal(time.Now().Add(hlsTokenIdle)) {
			t.Fatal(expires, err)
		}
		uses := 0
		for began := time.Now(); ; uses++ {
			if _, ok := tokens.find(time.Now(), text); !ok {
				if took := time.Since(began); took < hlsTokenLife || took > hlsTokenLife+hlsTokenIdle {
					t.Errorf("used all the time it ends after %v", took)
				}
				break
			}
			time.Sleep(hlsTokenIdle / 2) //nolint:forbidigo // the bubble's clock
		}
		text, _, _ = tokens.add(time.Now(), ann, stream)
		time.Sleep(hlsTokenIdle) //nolint:forbidigo // the bubble's clock
		if _, ok := tokens.find(time.Now(), text); ok {
			t.Error("one that nobody used did not end")
		}
		var texts []string
		for range maxHLSOfOne + 1 {
			text, _, err := tokens.add(time.Now(), ann, stream)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, text)
			time.Sleep(time.Second) //nolint:forbidigo // the bubble's clock
		}
		for i, text := range texts {
			if _, ok := tokens.find(time.Now(), text); ok != (i > 0) {
				t.Errorf("token %d of one holder: %v", i, ok)
			}
		}
		for i := range maxHLSTokens {
			_, _, err = tokens.add(time.Now(), &trust.Principal{Peer: "x", Role: trust.Role(fmt.Sprint(i))}, stream)
		}
		if err == nil || len(tokens.all) > maxHLSTokens || len(tokens.used) != len(tokens.all) {
			t.Errorf("%d tokens, %v", len(tokens.all), err)
		}
		time.Sleep(hlsTokenIdle) //nolint:forbidigo // the bubble's clock
		if _, _, err := tokens.add(time.Now(), ann, stream); err != nil || len(tokens.all) != 1 {
			t.Errorf("after all have ended: %d, %v", len(tokens.all), err)
		}
	})
}

func TestHLSEntries_EndAtKeyFramesAndAreNotTooLong(t *testing.T) {
	fragment := func(seconds float64, key bool) recordings.Fragment {
		return recordings.Fragment{Duration: time.Duration(seconds * float64(time.Second)), Key: key}
	}
	cut := func(all []recordings.Fragment) string {
		var out bytes.Buffer
		for len(all) > 0 {
			n := entryLength(all, false)
			fmt.Fprintf(&out, "%d ", n)
			all = all[n:]
		}
		return out.String()
	}
	gops := slices.Repeat([]recordings.Fragment{fragment(2, true)}, 5)
	long := slices.Concat([]recordings.Fragment{fragment(1, true)}, slices.Repeat([]recordings.Fragment{fragment(1, false)}, 24))
	if got := cut(gops); got != "2 2 1 " {
		t.Errorf("GOPs of 2 s: %s", got)
	}
	if got := cut(long); got != "10 10 5 " {
		t.Errorf("a GOP of 25 s: %s", got)
	}
	if got := cut([]recordings.Fragment{fragment(30, true), fragment(1, true)}); got != "1 1 " {
		t.Errorf("a fragment of 30 s: %s", got)
	}
}
