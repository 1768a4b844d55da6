package agent

import (
	"encoding/xml"
	"fmt"
	"strings"
	"testing"

	"rsc.io/qr"
)

// modules reads the picture back: which modules are dark.
func modules(t *testing.T, svg string) (size int, dark map[[2]int]bool) {
	t.Helper()
	var doc struct {
		ViewBox string `xml:"viewBox,attr"`
		Paths   []struct {
			Fill string `xml:"fill,attr"`
			D    string `xml:"d,attr"`
		} `xml:"path"`
	}
	if err := xml.Unmarshal([]byte(svg), &doc); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(doc.ViewBox, "0 0 %d", &size); err != nil || len(doc.Paths) != 2 {
		t.Fatalf("viewBox %q, %d paths", doc.ViewBox, len(doc.Paths))
	}
	dark = make(map[[2]int]bool)
	for part := range strings.SplitSeq(strings.TrimSuffix(doc.Paths[1].D, "z"), "z") {
		var x, y, w, back int
		if _, err := fmt.Sscanf(part, "M%d %dh%dv1h-%d", &x, &y, &w, &back); err != nil || back != w {
			t.Fatalf("path %q: %v", part, err)
		}
		for i := range w {
			dark[[2]int{x + i, y}] = true
		}
	}
	return size, dark
}

func TestQR_DrawsWhatTheCodeSays(t *testing.T) {
	for _, text := range []string{"1", "https://example.org/#peer=" + strings.Repeat("a", 52), strings.Repeat("x", maxQRText)} {
		svg, err := drawQR(text)
		if err != nil {
			t.Fatal(err)
		}
		size, dark := modules(t, svg)
		level := qr.M
		if len(text) > 512 {
			level = qr.L
		}
		want, err := qr.Encode(text, level)
		if err != nil {
			t.Fatal(err)
		}
		if size != want.Size+8 {
			t.Fatalf("size %d with the quiet zone, code %d", size, want.Size)
		}
		for y := range size {
			for x := range size {
				if dark[[2]int{x, y}] != want.Black(x-4, y-4) {
					t.Fatalf("module %d,%d of %.20q is wrong", x, y, text)
				}
			}
		}
	}
}

func TestAPI_QRIsDrawnForViewersOfShortTexts(t *testing.T) {
	a, _ := newTestAgent(t, nil)
	h := a.handler(overChannel)
	for body, want := range map[string]int{
		`{"text":"hello"}`: 200,
		`{"text":""}`:      400,
		`{"text":"` + strings.Repeat("x", maxQRText) + `"}`:   200,
		`{"text":"` + strings.Repeat("x", maxQRText+1) + `"}`: 400,
		`{"texts":"x"}`: 400,
		`no`:            400,
	} {
		w := serve(h, overSession(request("POST", "/v1/qr", body, "Content-Type", "application/json"), newSession(t, a, "v")))
		if w.Code != want {
			t.Errorf("%.30s: %d, want %d", body, w.Code, want)
		}
		if w.Code == 200 && (w.Header().Get("Content-Type") != "image/svg+xml" || w.Header().Get("Cache-Control") != "no-store") {
			t.Errorf("headers %v", w.Header())
		}
	}
}
