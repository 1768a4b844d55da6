package mediasign

import (
	"slices"
	"testing"

	"github.com/sightline-cam/sightline/codecs"
)

func TestVerifier_SignedClipIsAuthentic(t *testing.T) {
	got := check(codecs.H264, sign(t, newSigner(t, Options{}), video264(), pictures(t, 5, 5)))
	expect(t, got, "authentic 1", "authentic 2", "authentic 3", "authentic 4", "tail 5")
	for i, g := range got[:4] {
		if at := epoch + int64(i)*200_000; g.Start.UnixMicro() != at || g.End.UnixMicro() != at+200_000 || g.First.At != at {
			t.Errorf("GOP %d: signed %v to %v, in the stream at %d", i+1, g.Start, g.End, g.First.At)
		}
		if g.Counter != uint32(i+1) || g.Units != 5 || g.Covered != 5 {
			t.Errorf("GOP %d: %+v", i+1, g)
		}
	}
}

func TestVerifier_NamesWhatWasDone(t *testing.T) {
	// Groups of five: 0-4, 5-9, 10-14, 15-19, 20-24, and so on; eight of them.
	cases := []struct {
		name string
		edit func(u []*codecs.Unit) []*codecs.Unit
		want []string
	}{
		{"frame dropped", func(u []*codecs.Unit) []*codecs.Unit { return slices.Delete(u, 13, 14) },
			[]string{"authentic 1", "authentic 2", "frames-missing 3", "authentic 4", "authentic 5", "authentic 6", "authentic 7", "tail 8"}},
		{"key frame dropped", func(u []*codecs.Unit) []*codecs.Unit { return slices.Delete(u, 10, 11) },
			[]string{"authentic 1", "authentic 2", "frames-missing 2", "authentic 3", "authentic 4", "authentic 5", "authentic 6", "tail 7"}},
		{"last frame of a GOP dropped", func(u []*codecs.Unit) []*codecs.Unit { return slices.Delete(u, 14, 15) },
			[]string{"authentic 1", "authentic 2", "frames-missing 3", "authentic 4", "authentic 5", "authentic 6", "authentic 7", "tail 8"}},
		{"frame repeated", func(u []*codecs.Unit) []*codecs.Unit { return slices.Insert(u, 13, u[12]) },
			[]string{"authentic 1", "authentic 2", "repeated 3", "authentic 4", "authentic 5", "authentic 6", "authentic 7", "tail 8"}},
		{"frames swapped", func(u []*codecs.Unit) []*codecs.Unit { u[12], u[13] = u[13], u[12]; return u },
			[]string{"authentic 1", "authentic 2", "reordered 3", "authentic 4", "authentic 5", "authentic 6", "authentic 7", "tail 8"}},
		{"GOP dropped", func(u []*codecs.Unit) []*codecs.Unit { return slices.Delete(u, 10, 15) },
			[]string{"authentic 1", "unsigned 2", "missing 2", "authentic 3", "authentic 4", "authentic 5", "authentic 6", "tail 7"}},
		{"two GOPs dropped", func(u []*codecs.Unit) []*codecs.Unit { return slices.Delete(u, 10, 20) },
			[]string{"authentic 1", "unsigned 2", "missing 2", "authentic 3", "authentic 4", "authentic 5", "tail 6"}},
		{"cut in the middle of GOPs", func(u []*codecs.Unit) []*codecs.Unit { return slices.Delete(u, 8, 22) },
			[]string{"authentic 1", "unsigned 2", "missing 2", "frames-missing 2", "authentic 3", "authentic 4", "tail 5"}},
		{"GOP repeated", func(u []*codecs.Unit) []*codecs.Unit { return slices.Insert(u, 15, u[10:15]...) },
			[]string{"authentic 1", "authentic 2", "authentic 3", "repeated 4", "authentic 5", "authentic 6", "authentic 7", "authentic 8", "tail 9"}},
		{"beginning and end cut off", func(u []*codecs.Unit) []*codecs.Unit { return u[10:35] },
			[]string{"authentic 1", "authentic 2", "authentic 3", "authentic 4", "tail 5"}},
		{"beginning cut off within a GOP", func(u []*codecs.Unit) []*codecs.Unit { return u[12:35] },
			[]string{"frames-missing 0", "authentic 1", "authentic 2", "authentic 3", "tail 4"}},
	}
	signed := sign(t, newSigner(t, Options{}), video264(), film(t, 8, 5))
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			expect(t, check(codecs.H264, c.edit(slices.Clone(signed))), c.want...)
		})
	}
}
