package verify

import (
	"bytes"
	"testing"

	"github.com/sightline-cam/sightline/codecs/mediasign"
	"github.com/sightline-cam/sightline/recordings/export"
)

// Whatever the bytes are, checking them ends, without a panic, and never says that
// what has no signature is well.
func FuzzFile(f *testing.F) {
	c := newCamera(f)
	film := c.film(f, 3, noon())
	for _, u := range film.Units { // short pictures: it is the boxes that matter
		for i, n := range u.Payload {
			if _, signature, _ := mediasign.Find(film.Track.Codec, n); !signature {
				u.Payload[i] = n[:min(len(n), 60)]
			}
		}
	}
	s := segment(f, film)
	f.Add(s.Data)
	f.Add(exported(f, export.Options{}, s))
	f.Add(rawStream(film.Units))
	f.Add(s.Data[:len(s.Data)/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		r, err := File(t.Context(), bytes.NewReader(data), int64(len(data)), Options{})
		if err == nil && r.AllWell && (!r.Signed || len(r.Problems) > 0) {
			t.Errorf("all well: %+v", r)
		}
	})
}
