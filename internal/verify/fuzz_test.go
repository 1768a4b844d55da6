package verify

import (
	"bytes"
	"slices"
	"testing"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings/fmp4/fmp4test"
)

// small returns video of few bytes: it is the boxes that matter.
func small(t testing.TB) fmp4test.Media {
	film := plain(t, 2, noon())
	film.Units = slices.DeleteFunc(film.Units, func(u *codecs.Unit) bool { return u.PTS/18_000%5 > 1 })
	for i, u := range film.Units {
		v := *u
		v.Payload = slices.Clone(u.Payload)
		for j, n := range v.Payload {
			if isSlice(codecs.H264, n) {
				v.Payload[j] = append(slices.Clone(n[:40]), byte(1+i)) // no two are the same
			}
		}
		film.Units[i] = &v
	}
	return film
}

// Whatever the bytes are, checking them ends, without a panic, and never says that
// what has no signature is well. The seeds are small, since Go takes a minute to make
// each find smaller; -fuzzminimizetime 10x makes that short.
func FuzzFile(f *testing.F) {
	film := small(f)
	f.Add(segment(f, film).Data)
	f.Add(newClip(f, film).file())
	f.Add(rawStream(film.Units))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<14 {
			return
		}
		r, err := File(t.Context(), bytes.NewReader(data), int64(len(data)), Options{})
		if err == nil && r.AllWell && (!r.Signed || len(r.Problems) > 0) {
			t.Errorf("all well: %+v", r)
		}
	})
}
