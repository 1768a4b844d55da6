package playback

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/fmp4/fmp4test"
)

func TestSegmentFile_GivesAnyRangeOfTheFile(t *testing.T) {
	d := newDesk(t, nil)
	seg := d.shelf.fill(t, front(noon), 9, 1000, time.Second, nil)
	data := d.shelf.read(t, seg.Ref)
	path := "/v1/recordings/front/segments/" + segmentID(seg.Ref)
	whole := d.ask("playback", "GET", path, "")
	h := whole.Header()
	if whole.Code != 200 || !bytes.Equal(whole.Body.Bytes(), data) || h.Get("Content-Type") != "video/mp4" || h.Get("Content-Disposition") != "" ||
		!strings.HasPrefix(h.Get("Cache-Control"), "private") || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d, %d bytes, %v", whole.Code, whole.Body.Len(), h)
	}
	tag := h.Get("ETag")
	for name, tt := range map[string]struct {
		header []string
		status int
		want   []byte
	}{
		"a fragment":          {[]string{"Range", "bytes=1600-2599"}, 206, data[1600:2600]},
		"the rest":            {[]string{"Range", "bytes=9000-"}, 206, data[9000:]},
		"the end":             {[]string{"Range", "bytes=-10"}, 206, data[len(data)-10:]},
		"if it is still that": {[]string{"Range", "bytes=0-9", "If-Range", tag}, 206, data[:10]},
		"if it is another":    {[]string{"Range", "bytes=0-9", "If-Range", `"x"`}, 200, data},
		"known already":       {[]string{"If-None-Match", tag}, 304, nil},
	} {
		if w := d.ask("playback", "GET", path, "", tt.header...); w.Code != tt.status || !bytes.Equal(w.Body.Bytes(), tt.want) {
			t.Errorf("%s: %d, %d bytes", name, w.Code, w.Body.Len())
		}
	}
	if w := d.ask("playback", "HEAD", path, ""); w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Length") != fmt.Sprint(len(data)) || w.Header().Get("ETag") != tag {
		t.Errorf("HEAD: %d %v", w.Code, w.Header())
	}
	w := d.ask("playback", "GET", path+"?download=1", "", "Range", "bytes=99999-")
	if code, _ := errorOf(t, w); w.Code != 416 || code != "range" || w.Header().Get("Content-Range") != fmt.Sprintf("bytes */%d", len(data)) || w.Header().Get("Content-Disposition") != "" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("beyond: %d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := d.ask("playback", "GET", path+"?download=1", ""); w.Header().Get("Content-Disposition") != `attachment; filename="front_main_20261121T120000Z.mp4"` {
		t.Errorf("to be kept: %v", w.Header())
	}
	if w := d.ask("playback", "GET", "/v1/recordings/front/segments/main.1", ""); w.Code != 404 {
		t.Errorf("one that is not there: %d", w.Code)
	}
	if w := d.ask("all of back", "GET", strings.Replace(path, "front", "back", 1), ""); w.Code != 404 {
		t.Errorf("another camera's: %d", w.Code)
	}
}

func TestSegmentFile_OneThatGrowsIsNotKept(t *testing.T) {
	d := newDesk(t, nil)
	seg := d.shelf.fill(t, front(noon), 9, 1000, time.Second, func(s *recordings.Segment) {
		s.Open, s.Bytes = true, s.Bytes-500 // something is just being written
	})
	w := d.ask("playback", "GET", "/v1/recordings/front/segments/"+segmentID(seg.Ref), "")
	if w.Code != 200 || int64(w.Body.Len()) != seg.Bytes || w.Header().Get("ETag") != "" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d, %d bytes, %v", w.Code, w.Body.Len(), w.Header())
	}
}

func TestFragment_IsTheOneThatCoversATime(t *testing.T) {
	d := newDesk(t, nil)
	start := noon + 250 // a fragment begins at any microsecond
	seg := d.shelf.fill(t, front(start), 9, 1000, time.Second, nil)
	data := d.shelf.read(t, seg.Ref)
	ms := millis(noon)
	for at, want := range map[int64]int{ms: 0, ms + 999: 0, ms + 1000: 1, ms + 8999: 8, ms + 9000: 8} {
		w := d.ask("playback", "GET", fmt.Sprintf("/v1/recordings/front/fragment?at=%d", at), "")
		f := seg.Fragments[want]
		h := w.Header()
		if w.Code != 200 || !bytes.Equal(w.Body.Bytes(), data[f.Offset:f.Offset+f.Bytes]) {
			t.Errorf("%d: %d %v", at-ms, w.Code, h)
		}
		if h.Get("Sightline-Segment") != segmentID(seg.Ref) || h.Get("Sightline-Start-Us") != fmt.Sprint(int64(f.Start)) || h.Get("Sightline-Init-Bytes") != "600" || h.Get("Sightline-Video-Bytes") != "900" {
			t.Errorf("%d: %v", at-ms, h)
		}
	}
	for _, at := range []int64{ms - 1, ms + 9001} {
		if w := d.ask("playback", "GET", fmt.Sprintf("/v1/recordings/front/fragment?at=%d", at), ""); w.Code != 404 {
			t.Errorf("%d: %d", at-ms, w.Code)
		}
	}
}

