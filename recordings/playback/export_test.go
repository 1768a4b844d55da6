package playback

import (
	"bytes"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings/fmp4/fmp4test"
)

func TestExport_IsOneFileThatPlays(t *testing.T) {
	d := newDesk(t, nil)
	d.shelf.film(t, front(noon), 3, codecs.AAC, nil)
	d.shelf.film(t, front(noon.Add(time.Minute)), 2, codecs.AAC, nil)
	path := fmt.Sprintf("/v1/recordings/front/export.mp4?from=%d&to=%d", millis(noon)+1500, millis(noon)+61_500)
	w := d.ask("playback", "GET", path, "")
	h := w.Header()
	if w.Code != 200 || h.Get("Content-Type") != "video/mp4" || h.Get("Content-Length") != strconv.Itoa(w.Body.Len()) ||
		h.Get("Content-Disposition") != `attachment; filename="front_20261121T120001Z_20261121T120101Z.mp4"` {
		t.Fatalf("%d %v %.200s", w.Code, h, w.Body)
	}
	file := fmp4test.File(t, "export.mp4", w.Body.Bytes())
	fmp4test.Play(t, file)
	probe := fmp4test.ProbeFile(t, file)
	pictures := 0
	for _, p := range probe.Packets {
		if probe.Streams[p.Stream].CodecType == "video" {
			pictures++
		}
	}
	if len(probe.Streams) != 2 || pictures != (2+2)*filmFPS {
		t.Errorf("%d tracks, %d pictures", len(probe.Streams), pictures)
	}
	silent := fmp4test.ProbeFile(t, fmp4test.File(t, "silent.mp4", d.ask("playback", "GET", path+"&sound=0&gaps=keep", "").Body.Bytes()))
	if len(silent.Streams) != 1 || fmp4test.Seconds(t, silent.Format.Duration) < 59 {
		t.Errorf("%d tracks, %s s", len(silent.Streams), silent.Format.Duration)
	}
}

func TestExport_IsTheSameWhenAskedForAgain(t *testing.T) {
	d := newDesk(t, nil)
	d.shelf.film(t, front(noon), 4, codecs.Unknown, nil)
	path := fmt.Sprintf("/v1/recordings/front/export.mp4?from=%d&to=%d", millis(noon), millis(noon)+4000)
	whole := d.ask("playback", "GET", path, "")
	data, tag := whole.Body.Bytes(), whole.Header().Get("ETag")
	if whole.Code != 200 || len(tag) < 10 {
		t.Fatalf("%d %v", whole.Code, whole.Header())
	}
	half := len(data) / 2
	rest := d.ask("playback", "GET", path, "", "Range", fmt.Sprintf("bytes=%d-", half), "If-Range", tag)
	if rest.Code != 206 || !bytes.Equal(rest.Body.Bytes(), data[half:]) || rest.Header().Get("ETag") != tag {
		t.Errorf("the second half: %d, %d bytes, %v", rest.Code, rest.Body.Len(), rest.Header())
	}
	head := d.ask("playback", "HEAD", path, "")
	if head.Code != 200 || head.Body.Len() != 0 || head.Header().Get("Content-Length") != strconv.Itoa(len(data)) || head.Header().Get("ETag") != tag {
		t.Errorf("HEAD: %d %v", head.Code, head.Header())
	}
	for name, other := range map[string]string{"another time": path + "0", "gaps": path + "&gaps=keep", "sound": path + "&sound=0"} {
		if name == "another time" {
			other = fmt.Sprintf("/v1/recordings/front/export.mp4?from=%d&to=%d", millis(noon), millis(noon)+2000)
		}
		if w := d.ask("playback", "HEAD", other, ""); w.Code != 200 || w.Header().Get("ETag") == tag {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
	}
	if w := d.ask("playback", "GET", path, "", "Range", "bytes=99999999-"); w.Code != 416 {
		t.Errorf("beyond: %d", w.Code)
	}
	if w := d.ask("playback", "GET", "/v1/recordings/front/export.mp4?from=1&to=2", ""); w.Code != 404 {
		t.Errorf("nothing: %d %s", w.Code, w.Body)
	}
}

func TestExport_TooManyAtOnceAreRefused(t *testing.T) {
	d := newDesk(t, nil)
	d.shelf.film(t, front(noon), 1, codecs.Unknown, nil)
	for range maxExportsOfOne {
		leave, _ := d.exports.enter(exporter{id: string(d.people["playback"].Peer)})
		defer leave()
	}
	path := fmt.Sprintf("/v1/recordings/front/export.mp4?from=%d&to=%d", millis(noon), millis(noon)+1000)
	w := d.ask("playback", "GET", path, "")
	if code, _ := errorOf(t, w); w.Code != 503 || code != "busy" || w.Header().Get("Retry-After") == "" || w.Header().Get("Content-Disposition") != "" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := d.ask("owner", "GET", path, ""); w.Code != 200 {
		t.Errorf("somebody else: %d %s", w.Code, w.Body)
	}
}
