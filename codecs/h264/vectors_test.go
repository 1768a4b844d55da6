package h264

import (
	"encoding/hex"
	"testing"
)

// Parameter sets made by x264.
const (
	spsBaseline   = "6742c01fda014016ec0440000003004000000c83c60ca8"         // 1280x720, 25 fps
	ppsBaseline   = "68ce0fc8"                                               //
	spsHigh       = "67640028acd100780227e5c044000003000400000300f03c60c448" // 1920x1080, 30 fps, B-frames
	spsInterlaced = "674d401ef2016849b011000003000100000300321f142a48"       // 720x576i
	spsGray       = "6764000df36505421e3e3f016c800000030080000019078a14cb"   // 322x242, 4:0:0
	spsYUV444     = "67f4000d919b282a10f1f1f808800000030080000019078a14cb"   // 322x242, 4:4:4
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