func TestInit_IsTheBeginningWithOrWithoutSound(t *testing.T) {
	d := newDesk(t, nil)
	seg := d.shelf.film(t, front(noon), 1, codecs.PCMA, nil)
	data := d.shelf.read(t, seg.Ref)
	path := "/v1/recordings/front/segments/" + segmentID(seg.Ref) + "/init.mp4"
	with, without := d.ask("playback", "GET", path, ""), d.ask("playback", "GET", path+"?sound=0", "")
	if with.Code != 200 || !bytes.Equal(with.Body.Bytes(), data[:seg.InitBytes]) {
		t.Errorf("%d, %d bytes", with.Code, with.Body.Len())
	}
	if without.Code != 200 || bytes.Contains(without.Body.Bytes(), []byte("alaw")) || !bytes.Contains(without.Body.Bytes(), []byte("avc1")) || with.Header().Get("ETag") == without.Header().Get("ETag") {
		t.Errorf("%d %q", without.Code, without.Body)
	}
	f := seg.Fragments[0]
	fmp4test.Play(t, fmp4test.File(t, "video.mp4", append(without.Body.Bytes(), data[f.Offset:f.Offset+f.VideoBytes]...)))
}

func TestKeyFrame_CanBeDecodedAlone(t *testing.T) {
	d := newDesk(t, nil)
	d.shelf.film(t, front(noon), 3, codecs.Unknown, nil)
	ms := millis(noon)
	w := d.ask("playback", "GET", fmt.Sprintf("/v1/recordings/front/keyframe?at=%d", ms+1400), "")
	h := w.Header()
	if w.Code != 200 || h.Get("Sightline-Time-Ms") != fmt.Sprint(ms+1000) || h.Get("Sightline-Width") != "640" || h.Get("Sightline-Height") != "360" || !strings.HasPrefix(h.Get("Sightline-Codec"), "avc1.") {
		t.Fatalf("%d %v %s", w.Code, h, w.Body)
	}
	if picture := w.Body.Bytes(); !bytes.HasPrefix(picture, []byte{0, 0, 0, 1}) || picture[4]&0x1f != 7 {
		t.Errorf("it begins with % x", picture[:8])
	}
	file := fmp4test.File(t, "picture.h264", w.Body.Bytes())
	frames := fmp4test.Run(t, nil, "ffmpeg", "-nostdin", "-v", "error", "-f", "h264", "-i", file, "-f", "rawvideo", "-pix_fmt", "gray", "-")
	if len(frames) != 640*360 {
		t.Errorf("%d bytes of picture", len(frames))
	}
	list := get[struct{ KeyFramesMs []int64 }](t, d, fmt.Sprintf("/v1/recordings/front/keyframes?from=%d&to=%d&max=2", ms, ms+3000))
	if fmt.Sprint(list.KeyFramesMs) != fmt.Sprint([]int64{ms, ms + 1000}) {
		t.Errorf("%v", list.KeyFramesMs)
	}
	if w := d.ask("playback", "GET", "/v1/recordings/front/keyframe?at=1&rendition=sub", ""); w.Code != 404 {
		t.Errorf("without any: %d", w.Code)
	}
}

func TestAnnexB_AddsParameterSetsWhereTheyAreMissing(t *testing.T) {
	h264 := codecs.Track{Codec: codecs.H264, SPS: []byte{0x67, 1}, PPS: []byte{0x68, 2}}
	h265 := codecs.Track{Codec: codecs.H265, VPS: []byte{0x40, 1}, SPS: []byte{0x42, 1}, PPS: []byte{0x44, 1}}
	for name, tt := range map[string]struct {
		track codecs.Track
		nals  [][]byte
		want  string
	}{
		"H.264 without": {h264, [][]byte{{0x65, 9}}, "\x00\x00\x00\x01\x67\x01\x00\x00\x00\x01\x68\x02\x00\x00\x00\x01\x65\x09"},
		"H.264 with":    {h264, [][]byte{{0x67, 7}, {0x65, 9}}, "\x00\x00\x00\x01\x67\x07\x00\x00\x00\x01\x65\x09"},
		"H.265 without": {h265, [][]byte{{0x26, 1}}, "\x00\x00\x00\x01\x40\x01\x00\x00\x00\x01\x42\x01\x00\x00\x00\x01\x44\x01\x00\x00\x00\x01\x26\x01"},
		"H.265 with":    {h265, [][]byte{{0x40, 2}, {0x26, 1}}, "\x00\x00\x00\x01\x40\x02\x00\x00\x00\x01\x26\x01"},
	} {
		if got := annexB(tt.track, &codecs.Unit{Payload: tt.nals}); string(got) != tt.want {
			t.Errorf("%s: % x", name, got)
		}
	}
}

func TestSegmentFile_OddMethodsAndHeadersDoNoHarm(t *testing.T) {
	d := newDesk(t, nil)
	seg := d.shelf.fill(t, front(noon), 9, 1000, time.Second, nil)
	path := "/v1/recordings/front/segments/" + segmentID(seg.Ref)
	for _, ranges := range []string{"bytes=0-0,2-2,4-4", "bytes=" + strings.Repeat("0-,", 500) + "0-", "bytes=x", "lines=1-2", "bytes=5-1"} {
		w := d.ask("playback", "GET", path, "", "Range", ranges)
		if w.Body.Len() > 2*int(seg.Bytes) || w.Code == http.StatusInternalServerError {
			t.Errorf("%.20s: %d, %d bytes", ranges, w.Code, w.Body.Len())
		}
	}
}
