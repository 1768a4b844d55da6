package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// loopbackPage sends a drawn picture with a stamp from one peer connection to
// another, and shows it inside a shadow tree, as the real page does.
const loopbackPage = `<!doctype html><title>probe</title><h1>Probe</h1><script type="module">
import { crc8 } from '/stamp.js';
customElements.define('sl-player', class extends HTMLElement {
  constructor() { super(); this.attachShadow({ mode: 'open' }).innerHTML = '<video autoplay muted playsinline></video><p>Live</p>'; }
});
const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 });
const c = canvas.getContext('2d');
let counter = 0;
setInterval(() => {
  c.fillStyle = 'hsl(' + (counter * 7) % 360 + ' 90% 50%)';
  c.fillRect(0, 0, 640, 360);
  for (let i = 0; i < 16; i++) { c.fillStyle = 'hsl(' + i * 22 + ' 90% 50%)'; c.fillRect(i * 40, 100, 40, 200); }
  const bytes = new Uint8Array(10);
  let ticks = Math.round((performance.timeOrigin + performance.now()) * 10);
  for (let i = 5; i >= 0; i--) { bytes[i] = ticks % 256; ticks = Math.floor(ticks / 256); }
  bytes[8] = ++counter;
  bytes[9] = crc8(bytes.subarray(0, 9));
  for (let bit = 0; bit < 80; bit++) {
    c.fillStyle = bytes[bit >> 3] & (0x80 >> (bit & 7)) ? '#fff' : '#000';
    c.fillRect((bit % 40) * 16, Math.floor(bit / 40) * 16, 16, 16);
  }
}, 40);
const player = document.body.appendChild(document.createElement('sl-player'));
const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
a.onicecandidate = (e) => b.addIceCandidate(e.candidate);
b.onicecandidate = (e) => a.addIceCandidate(e.candidate);
b.ontrack = (e) => { player.shadowRoot.querySelector('video').srcObject = new MediaStream([e.track]); };
b.onconnectionstatechange = () => { player.dataset.state = b.connectionState === 'connected' ? 'live' : 'connecting'; };
a.addTrack(canvas.captureStream(25).getTracks()[0]);
await a.setLocalDescription();
await b.setRemoteDescription(a.localDescription);
await b.setLocalDescription();
await a.setRemoteDescription(b.localDescription);
</script>`

// The probe itself must see what is there; otherwise the other tests tell
// nothing about the page.
func TestProbe_SeesVideoStatisticsAndStamps(t *testing.T) {
	t.Parallel()
	b := launch(t)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(loopbackPage)) })
	mux.HandleFunc("GET /stamp.js", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, "../../web/static/stamp.js")
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	p := b.open("probe", server.URL, pageOptions{})
	defer p.close()
	p.wait("e2e.states().join() === 'live' && e2e.video() && e2e.colours() > 8", liveTimeout, nil)

	got := p.rtc()
	if got.Live != 2 || got.State != "connected" || got.SRTPCipher == "" || got.FramesDecoded == 0 {
		t.Errorf("statistics %+v", got)
	}
	p.wait("e2e.framesDecoded().then((n) => n > 10)", liveTimeout, nil)
	for deadline := time.Now().Add(liveTimeout); ; {
		read := 0
		for _, s := range p.stamps(20) {
			if s != nil && s.LagMs > 0 && s.LagMs < 2000 {
				read++
			}
		}
		if read >= 10 { // VP8 at its first rate smears some
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of 20 stamps read", read)
		}
	}
	var text string
	p.eval("e2e.text()", &text)
	if !strings.Contains(text, "Probe") || !strings.Contains(text, "Live") {
		t.Errorf("text %q", text)
	}
}
