package verify

import (
	"bytes"
	"testing"
)

// What it costs to check a recording, by its bytes.
func BenchmarkFile(b *testing.B) {
	c := newCamera(b)
	film := c.film(b, 20, noon())
	data := segment(b, film).Data
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if r, err := File(b.Context(), bytes.NewReader(data), int64(len(data)), Options{}); err != nil || !r.AllWell {
			b.Fatal(r, err)
		}
	}
}
