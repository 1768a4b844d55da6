package rtspcam

import (
	"encoding/base64"
	"fmt"
	"time"

	"github.com/pion/rtp"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/rtppack"
	"github.com/sightline-cam/sightline/codecs/testpattern"
)

// Picture returns a camera that shows the test picture and needs little of the
// processor, for tests that run many.
func Picture(o testpattern.Options) (*Fake, error) {
	e, err := testpattern.New(o)
	if err != nil {
		return nil, fmt.Errorf("the test picture: %w", err)
	}
	sps, pps := e.ParameterSets()
	return &Fake{
		SDP: fmt.Sprintf("m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"+
			"a=fmtp:96 packetization-mode=1;profile-level-id=%x;sprop-parameter-sets=%s,%s\r\n",
			sps[1:4], base64.StdEncoding.EncodeToString(sps), base64.StdEncoding.EncodeToString(pps)),
		NoUDP: true,
		Play:  func(s *FakeSender) { play(s, o) },
	}, nil
}

// play sends the picture to one client until it goes.
func play(s *FakeSender, o testpattern.Options) {
	e, err := testpattern.New(o)
	if err != nil {
		return // Picture has tried the same
	}
	start, sequence := time.Now(), uint16(0)
	tick := time.NewTicker(time.Second / time.Duration(e.Options().FPS))
	defer tick.Stop()
	for {
		select {
		case <-s.Done:
			return
		case now := <-tick.C:
			payloads := rtppack.Pack(codecs.H264, &codecs.Unit{Payload: e.Encode(now)})
			for i, payload := range payloads {
				sequence++
				if !s.RTP(&rtp.Packet{Payload: payload, Header: rtp.Header{
					Version: 2, PayloadType: 96, SSRC: 1, SequenceNumber: sequence, Marker: i == len(payloads)-1,
					Timestamp: uint32(now.Sub(start).Microseconds() * 9 / 100),
				}}) {
					return
				}
			}
		}
	}
}
