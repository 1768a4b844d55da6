package peer

import (
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// silentContext is what pion hands to Bind, of a viewer that reports nothing.
type silentContext struct{ *fakeTrackContext }

func (silentContext) RTCPReader() interceptor.RTCPReader {
	return interceptor.RTCPReaderFunc(func([]byte, interceptor.Attributes) (int, interceptor.Attributes, error) { return 0, nil, io.EOF })
}

// Of a camera that is added to a session that stands, the key frame was lost now and then.
func TestSenderTrack_SendsNothingBeforePionHasBoundIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		withViewer(t, 20*time.Millisecond, nil, func(w *watching) {
			elapse(time.Second)
			var written atomic.Int64
			track := &senderTrack{session: w.session, stream: w.stream, kind: webrtc.RTPCodecTypeVideo}
			if _, err := track.Bind(silentContext{&fakeTrackContext{written: func(*rtp.Header, []byte) { written.Add(1) }}}); err != nil {
				t.Error(err)
			}
			elapse(time.Second)
			if n := written.Load(); n != 0 {
				t.Errorf("%d packets are sent that pion loses", n)
			}
			w.session.mu.Lock()
			track.openLocked()
			w.session.mu.Unlock()
			elapse(time.Second)
			if written.Load() == 0 {
				t.Error("nothing is sent")
			}
			_ = track.Unbind(nil)
		})
	})
}
