package verify

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs/mediasign"
	"github.com/sightline-cam/sightline/recordings/fmp4/fmp4test"
)

func TestFile_FileThatIsTwoIsNamed(t *testing.T) {
	film := newCamera(t).film(t, 5, noon())
	stream := rawStream(film.Units)
	expect(t, check(t, stream, Options{}))
	expect(t, check(t, append(make([]byte, 7), stream...), Options{}))
	expect(t, check(t, newClip(t, film).file(), Options{}))
	forged := newClip(t, plain(t, 5, noon()))
	for _, kind := range []string{"junk", "free", "\x00\x00\x01\x67"} {
		forged.before = pack(kind, stream)
		r := check(t, forged.file(), Options{})
		if r.AllWell || r.Signed {
			t.Errorf("%q: %s", kind, r.Summary)
		}
	}
	names(t, append([]byte("x"), stream...), "container")
	// A file of boxes inside a raw stream, where decoders pass over it.
	forged.before = nil
	hidden := slices.Concat([]byte{0, 0, 1, 0x1e}, bytes.ReplaceAll(forged.file(), []byte{0, 0, 1}, []byte{0, 0, 2}))
	names(t, append(hidden, stream...), "container")
}

func TestFile_OtherTracksAreNamed(t *testing.T) {
	film := newCamera(t).film(t, 5, noon())
	signed, forged := newClip(t, film), newClip(t, plain(t, 5, noon()))
	signed.after = pack("mdat", forged.samples...)
	other := func(change func(trak *node)) []byte {
		return signed.file(func(moov *node) {
			trak := moov.find("trak").clone()
			forged.place(trak.find("mdia", "minf", "stbl"), 5000)
			binary.BigEndian.PutUint32(trak.find("tkhd").body[12:], 2)
			change(trak)
			moov.kids = slices.Insert(moov.kids, 1, trak)
		})
	}
	for _, kind := range []string{"auxv", "pict", "meta", "text", "subt", "sbtl", "soun", "tmcd", "hint", "\x00\x00\x00\x00"} {
		names(t, other(func(trak *node) { copy(trak.find("mdia", "hdlr").body[8:], kind) }), "container")
	}
	for _, kind := range []string{"tkhd", "mdia"} {
		names(t, other(func(trak *node) { trak.drop(kind) }), "container")
	}
	names(t, other(func(trak *node) { trak.find("mdia").drop("hdlr") }), "container")
	names(t, other(func(*node) {}), "container")
}

func TestFile_BoxesThatAreThereTwiceAreNamed(t *testing.T) {
	film := newCamera(t).film(t, 4, noon())
	clip := newClip(t, film)
	clip.shifts = make([]int32, len(film.Units))
	expect(t, check(t, clip.file(), Options{}))
	stbl := []string{"trak", "mdia", "minf", "stbl"}
	for _, kind := range []string{"stsd", "stts", "ctts", "stsc", "stsz", "stco"} {
		names(t, clip.file(func(moov *node) { twice(moov.find(stbl...), kind) }), "container")
	}
	for i, kind := range []string{"mdia", "minf", "stbl"} {
		names(t, clip.file(func(moov *node) { twice(moov.find(stbl[:1+i]...), kind) }), "container")
	}
	names(t, clip.file(func(moov *node) {
		n := uint32(len(clip.samples))
		co64 := numbers(0, n)
		for range n {
			co64 = append(co64, numbers(0, 5000)...)
		}
		moov.find(stbl...).put("co64", co64)
	}), "container")
	for _, path := range []string{"mvhd", "mvex", "trak tkhd", "trak mdia", "trak mdia mdhd", "trak mdia hdlr", "mvex trex"} {
		names(t, changed(segment(t, film).Data, func(moov *node) {
			way := strings.Fields(path)
			twice(moov.find(way[:len(way)-1]...), way[len(way)-1])
		}), "container")
	}
	f := whole(segment(t, film).Data)
	twice(f, "moov")
	names(t, serialize(f.kids), "container")
	names(t, changed(segment(t, film).Data, func(moov *node) {
		inEntry(moov, func(entry []byte) []byte { return append(entry, entry[86:]...) }) // avcC
	}), "container")
	edit := &node{kind: "edts", kids: []*node{{kind: "elst", body: numbers(0, 1, 0, 0, 1<<16)}}}
	expect(t, check(t, changed(segment(t, film).Data, func(moov *node) { trakOf(moov, edit) }), Options{}))
	twice(edit, "elst")
	names(t, changed(segment(t, film).Data, func(moov *node) { trakOf(moov, edit) }), "container")
	for _, path := range []string{"moof", "moof traf"} {
		for _, kind := range map[string][]string{"moof": {"mfhd", "traf"}, "moof traf": {"tfhd", "tfdt"}}[path] {
			names(t, refragmented(segment(t, film).Data, func(moof *node) {
				twice(moof.find(strings.Fields(path)[1:]...), kind)
			}), "container")
		}
	}
}

