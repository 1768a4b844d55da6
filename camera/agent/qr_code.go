package agent

import (
	"fmt"
	"net/http"
	"strings"

	"rsc.io/qr"
)

// maxQRText is the longest text that is drawn, in bytes.
const maxQRText = 1024

// postQR answers POST /v1/qr: a QR code of the text. The agent draws it so that
// a link with a secret in it goes to no server.
func (a *Agent) postQR(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Text string `json:"text"`
	}
	if err := readJSON(r, &in); err != nil {
		a.fail(w, err)
		return
	}
	if in.Text == "" || len(in.Text) > maxQRText {
		badRequest(fmt.Sprintf("A QR code is drawn of 1 to %d bytes of text.", maxQRText)).write(w)
		return
	}
	svg, err := drawQR(in.Text)
	if err != nil {
		badRequest("No QR code can be drawn of this text.").write(w)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "image/svg+xml")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	_, _ = w.Write([]byte(svg)) // the client is gone; there is nobody left to tell
}

// drawQR returns a QR code (ISO/IEC 18004) of the text as SVG, with the quiet
// zone of four modules that the standard wants. Dark modules are black on white
// whatever the page looks like, or cameras would not read it.
func drawQR(text string) (string, error) {
	level := qr.M // 15 % of it may be hidden
	if len(text) > 512 {
		level = qr.L // larger modules are worth more on a small screen
	}
	code, err := qr.Encode(text, level)
	if err != nil {
		return "", err
	}
	const quiet = 4
	size := code.Size + 2*quiet
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dH0z"/><path fill="#000" d="`, size, size, size, size)
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			run := x
			for run < code.Size && code.Black(run, y) {
				run++
			}
			if run > x {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x+quiet, y+quiet, run-x, run-x)
				x = run
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return b.String(), nil
}
