package playback

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/fmp4"
)

// times returns the decoding times in the fragments of a file, by track.
func decodingTimes(t testing.TB, data []byte, at int64) (video, audio []uint64) {
	t.Helper()
	for ; at < int64(len(data)); at += int64(binary.BigEndian.Uint32(data[at:])) {
		if string(data[at+4:at+8]) != "moof" {
			continue
		}
		i := at + int64(bytes.Index(data[at:], []byte("tfdt")))
		time := binary.BigEndian.Uint64(data[i+8:])
		j := at + int64(bytes.Index(data[at:], []byte("tfhd")))
		if binary.BigEndian.Uint32(data[j+8:]) == 1 {
			video = append(video, time)
		} else {
			audio = append(audio, time)
		}
	}
	return video, audio
}

func TestShifted_MovesDecodingTimesAndNothingElse(t *testing.T) {
	d := newDesk(t, nil)
	seg := d.shelf.film(t, front(noon), 4, codecs.PCMA, nil)
	data := d.shelf.read(t, seg.Ref)
	from := seg.Fragments[1].Offset
	const shift = 30*time.Hour + 500*time.Millisecond
	for _, chunk := range []int{1, 7, 100, 32 << 10, 1 << 20} {
		in := io.NewSectionReader(newShifted(bytes.NewReader(data), from, seg.Bytes, shift, 8000), from, seg.Bytes-from)
		var out bytes.Buffer
		if _, err := io.CopyBuffer(struct{ io.Writer }{&out}, struct{ io.Reader }{in}, make([]byte, chunk)); err != nil {
			t.Fatal(err)
		}
		got := append(data[:from:from], out.Bytes()...)
		video, audio := decodingTimes(t, data, from)
		later, laterAudio := decodingTimes(t, got, from)
		for i := range video {
			if later[i]-video[i] != (30*3600*90_000+45_000) || laterAudio[i]-audio[i] != (30*3600*8_000+4_000) {
				t.Errorf("in chunks of %d: %d became %d, %d became %d", chunk, video[i], later[i], audio[i], laterAudio[i])
			}
		}
		differ := 0
		for i := range data {
			if data[i] != got[i] {
				differ++
			}
		}
		if len(got) != len(data) || differ > 2*3*8 {
			t.Errorf("in chunks of %d: %d of %d bytes differ, in %d", chunk, differ, len(data), len(got))
		}
	}
}

func TestShifted_FilesWhoseClocksOverlapFollowEachOther(t *testing.T) {
	s := newHLSStream(front(0).Stream, always(), false)
	add := func(start recordings.Time, media time.Duration) hlsFile {
		seg := recordings.Segment{Ref: front(start), End: start.Add(10 * time.Second), Fragments: []recordings.Fragment{
			{Start: start, Duration: 5 * time.Second, Key: true},
			{Start: start.Add(5 * time.Second), Duration: 5 * time.Second, Key: true, MediaStart: ticks(media, fmp4.VideoClock)},
		}}
		s.append(&seg, false)
		return s.files[len(s.files)-1]
	}
	add(noon, 5*time.Second+time.Millisecond) // the camera's clock runs faster
	if f := add(noon.Add(10*time.Second), 5*time.Second); f.shift != 10*time.Second+time.Millisecond {
		t.Errorf("the second file is shown at %v", f.shift)
	}
	if f := add(noon.Add(time.Hour), 5*time.Second); f.shift != time.Hour {
		t.Errorf("the third file is shown at %v", f.shift)
	}
}

func TestShifted_DamagedFilesAreErrors(t *testing.T) {
	d := newDesk(t, nil)
	seg := d.shelf.film(t, front(noon), 1, codecs.Unknown, nil)
	good := d.shelf.read(t, seg.Ref)
	f := seg.Fragments[0]
	moof := f.Offset + int64(bytes.Index(good[f.Offset:], []byte("moof"))) - 4
	for name, change := range map[string]func([]byte){
		"a box of no size":    func(b []byte) { clear(b[f.Offset : f.Offset+4]) },
		"a box past the end":  func(b []byte) { b[f.Offset] = 0x7f },
		"no decoding time":    func(b []byte) { copy(b[moof+68:], "free") },
		"another track":       func(b []byte) { b[moof+8+16+8+15] = 9 },
		"a box inside, empty": func(b []byte) { clear(b[moof+8 : moof+12]) },
	} {
		data := bytes.Clone(good)
		change(data)
		if n, err := newShifted(bytes.NewReader(data), f.Offset, seg.Bytes, time.Second, 0).ReadAt(make([]byte, 1000), f.Offset); err == nil {
			t.Errorf("%s: %d bytes", name, n)
		}
	}
}

func FuzzShifted(f *testing.F) {
	d := newDesk(f, nil)
	seg := d.shelf.film(f, front(noon), 1, codecs.PCMU, nil)
	f.Add(d.shelf.read(f, seg.Ref)[seg.Fragments[0].Offset:][:2000], int64(0))
	f.Add([]byte("\x00\x00\x00\x10moof\x00\x00\x00\x08traf"), int64(3))
	f.Fuzz(func(t *testing.T, data []byte, off int64) {
		if off < 0 || off > int64(len(data)) {
			return
		}
		p := make([]byte, 100)
		n, err := newShifted(bytes.NewReader(data), 0, int64(len(data)), time.Second, 8000).ReadAt(p, off)
		if n > len(data)-int(off) || err == nil && n != len(p) {
			t.Errorf("%d bytes of %d, %v", n, len(data), err)
		}
	})
}