func trakOf(moov, box *node) { trak := moov.find("trak"); trak.kids = append(trak.kids, box) }

// twice repeats a box.
func twice(n *node, kind string) {
	i := slices.IndexFunc(n.kids, func(k *node) bool { return k.kind == kind })
	n.kids = slices.Insert(n.kids, i, n.kids[i].clone())
}

// inEntry changes the bytes of the first sample entry after its header.
func inEntry(moov *node, change func(entry []byte) []byte) {
	stsd := moov.find("trak", "mdia", "minf", "stbl", "stsd")
	entry := change(bytes.Clone(stsd.body[8:]))
	binary.BigEndian.PutUint32(entry, uint32(len(entry)))
	stsd.body = append(stsd.body[:8:8], entry...)
}

// refragmented changes the second fragment, and moves its data along.
func refragmented(data []byte, change func(moof *node)) []byte {
	f := whole(data)
	n := 0
	for _, k := range f.kids {
		if k.kind != "moof" {
			continue
		}
		if n++; n < 2 {
			continue
		}
		before := len(k.bytes())
		change(k)
		for _, traf := range k.kids {
			if run := traf.find("trun"); traf.kind == "traf" && run != nil && run.body[3]&1 == 1 {
				at := binary.BigEndian.Uint32(run.body[8:])
				binary.BigEndian.PutUint32(run.body[8:], at+uint32(len(k.bytes())-before))
			}
		}
		break
	}
	return serialize(f.kids)
}

func TestFile_PlacesOfFragmentsAreClear(t *testing.T) {
	film := newCamera(t).film(t, 4, noon())
	data := segment(t, film).Data
	expect(t, check(t, refragmented(data, func(*node) {}), Options{}))
	flags := func(moof *node, f byte) *node {
		head := moof.find("traf", "tfhd")
		head.body[1] = f
		return head
	}
	// Without a flag the place is that of the fragment, in its first track only.
	expect(t, check(t, refragmented(data, func(moof *node) { flags(moof, 0) }), Options{}))
	first := &node{kind: "traf", kids: []*node{{kind: "tfhd", body: numbers(0, 2)}}}
	names(t, refragmented(data, func(moof *node) {
		flags(moof, 0)
		moof.kids = slices.Insert(moof.kids, 1, first)
	}), "container")
	for _, both := range []byte{0, 2} {
		names(t, refragmented(data, func(moof *node) {
			head := flags(moof, both)
			head.body[3] |= 1
			head.body = slices.Insert(head.body, 8, numbers(0, 5000)...)
		}), "container")
	}
	names(t, refragmented(data, func(moof *node) {
		run := moof.find("traf", "trun")
		run.body[3] &^= 1
		run.body = slices.Delete(run.body, 8, 12)
	}), "container")
	names(t, refragmented(data, func(moof *node) { moof.find("traf").drop("tfdt") }), "container")
}

func TestFile_IndexesLeadToWhatIsChecked(t *testing.T) {
	film := newCamera(t).film(t, 4, noon())
	data := segment(t, film).Data
	moof := int64(bytes.Index(data, []byte("moof")) - 4)
	for at, good := range map[int64]bool{moof: true, moof + 40: false} {
		tfra := pack("tfra", numbers(0, 1, 0, 1, 0, uint32(at)), []byte{1, 1, 1})
		with := slices.Concat(data, pack("mfra", tfra))
		if r := check(t, with, Options{}); r.AllWell != good {
			t.Errorf("mfra to %d: %s", at, r.Summary)
		}
	}
	before := bytes.LastIndex(data[:moof], []byte("uuid")) - 4
	for shift, good := range map[uint32]bool{0: true, 16: false} {
		box := pack("sidx", numbers(0, 1, 90_000, 0, shift, 1, 5000, 90_000, 0))
		with := slices.Concat(data[:before], box, data[before:])
		if r := check(t, with, Options{}); r.AllWell != good {
			t.Errorf("sidx, %d: %s", shift, strings.Join(r.Lines(), "\n"))
		}
	}
}

