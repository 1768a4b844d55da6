package attacks

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"github.com/pion/rtp"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/rtppack"
	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/internal/lab/rtspcam"
)

// fps is low: there is no more to a picture here than whether it comes.
const fps = 5

const (
	// bulkFrames is how many pictures of a bulky camera are large, from the first
	// on, and bulkBytes how large.
	bulkFrames = 2 * fps
	bulkBytes  = 2 << 20
	// bulk is what half of them come to, a group of pictures: more than fits into
	// the buffers between a download and its client.
	bulk = bulkFrames * bulkBytes / 2
)

// camera starts an RTSP camera with a picture and returns its address. A bulky one
// sends much more than the picture at first.
func (w *world) camera(bulky bool) string {
	w.Helper()
	e, err := testpattern.New(testpattern.Options{Width: 640, Height: 360, FPS: fps, GOP: time.Second})
	if err != nil {
		w.Fatal(err)
	}
	sps, pps := e.ParameterSets()
	fake := &rtspcam.Fake{
		SDP: fmt.Sprintf("m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;sprop-parameter-sets=%s,%s\r\n",
			base64.StdEncoding.EncodeToString(sps), base64.StdEncoding.EncodeToString(pps)),
		Play: func(s *rtspcam.FakeSender) { play(s, bulky) },
	}
	return fake.Start(w.T)
}

// play sends the picture to one client.
func play(s *rtspcam.FakeSender, bulky bool) {
	e, err := testpattern.New(testpattern.Options{Width: 640, Height: 360, FPS: fps, GOP: time.Second})
	if err != nil {
		return
	}
	tick := time.NewTicker(time.Second / fps)
	defer tick.Stop()
	for seq, frame := uint16(0), uint32(0); ; frame++ {
		units := e.Encode(time.Now())
		if last := len(units) - 1; bulky && frame < bulkFrames { // decoders do not look behind the end of a slice
			units = append(slices.Clone(units[:last]), slices.Concat(units[last], bytes.Repeat([]byte{0xaa}, bulkBytes)))
		}
		payloads := rtppack.Pack(codecs.H264, &codecs.Unit{Payload: units})
		for i, payload := range payloads {
			p := &rtp.Packet{
				Header: rtp.Header{
					Version: 2, PayloadType: 96, SequenceNumber: seq, Timestamp: frame * 90000 / fps, SSRC: 1, Marker: i == len(payloads)-1,
				},
				Payload: payload,
			}
			if !s.RTP(p) {
				return
			}
			seq++
		}
		select {
		case <-tick.C:
		case <-s.Done:
			return
		}
	}
}
