package fragment

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/codecs"
)

// second is a fragment of a steady stream with sound.
func second() *Fragment {
	const start = 1_763_740_800_000_000
	f := &Fragment{
		VideoTrack: codecs.Track{Codec: codecs.H264, ClockRate: 90_000, SPS: []byte{0x67, 1}, PPS: []byte{0x68, 2}},
		AudioTrack: &codecs.Track{Codec: codecs.PCMU, ClockRate: 8000, Channels: 1},
		Duration:   time.Second,
	}
	for i := range 25 {
		u := &codecs.Unit{PTS: 1e12 + int64(i)*3600, At: start + int64(i)*40_000, Payload: [][]byte{bytes.Repeat([]byte{0x41, byte(i)}, 100+i)}}
		if i == 0 {
			u.Key, u.Payload = true, [][]byte{{0x67, 1}, {0x68, 2}, bytes.Repeat([]byte{0x65}, 2000)}
		}
		u.Discardable = i%2 == 1
		f.Video = append(f.Video, u)
	}
	for i := range 50 {
		f.Audio = append(f.Audio, &codecs.Unit{Track: 1, PTS: 77 + int64(i)*160, At: start + 3000 + int64(i)*20_000, Key: true, Payload: [][]byte{bytes.Repeat([]byte{byte(i)}, 160)}})
	}
	return f
}

// wild is a fragment with everything that is unusual.
func wild(seed uint64) *Fragment {
	r := rand.New(rand.NewPCG(seed, 1))
	f := &Fragment{
		VideoTrack: codecs.Track{Codec: codecs.H265, ClockRate: 1 + r.IntN(100_000), VPS: []byte{1}},
		Duration:   time.Duration(r.Int64N(1e6)) * time.Microsecond, Joint: Joint(r.IntN(3)), Cut: r.IntN(2) == 0,
	}
	number := func() int64 { return int64(r.Uint64()) >> r.IntN(64) }
	unit := func(track int) *codecs.Unit {
		u := &codecs.Unit{Track: track, PTS: number(), At: number(), Key: r.IntN(2) == 0, Discardable: r.IntN(2) == 0}
		for range 1 + r.IntN(4) {
			u.Payload = append(u.Payload, bytes.Repeat([]byte{byte(r.Uint32())}, r.IntN(300)))
		}
		return u
	}
	for range 1 + r.IntN(9) {
		f.Video = append(f.Video, unit(0))
	}
	f.Video[0].Key = true
	if r.IntN(2) == 0 {
		f.AudioTrack = &codecs.Track{Codec: codecs.AAC, ClockRate: 48_000, Channels: 2, AudioConfig: []byte{0x11, 0x90}}
		for range r.IntN(9) {
			f.Audio = append(f.Audio, unit(1))
		}
	}
	return f
}

