package verify

import (
	"bytes"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/recordings/export"
	"github.com/sightline-cam/sightline/recordings/fmp4/fmp4test"
)

func TestFile_OwnSegmentIsAuthentic(t *testing.T) {
	c := newCamera(t)
	data := segment(t, c.film(t, 6, noon())).Data
	r := check(t, data, Options{Camera: c.id.PeerID(), Trusted: []*x509.Certificate{c.root}})
	expect(t, r)
	if len(r.Periods) != 1 || !r.Periods[0].From.Equal(noon()) || !r.Periods[0].To.Equal(noon().Add(5*time.Second)) {
		t.Errorf("periods %+v", r.Periods)
	}
	if r.Camera != c.id.PeerID() || r.Pictures != 30 || r.GOPs != 6 || r.Codec != "H.264" || !r.Signed {
		t.Errorf("report %+v", r)
	}
	if r.Tail == nil || r.Tail.GOP != 6 || !strings.Contains(r.Tail.Text, "5 pictures") {
		t.Errorf("tail %+v", r.Tail)
	}
	text := strings.Join(r.Lines(), "\n")
	for _, want := range []string{"AUTHENTIC: signed by the camera " + c.id.PeerID().Grouped(), "GOP 1 to 5", "2026-11-21 12:00:05.000 UTC", "have no signature"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	if raw, err := json.Marshal(r); err != nil || !bytes.Contains(raw, []byte(`"allWell":true`)) {
		t.Errorf("JSON %s: %v", raw, err)
	}
	whole := check(t, data, Options{Whole: true})
	expect(t, whole, "unsigned 6")
}

func TestFile_ExportsAreAuthentic(t *testing.T) {
	c := newCamera(t)
	film := c.film(t, 9, noon())
	first, rest := film, film
	first.Units, rest.Units = film.Units[:20], film.Units[20:]
	for _, o := range []export.Options{{}, {KeepGaps: true}} {
		expect(t, check(t, exported(t, o, segment(t, first), segment(t, rest)), Options{Camera: c.id.PeerID()}))
	}
	// The camera's connection was lost for an hour: that is signed too.
	c.signer.Interrupt()
	late := c.film(t, 3, noon().Add(time.Hour))
	for _, o := range []export.Options{{}, {KeepGaps: true}} {
		r := check(t, exported(t, o, segment(t, first), segment(t, rest), segment(t, late)), Options{})
		expect(t, r)
		if len(r.Periods) != 2 || !strings.Contains(strings.Join(r.Notes, " "), "Nothing was captured from 2026-11-21 12:00:09") {
			t.Errorf("periods %v, notes %q", r.Periods, r.Notes)
		}
	}
	// Without the segment in the middle.
	r := check(t, exported(t, export.Options{}, segment(t, first), segment(t, late)), Options{})
	if w := kinds(r); len(w) == 0 || !slices.Contains(w, "missing 4") {
		t.Errorf("got %q", w)
	}
}

func TestFile_OtherProgramsFilesAreRead(t *testing.T) {
	c := newCamera(t)
	in := fmp4test.File(t, "own.mp4", segment(t, c.film(t, 5, noon())).Data)
	for _, args := range [][]string{
		{"progressive.mp4"},
		{"-movflags", "+faststart", "faststart.mp4"},
		{"-movflags", "+frag_keyframe+empty_moov+default_base_moof", "fragmented.mp4"},
		{"-video_track_timescale", "12800", "-movflags", "+frag_keyframe", "other-clock.mp4"},
		{"stream.h264"},
	} {
		r := check(t, remuxed(t, in, args...), Options{Camera: c.id.PeerID()})
		if !r.AllWell || len(r.Periods) != 1 || r.Periods[0].To.Sub(r.Periods[0].From) != 4*time.Second {
			t.Errorf("%v: %s", args, strings.Join(r.Lines(), "\n"))
		}
	}
}

// patch returns a copy of data in which edit changed what follows the n-th place
// where find is.
func patch(t testing.TB, data []byte, find string, n int, edit func(b []byte)) []byte {
	t.Helper()
	out := bytes.Clone(data)
	at := 0
	for range n + 1 {
		i := bytes.Index(out[at:], []byte(find))
		if i < 0 {
			t.Fatalf("there is no %q", find)
		}
		at += i + len(find)
	}
	edit(out[at:])
	return out
}

func TestFile_NamesWhatWasChanged(t *testing.T) {
	c := newCamera(t)
	s := segment(t, c.film(t, 6, noon()))
	fragment := func(n int) []byte { f := s.Fragments[n]; return s.Data[f.Offset : f.Offset+int64(f.Bytes)] }
	without := func(n int) []byte {
		f := s.Fragments[n]
		return slices.Concat(s.Data[:f.Offset], s.Data[f.Offset+int64(f.Bytes):])
	}
	shiftNTP := func(b []byte) { binary.BigEndian.PutUint32(b[8:], binary.BigEndian.Uint32(b[8:])+3600) }
	later := func(b []byte) { binary.BigEndian.PutUint64(b[4:], binary.BigEndian.Uint64(b[4:])+90_000*60) }
	cases := []struct {
		name string
		data []byte
		want []string
	}{
		{"picture", patch(t, s.Data, "mdat", 2, func(b []byte) { b[5000] ^= 4 }), []string{"changed 3"}},
		{"fragment removed", without(2), []string{"unsigned 2", "missing 2"}},
		{"fragments swapped", slices.Concat(s.Data[:s.Fragments[2].Offset], fragment(3), fragment(2), s.Data[s.Fragments[4].Offset:]),
			[]string{"reordered 2", "reordered 4", "reordered 3"}},
		{"fragment repeated", slices.Concat(s.Data[:s.Fragments[3].Offset], fragment(2), s.Data[s.Fragments[3].Offset:]), []string{"repeated 4"}},
		{"wall time", patch(t, s.Data, "prft", 2, shiftNTP), []string{"time 3"}},
		{"media time", patch(t, s.Data, "tfdt", 3, later), []string{"time 4", "time 5"}},
		{"media time and its reference", patch(t, patch(t, s.Data, "tfdt", 3, later), "prft", 3, func(b []byte) { later(b[12:]) }), []string{"time 4", "time 5"}},
		{"header's parameter set", patch(t, s.Data, "avcC", 0, func(b []byte) { b[14] ^= 1 }), []string{"container 0", "container 0", "container 0"}},
		{"matrix", patch(t, s.Data, "tkhd", 0, func(b []byte) { mirror(b) }), []string{"container 0"}},
		{"cut off", s.Data[:len(s.Data)-5000], []string{"damaged 0"}},
	}
	for _, k := range cases {
		t.Run(k.name, func(t *testing.T) { expect(t, check(t, k.data, Options{}), k.want...) })
	}
}

// mirror turns the sign of the first number of a track's matrix.
func mirror(tkhd []byte) { copy(tkhd[40:], []byte{0xff, 0xff, 0, 0}) }

func TestFile_EditListsThatReorderAreNamed(t *testing.T) {
	c := newCamera(t)
	in := fmp4test.File(t, "own.mp4", segment(t, c.film(t, 4, noon())).Data)
	out := fmp4test.File(t, "out.mp4", nil)
	fmp4test.Run(t, nil, "ffmpeg", "-nostdin", "-v", "error", "-y", "-i", in, "-c", "copy", out)
	data := readFile(t, out)
	expect(t, check(t, data, Options{}))
	faster := patch(t, data, "elst", 0, func(b []byte) { b[17] = 2 })
	expect(t, check(t, faster, Options{}), "container 0")
}

func TestFile_SaysWhatIsNoFault(t *testing.T) {
	c := newCamera(t)
	data := segment(t, c.film(t, 3, noon())).Data
	old := patch(t, data, "mvhd", 0, func(b []byte) { binary.BigEndian.PutUint64(b[4:], 3_061_152_000) })
	r := check(t, old, Options{})
	expect(t, r)
	if text := strings.Join(r.Notes, " "); !strings.Contains(text, "made on 2001-01-01") {
		t.Errorf("notes %q", text)
	}
	if r := check(t, data, Options{}); len(r.Notes) > 0 {
		t.Errorf("notes %q", r.Notes)
	}
}

func TestFile_OtherKeysAreNamed(t *testing.T) {
	c, other := newCamera(t), newCamera(t)
	data := segment(t, c.film(t, 6, noon())).Data
	expect(t, check(t, data, Options{Camera: other.id.PeerID()}), "other-key 0")
	expect(t, check(t, data, Options{Trusted: []*x509.Certificate{other.root}}), "other-key 0")
	expect(t, check(t, data, Options{Trusted: []*x509.Certificate{other.root, c.root}}))

	a, b := c.film(t, 3, noon().Add(time.Minute)), other.film(t, 3, noon().Add(time.Minute+3*time.Second))
	a.Units = append(a.Units, b.Units...)
	if r := check(t, segment(t, a).Data, Options{}); !slices.Contains(kinds(r), "other-key 4") || r.AllWell {
		t.Errorf("got %q", kinds(r))
	}
}

func TestFile_RestartOfTheSignerIsNamed(t *testing.T) {
	c := newCamera(t)
	a := c.film(t, 3, noon())
	again := &camera{id: c.id, root: c.root, signer: newSignerFor(t, c)}
	b := again.film(t, 4, noon().Add(time.Minute))
	b.Units = slices.Concat(a.Units, b.Units)
	for i, u := range b.Units[15:] { // the PTS go on
		v := *u
		v.PTS += 60 * 90_000
		b.Units[15+i] = &v
	}
	expect(t, check(t, segment(t, b).Data, Options{Camera: c.id.PeerID()}), "unsigned 3", "restarted 4")
}

func TestFile_UnsignedVideoIsNotWell(t *testing.T) {
	film := plain(t, 5, noon())
	for name, data := range map[string][]byte{"segment": segment(t, film).Data, "raw": rawStream(film.Units)} {
		r := check(t, data, Options{})
		if r.AllWell || r.Signed || !strings.HasPrefix(r.Summary, "NOT SIGNED") || len(r.Problems) > 0 {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestFile_LongUnsignedEndIsAFault(t *testing.T) {
	c := newCamera(t)
	film := c.film(t, 5, noon())
	more := plain(t, 5, noon().Add(5*time.Second))
	for _, u := range more.Units {
		u.PTS += 5 * 90_000
	}
	film.Units = append(film.Units, more.Units...)
	expect(t, check(t, segment(t, film).Data, Options{}), "unsigned 5")
}

func TestFile_RawStreamIsChecked(t *testing.T) {
	c := newCamera(t)
	film := c.film(t, 6, noon())
	r := check(t, rawStream(film.Units), Options{Camera: c.id.PeerID()})
	expect(t, r)
	if r.Pictures != 30 || len(r.Periods) != 1 {
		t.Errorf("report %+v", r)
	}
	r = check(t, rawStream(slices.Delete(slices.Clone(film.Units), 12, 13)), Options{})
	expect(t, r, "frames-missing 3")
}

func TestFile_OtherFilesAreRefused(t *testing.T) {
	for name, data := range map[string][]byte{
		"nothing": {}, "text": []byte("this is no video, it is a text"), "zeros": make([]byte, 5000),
		"sound only": fmp4test.Write(t, segmentHeader(), fmp4test.Pictures(t, testpattern.Options{}, 1, noon()), fmp4test.Media{}, time.Second, 0).Data[:40],
	} {
		if _, err := File(t.Context(), bytes.NewReader(data), int64(len(data)), Options{}); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
