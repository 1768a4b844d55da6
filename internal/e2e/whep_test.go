package e2e

import (
	"testing"

	"github.com/sightline-cam/sightline/internal/lab/rtspcam"
)

// whepPlayer is a player that knows nothing of this project: a POST, an answer.
const whepPlayer = `(async () => {
  const pc = new RTCPeerConnection();
  const video = Object.assign(document.createElement('video'), { muted: true, autoplay: true, playsInline: true });
  document.body.append(video);
  pc.ontrack = ({ track }) => { if (track.kind === 'video') video.srcObject = new MediaStream([track]); };
  pc.addTransceiver('video', { direction: 'recvonly' });
  pc.addTransceiver('audio', { direction: 'recvonly' });
  await pc.setLocalDescription();
  const response = await fetch('/whep/cam', {
    method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: pc.localDescription.sdp,
  });
  await pc.setRemoteDescription({ type: 'answer', sdp: await response.text() });
  window.whep = { pc, session: response.headers.get('Location') };
  return response.status;
})()`

func TestWHEP_APlayerOfOthersPlays(t *testing.T) {
	t.Parallel()
	b := launch(t)
	agent := start(t, binary(t), "camera", "--state-dir", t.TempDir(), "--listen", anyPort, "--open", "--name", "cam",
		rtspcam.StartGStreamer(t).URL(rtspcam.Open, "high"))
	origin := agent.waitFor(t, `http://127\.0\.0\.1:[0-9]+/`, startTimeout)[0]
	p := b.open("whep", origin, pageOptions{})
	var status int
	p.eval(whepPlayer, &status)
	if status != 201 {
		t.Fatalf("POST is answered by %d, want 201", status)
	}
	p.wait("!!e2e.video()", liveTimeout, nil)
	p.waitFrames(50, liveTimeout)
	if got := p.rtc(); got.SRTPCipher != "SRTP_AEAD_AES_128_GCM" && got.SRTPCipher != "AEAD_AES_128_GCM" {
		t.Errorf("media is encrypted with %q", got.SRTPCipher)
	}
	p.eval("fetch(window.whep.session, { method: 'DELETE' }).then((r) => r.status)", &status)
	if status != 200 {
		t.Errorf("DELETE is answered by %d, want 200", status)
	}
	p.wait("['closed', 'failed', 'disconnected'].includes(window.whep.pc.connectionState)", liveTimeout, nil)
}