func encode(t testing.TB, f *Fragment) []byte {
	t.Helper()
	b, err := Encode(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecode_IsTheExactInverse(t *testing.T) {
	for i := range 100 {
		f := wild(uint64(i))
		if i == 0 {
			f = second()
		}
		got, err := Decode(encode(t, f))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(f, got); diff != "" {
			t.Fatalf("fragment %d: %s", i, diff)
		}
	}
}

func TestEncode_SteadyStreamCostsLittle(t *testing.T) {
	f := second()
	h, err := DecodeHead(encode(t, f))
	if err != nil {
		t.Fatal(err)
	}
	if most := 80 + 3*len(f.Video) + 3*len(f.Audio); h.Bytes > most {
		t.Errorf("the head of %d pictures and %d sounds has %d bytes, want at most %d", len(f.Video), len(f.Audio), h.Bytes, most)
	}
	if h.Start() != f.Start() || h.PTS() != f.Video[0].PTS || h.Pictures() != 25 || h.Sounds() != 50 || h.VideoBytes != size(f.Video) || h.AudioBytes != 50*160 {
		t.Errorf("head %+v", h)
	}
}

func TestHead_MakesAFragmentOfUnitsReceivedOtherwise(t *testing.T) {
	f := second()
	h, err := DecodeHead(encode(t, f))
	if err != nil {
		t.Fatal(err)
	}
	var live []*codecs.Unit // with times of another session
	for i, u := range f.Video {
		live = append(live, &codecs.Unit{PTS: int64(i) * 7, Payload: u.Payload, Arrived: time.Now()})
	}
	got, err := h.Make(live, f.Audio)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f, got); diff != "" {
		t.Error(diff)
	}
	for name, wrong := range map[string][]*codecs.Unit{
		"one missing": live[1:],
		"longer":      append([]*codecs.Unit{{Payload: [][]byte{{1}, {2}, {3}}}}, live[1:]...),
		"in one":      append([]*codecs.Unit{{Payload: [][]byte{{1}}}}, live[1:]...),
	} {
		if _, err := h.Make(wrong, f.Audio); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := h.Make(live, nil); !errors.Is(err, ErrMalformed) {
		t.Errorf("without sound: %v", err)
	}
	if _, err := h.Payload(nil, nil); !errors.Is(err, ErrMalformed) {
		t.Errorf("without bytes: %v", err)
	}
}

func TestEncode_RefusesWhatIsNoFragment(t *testing.T) {
	for name, change := range map[string]func(*Fragment){
		"no picture":         func(f *Fragment) { f.Video = nil },
		"no key frame":       func(f *Fragment) { f.Video = f.Video[1:] },
		"no track":           func(f *Fragment) { f.AudioTrack = nil },
		"no clock":           func(f *Fragment) { f.VideoTrack.ClockRate = 0 },
		"duration":           func(f *Fragment) { f.Duration = -time.Second },
		"half a microsecond": func(f *Fragment) { f.Duration = 500 },
		"nothing in a unit":  func(f *Fragment) { f.Video[3].Payload = nil },
		"parameter set":      func(f *Fragment) { f.VideoTrack.SPS = make([]byte, maxSet+1) },
		"bytes":              func(f *Fragment) { f.Video[3].Payload = [][]byte{make([]byte, MaxBytes)} },
		"pictures":           func(f *Fragment) { f.Video = append(f.Video, make([]*codecs.Unit, MaxPictures)...) },
	} {
		f := second()
		change(f)
		if name == "pictures" {
			for i := range f.Video {
				f.Video[i] = f.Video[0]
			}
		}
		if b, err := Encode(f); err == nil {
			t.Errorf("%s: encoded in %d bytes", name, len(b))
		}
	}
}

func TestDecode_RefusesWhatWasCutOrChanged(t *testing.T) {
	b := encode(t, second())
	h, err := DecodeHead(b)
	if err != nil {
		t.Fatal(err)
	}
	for n := range h.Bytes {
		if _, err := DecodeHead(b[:n]); !errors.Is(err, ErrMalformed) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
	for _, wrong := range [][]byte{b[:len(b)-1], append(bytes.Clone(b), 0), append([]byte("SLGQ"), b[4:]...), append([]byte("SLGP\x02"), b[5:]...)} {
		if _, err := Decode(wrong); !errors.Is(err, ErrMalformed) {
			t.Errorf("%v", err)
		}
	}
}

func TestDigest_TellsBoundariesApartAndNoTimes(t *testing.T) {
	units := func(payloads ...[][]byte) (out []*codecs.Unit) {
		for i, p := range payloads {
			out = append(out, &codecs.Unit{PTS: rand.Int64(), At: int64(i), Payload: p})
		}
		return out
	}
	a, b := []byte{1, 2}, []byte{3}
	first, again := units([][]byte{a, b}), units([][]byte{a, b})
	if DigestOf(first) != DigestOf(again) {
		t.Error("the digest depends on times")
	}
	all := map[Digest]bool{}
	for _, u := range [][]*codecs.Unit{nil, units([][]byte{a, b}), units([][]byte{a}, [][]byte{b}), units([][]byte{b, a}), units([][]byte{{1, 2, 3}}), units([][]byte{a})} {
		all[DigestOf(u)] = true
	}
	if len(all) != 6 {
		t.Errorf("%d digests of 6 different lists", len(all))
	}
}

func TestList_IsReadAsItWasWritten(t *testing.T) {
	f := second()
	b := encode(t, f)
	h, err := DecodeHead(b)
	if err != nil {
		t.Fatal(err)
	}
	e := EntryOf(7, f, b)
	e.Head = b[:h.Bytes]
	in := List{Epoch: "e", First: 3, Next: 9, Fragments: []Entry{e}}
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out List
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in, out); diff != "" {
		t.Error(diff)
	}
	if e.EndUs() != f.End() || e.Sound.Frames != 50 {
		t.Errorf("entry %+v", e)
	}
	if err := json.Unmarshal([]byte(strings.Replace(string(text), `"digest":"`, `"digest":"x`, 1)), &out); err == nil {
		t.Error("a digest that is too long was read")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(f, second()))
	for i := range 20 {
		f.Add(encode(f, wild(uint64(i))))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Decode(b)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("another error: %v", err)
			}
			return
		}
		again, err := Encode(got)
		if err != nil {
			t.Fatalf("what was decoded cannot be encoded: %v", err)
		}
		if !bytes.Equal(b, again) {
			t.Fatalf("decoded and encoded again it has other bytes:\n%x\n%x", b, again)
		}
	})
}
