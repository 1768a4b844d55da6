package spool

import (
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/internal/fragment"
)

const second = int64(1_000_000) // microseconds

func video() codecs.Track { return codecs.Track{Codec: codecs.H264, ClockRate: 90_000} }
func opus() codecs.Track {
	return codecs.Track{Codec: codecs.Opus, ClockRate: 48_000, Channels: 2}
}

// picture is one captured at a time, in microseconds.
func picture(at int64, key bool, size int) *codecs.Unit {
	return &codecs.Unit{PTS: at * 9 / 100, At: at, Key: key, Payload: [][]byte{make([]byte, size)}}
}

// film shows pictures at 10 a second to an assembler, each second a key frame.
type film struct {
	a   *assembler
	now time.Time
}

func newFilm(limit int64) *film {
	return &film{newAssembler(limit), time.Unix(0, 0)}
}

func (f *film) show(from, to int64) {
	for at := from; at < to; at += second / 10 {
		f.a.picture(f.now, video(), picture(at, at%second == 0, 100), 0)
	}
}

func (f *film) sound(from, to int64) {
	for at := from; at < to; at += second / 50 {
		u := picture(at, true, 10)
		u.PTS = at * 48 / 1000
		f.a.sound(opus(), u)
	}
}

func (f *film) take(audio, all bool) (out []*fragment.Fragment) {
	for {
		fr := f.a.take(f.now, audio, all)
		if fr == nil {
			return out
		}
		out = append(out, fr)
	}
}

func TestAssembler_FragmentEndsWhereTheNextBegins(t *testing.T) {
	f := newFilm(1 << 20)
	f.show(7*second, 9*second+1)
	got := f.take(false, false)
	if len(got) != 2 || got[0].Start() != 7*second || got[0].Duration != time.Second || len(got[1].Video) != 10 {
		t.Fatalf("got %d fragments: %+v", len(got), got)
	}
	if got[0].Joint != fragment.Restart || got[1].Joint != fragment.Direct || f.a.bytes != 100 {
		t.Errorf("joints %v, %v; %d bytes in progress", got[0].Joint, got[1].Joint, f.a.bytes)
	}
}

func TestAssembler_InterruptionIsNoLongPicture(t *testing.T) {
	for _, silence := range []int64{5 * second, -100 * second} { // the clock may be set back
		f := newFilm(1 << 20)
		f.show(500*second, 500*second+second/2)
		f.show(501*second+silence, 502*second+silence+1)
		got := f.take(false, false)
		if len(got) != 2 || got[0].Duration != time.Second/2 || got[1].Joint != fragment.Interruption {
			t.Errorf("silence of %d: %+v", silence, got)
		}
	}
	f := newFilm(1 << 20) // a picture each two seconds is none
	for i := range int64(9) {
		f.a.picture(f.now, video(), picture(2*i*second, i%4 == 0, 100), 0)
	}
	if got := f.take(false, false); len(got) != 1 { // a picture at time 0 has no time
		t.Errorf("%d fragments", len(got))
	}
}

func TestAssembler_SoundGoesWithThePicturesOfItsTime(t *testing.T) {
	f := newFilm(1 << 20)
	f.show(7*second, 9*second+1)
	f.sound(6*second, 8*second)
	if got := f.take(true, false); len(got) != 0 {
		t.Fatal("a fragment came before its sound was complete")
	}
	f.sound(8*second, 8*second+second/2)
	got := f.take(true, false)
	if len(got) != 1 || len(got[0].Audio) != 50 || got[0].Audio[0].At != 7*second || got[0].AudioTrack.Codec != codecs.Opus {
		t.Fatalf("got %+v", got)
	}
	f.now = f.now.Add(soundGrace) // the rest does not come
	if got = f.take(true, false); len(got) != 1 || len(got[0].Audio) != 25 {
		t.Fatalf("got %+v", got)
	}
	if f.a.bytes != 100 || len(f.a.sounds) != 0 {
		t.Errorf("%d bytes and %d sounds are left", f.a.bytes, len(f.a.sounds))
	}
}

func TestAssembler_GroupWithAHoleIsNotKept(t *testing.T) {
	f := newFilm(1 << 20)
	f.show(7*second, 7*second+second/2)
	f.a.picture(f.now, video(), picture(8*second, true, 100), 5)
	f.show(8*second+second/10, 9*second+1)
	got := f.take(false, false)
	if len(got) != 1 || got[0].Start() != 8*second || f.a.lost != 1 || got[0].Joint != fragment.Restart {
		t.Errorf("%d lost, got %+v", f.a.lost, got)
	}
}

func TestAssembler_GroupThatIsTooLongIsCut(t *testing.T) {
	f := newFilm(4000)
	for i := range int64(100) {
		f.a.picture(f.now, video(), picture(7*second+i*second/10, i == 0, 100), 0)
		f.sound(7*second+i*second/10, 7*second+i*second/10+1)
		if f.a.bytes > 4000*9/8 {
			t.Fatalf("%d bytes are held", f.a.bytes)
		}
	}
	f.a.picture(f.now, video(), picture(17*second, true, 100), 0)
	got := f.take(true, true)
	if len(got) != 1 || !got[0].Cut || len(got[0].Video) != 30 || got[0].Duration != 3*time.Second || f.a.cut != 1 {
		t.Errorf("got %+v", got)
	}
	if _, err := fragment.Encode(got[0]); err != nil {
		t.Error(err)
	}
	f.a.picture(f.now, video(), picture(18*second, true, 5000), 0)
	if f.a.current != nil || f.a.lost != 1 {
		t.Error("a picture that is too large alone was kept")
	}
}

func TestAssembler_LastGroupIsWholeAsFarAsItCame(t *testing.T) {
	f := newFilm(1 << 20)
	f.show(7*second, 7*second+second/2)
	f.sound(7*second, 8*second)
	f.a.finish(f.now, 0)
	got := f.take(true, true)
	if len(got) != 1 || got[0].Duration != time.Second/2 || len(got[0].Audio) != 25 {
		t.Errorf("got %+v", got)
	}
}