func TestFile_ChangesOfTheHeaderWithinAGroupAreNamed(t *testing.T) {
	film := stripped(newCamera(t).film(t, 6, noon()))
	clip := newClip(t, film)
	expect(t, check(t, clip.file(), Options{}))
	second := func(change func(entry []byte)) func(moov *node) {
		return func(moov *node) {
			stsd := moov.find("trak", "mdia", "minf", "stbl", "stsd")
			entry := bytes.Clone(stsd.body[8:])
			change(entry)
			stsd.body = slices.Concat(numbers(0, 2), stsd.body[8:], entry)
		}
	}
	same, other := func([]byte) {}, func(entry []byte) { entry[len(entry)-1-6] ^= 0x10 }
	clip.entries = make([]uint32, len(clip.samples))
	for from, good := range map[int]bool{10: true, 11: false} {
		for i := range clip.entries {
			clip.entries[i] = 1
			if i >= from {
				clip.entries[i] = 2
			}
		}
		if r := check(t, clip.file(second(same)), Options{}); r.AllWell != good {
			t.Errorf("from %d: %s", from, strings.Join(r.Lines(), "\n"))
		}
		names(t, clip.file(second(other)), "container")
	}
	clip.entries = nil
	expect(t, check(t, clip.file(second(same)), Options{}))
	names(t, clip.file(second(other)), "container")
}

func TestFile_OtherDisplayIsNamed(t *testing.T) {
	film := newCamera(t).film(t, 3, noon())
	data := segment(t, film).Data
	put := func(path string, at int, b ...byte) func(moov *node) {
		return func(moov *node) {
			body := moov.find(strings.Fields(path)...).body
			copy(body[(at+len(body))%len(body):], b)
		}
	}
	inside := func(box []byte) func(moov *node) {
		return func(moov *node) { inEntry(moov, func(e []byte) []byte { return append(e, box...) }) }
	}
	for name, change := range map[string]func(moov *node){
		"movie's matrix":   put("mvhd", -28-36, 0xff, 0xff),
		"movie's rate":     put("mvhd", -28-36-16, 0, 2),
		"track's matrix":   put("trak tkhd", -8-36, 0xff, 0xff),
		"track's size":     put("trak tkhd", -8, 3),
		"not to be shown":  put("trak tkhd", 3, 0),
		"mixing":           put("trak mdia minf vmhd", 4, 0, 0x24),
		"other file":       put("trak mdia minf dinf dref", 19, 0),
		"crop":             inside(pack("clap", numbers(200, 1, 200, 1, 0, 1, 0, 1))),
		"stretch":          inside(pack("pasp", numbers(1, 8))),
		"colours":          inside(pack("colr", []byte("nclx\x00\x09\x00\x10\x00\x09\x80"))),
		"profile":          inside(pack("colr", []byte("prof"), make([]byte, 200))),
		"encrypted":        inside(pack("sinf", pack("frma", []byte("avc1")))),
		"size of an entry": put("trak mdia minf stbl stsd", 8+8+24, 3),
		"sphere":           func(moov *node) { trakOf(moov, &node{kind: "uuid", body: make([]byte, 40)}) },
		"clean aperture":   func(moov *node) { trakOf(moov, &node{kind: "tapt", body: nil}) },
		"compressed movie": func(moov *node) { moov.kids = append(moov.kids, &node{kind: "cmov", body: make([]byte, 40)}) },
		"cover":            func(moov *node) { moov.put("udta", pack("meta", numbers(0), pack("ilst", pack("covr", numbers(0))))) },
	} {
		t.Run(name, func(t *testing.T) { names(t, changed(data, change), "container") })
	}
	expect(t, check(t, changed(data, inside(pack("pasp", numbers(1, 1)))), Options{}))
}

// continued returns a film and what somebody put at its end: the pictures after the
// last signed group stand before it.
func continued(t testing.TB, c *camera, signed, forged int) fmp4test.Media {
	t.Helper()
	film := c.film(t, signed+1, noon())
	film.Units = film.Units[:5*signed+2] // up to the picture with the signature
	more := plain(t, forged, noon().Add(time.Duration(signed)*time.Second))
	for i, u := range more.Units {
		v := *u
		v.PTS += int64(signed) * 90_000
		v.Payload = slices.Clone(v.Payload)
		last := len(v.Payload) - 1
		v.Payload[last] = v.Payload[last][:100] // short ones are forged as well
		more.Units[i] = &v
	}
	film.Units = append(film.Units, more.Units[2:]...)
	return film
}

func TestFile_ForgedEndsAreNamed(t *testing.T) {
	c := newCamera(t)
	short := continued(t, c, 5, 2)
	for _, data := range [][]byte{newClip(t, short).file(), rawStream(short.Units)} {
		r := check(t, data, Options{})
		expect(t, r)
		if !strings.Contains(r.Summary, "(10 pictures) are NOT SIGNED") {
			t.Errorf("summary %q", r.Summary)
		}
	}
	for _, seconds := range []int{600, 3} {
		long := continued(t, newCamera(t), 5, seconds)
		clip := newClip(t, long)
		names(t, clip.file(), "unsigned")
		if seconds > 3 {
			continue
		}
		// The last picture is shown where the end begins.
		clip.shifts = make([]int32, len(clip.samples))
		clip.shifts[len(clip.shifts)-1] = int32(-18_000*(5*seconds-2) + 9000)
		names(t, clip.file(), "unsigned")
		for i := range clip.durations[25:] {
			clip.durations[25+i] = 1
		}
		clip.shifts = nil
		names(t, clip.file(), "unsigned")
		names(t, rawStream(long.Units), "unsigned")
	}
	held := newClip(t, short)
	held.durations[len(held.durations)-1] = 600 * 90_000
	names(t, held.file(), "unsigned")
	held = newClip(t, short)
	held.durations[24] = 600 * 90_000 // the last signed picture
	names(t, held.file(), "unsigned")

	other := *short.Units[25]
	other.Payload = slices.Clone(other.Payload)
	for i, n := range other.Payload {
		if n[0]&0x1f == 8 {
			other.Payload[i] = append(slices.Clone(n), 0x55)
		}
	}
	short.Units[25] = &other
	clip := newClip(t, short)
	names(t, clip.file(), "unsigned")
}

