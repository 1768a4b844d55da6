package rtsp

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
)

func TestRTPClock_CountsOnWhenTimeStampsWrap(t *testing.T) {
	begin := time.Now()
	c := rtpClock{rate: 90000, begin: begin}
	ts := uint32(0xffffffff - 5000)
	for i := range int64(10) {
		at := begin.Add(time.Second + time.Duration(i)*40*time.Millisecond)
		if got, want := c.at(ts, at), 90000+i*3600; got != want {
			t.Errorf("packet %d at %d, want %d", i, got, want)
		}
		ts += 3600
	}
}

func TestRTPClock_FollowsTheArrivalWhenTheCameraSetsItsClock(t *testing.T) {
	begin := time.Now()
	for name, jump := range map[string]uint32{"forward": 3600 * 90000, "back": 1<<32 - 20*90000} {
		c := rtpClock{rate: 90000, begin: begin}
		c.at(1000, begin)
		if got := c.at(1000+jump, begin.Add(40*time.Millisecond)); got != 3600 {
			t.Errorf("%s: %d, want 3600", name, got)
		}
		if got := c.at(1000+jump+3600, begin.Add(80*time.Millisecond)); got != 7200 {
			t.Errorf("%s: then %d, want 7200", name, got)
		}
	}
}

func TestRTPClock_KeepsTheOrderOfBFrames(t *testing.T) {
	begin := time.Now()
	c := rtpClock{rate: 90000, begin: begin}
	for i, ts := range []uint32{100, 9100, 3100, 6100} {
		if got, want := c.at(ts, begin.Add(time.Duration(i)*time.Millisecond)), int64(ts-100); got != want {
			t.Errorf("%d, want %d", got, want)
		}
	}
}

func TestSenderClock_TakesTheFractionOfNTPTimeAsABinaryOne(t *testing.T) {
	c := senderClock{rate: 90000}
	if !c.at(1, 0).IsZero() {
		t.Error("a time is known without a report")
	}
	at := time.Date(2026, 5, 1, 12, 0, 0, 750_000_000, time.UTC)
	seconds := uint64(at.Unix() + 2208988800)
	c.report(&rtcp.SenderReport{SSRC: 1, NTPTime: seconds<<32 | 3<<30, RTPTime: 0xfffffff0})
	if got := c.at(1, 45000-16).Sub(at); got != 500*time.Millisecond {
		t.Errorf("half a second later is %v", got)
	}
	if got := c.at(1, 0xfffffff0-9000).Sub(at); got != -100*time.Millisecond {
		t.Errorf("a tenth of a second earlier is %v", got)
	}
	if !c.at(2, 0).IsZero() {
		t.Error("a time is known for another sender")
	}
}

func TestSenderClock_IgnoresCamerasWithoutAClock(t *testing.T) {
	c := senderClock{rate: 90000}
	for _, ntp := range []uint64{0, 2208988800 << 32, (2208988800 + 86400) << 32} {
		c.report(&rtcp.SenderReport{SSRC: 1, NTPTime: ntp})
		if got := c.at(1, 0); !got.IsZero() {
			t.Errorf("NTP time %x is taken for %v", ntp, got)
		}
	}
	c.report(&rtcp.SenderReport{SSRC: 1, NTPTime: 100 << 32})
	if got := c.at(1, 0); got.Year() != 2036 {
		t.Errorf("the era after 2036 is taken for %v", got)
	}
}