func TestFile_OtherOrderAndPaceAreNamed(t *testing.T) {
	film := newCamera(t).film(t, 6, noon())
	clip := newClip(t, film)
	clean := slices.Clone(clip.durations)
	clip.shifts = make([]int32, len(clip.samples))
	expect(t, check(t, clip.file(), Options{}))
	shift := func(at int, by ...int32) {
		clear(clip.shifts)
		for i, s := range by {
			clip.shifts[at+i] = s * 18_000
		}
	}
	for _, at := range []int{10, 20} { // in the middle, and in the last signed group
		shift(at, 0, 3, 1, -1, -3) // backwards
		names(t, clip.file(), "time")
		shift(at, 0, 0, 1, -1) // two
		names(t, clip.file(), "time")
		shift(at, 0, 0, 1) // two at once
		names(t, clip.file(), "time")
		clip.shifts = slices.Clone(make([]int32, len(clip.samples)))
		pace := func(d ...uint32) {
			copy(clip.durations, clean)
			copy(clip.durations[at:], d)
			names(t, clip.file(), "time")
			copy(clip.durations, clean)
		}
		pace(1, 1, 1, 1, 90_000-4)                  // only one is seen
		pace(1, 1, 1, 1, 1)                         // none is
		pace(18_000, 72_000-3, 1, 1, 1)             // one is seen for long
		pace(36_000, 36_000, 36_000, 36_000)        // half as fast
		pace(18_000, 18_000, 18_000, 2*90_000)      // one is held
		pace(18_000, 18_000, 18_000, 18_000, 1<<17) // the last is
	}
}

func TestFile_PauseBetweenPicturesThatWasSignedIsWell(t *testing.T) {
	c := newCamera(t)
	film := plain(t, 6, noon())
	for i, u := range film.Units[12:] { // the link failed for three seconds
		v := *u
		v.PTS, v.At = v.PTS+3*90_000, v.At+3_000_000
		film.Units[12+i] = &v
	}
	film = c.sign(t, film)
	expect(t, check(t, newClip(t, film).file(), Options{}))
}

func TestFile_CamerasOfADeviceAreToldApart(t *testing.T) {
	c := newCamera(t)
	front, garage := c.called(t, "front/main"), c.called(t, "garage/main")
	data := segment(t, front.film(t, 4, noon())).Data
	for name, want := range map[string][]string{"": nil, "front": nil, "front/main": nil, "front/sub": {"other-camera 0"}, "fron": {"other-camera 0"}, "garage": {"other-camera 0"}} {
		r := check(t, data, Options{Camera: c.id.PeerID(), CameraName: name})
		expect(t, r, want...)
		if r.CameraName != "front/main" || !strings.Contains(strings.Join(r.Lines(), "\n"), "calls it front/main") {
			t.Errorf("called %q", r.CameraName)
		}
	}
	expect(t, check(t, segment(t, c.film(t, 3, noon())).Data, Options{CameraName: "front"}), "other-camera 0")
	a, b := front.film(t, 3, noon().Add(time.Minute)), garage.film(t, 3, noon().Add(63*time.Second))
	for _, u := range b.Units {
		u.PTS += 3 * 90_000
	}
	a.Units = append(a.Units, b.Units...)
	names(t, segment(t, a).Data, "other-camera")
}

// called returns the same device's signer for one of its cameras.
func (c *camera) called(t testing.TB, name string) *camera {
	t.Helper()
	return c.with(t, mediasign.Options{Camera: name})
}

// with returns another signer of the same device.
func (c *camera) with(t testing.TB, o mediasign.Options) *camera {
	t.Helper()
	leaf, _, err := mediasign.Certify(c.id.Signer(), string(c.id.PeerID()))
	if err != nil {
		t.Fatal(err)
	}
	o.Key, o.Chain = c.id.Signer(), [][]byte{leaf}
	s, err := mediasign.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return &camera{id: c.id, root: c.root, signer: s}
}
