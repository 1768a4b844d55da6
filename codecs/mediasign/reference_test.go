package mediasign

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/nal"
)

// readStream returns the access units of a raw stream.
func readStream(t testing.TB, codec codecs.Codec, name string) []*codecs.Unit {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	units, err := nal.SplitAnnexB(data)
	if err != nil {
		t.Fatal(err)
	}
	var out []*codecs.Unit
	var payload [][]byte
	pictures := false
	end := func() {
		if pictures {
			out = append(out, &codecs.Unit{PTS: int64(len(out)) * 3600, Payload: payload})
			payload, pictures = nil, false
		}
	}
	for _, u := range units {
		n := classify(codec, u)
		if n.kind != picture || n.primary {
			end()
		}
		pictures = pictures || n.kind == picture
		payload = append(payload, u)
	}
	end()
	return out
}

func TestVerifier_BelievesTheReferenceImplementation(t *testing.T) {
	cases := []struct {
		name  string
		codec codecs.Codec
		want  []string
	}{
		{"reference-parts.h264", codecs.H264, []string{
			"authentic 1", "authentic 1", "authentic 1", "authentic 2", "authentic 2", "authentic 2",
			"authentic 3", "authentic 3", "authentic 3", "authentic 4", "tail 4",
		}},
		{"reference-together.h265", codecs.H265, []string{"authentic 1", "authentic 2", "authentic 3", "authentic 4", "tail 5", "tail 6"}},
		{"reference-sparse.h265", codecs.H265, []string{"authentic 1", "authentic 2", "authentic 3", "authentic 4", "authentic 5", "tail 6"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			units := readStream(t, c.codec, c.name)
			got := check(c.codec, units)
			expect(t, got, c.want...)
			if s := got[0].Origin.Chain[0].Subject.CommonName; s != "Test camera" {
				t.Errorf("signed by %q", s)
			}
			if got[0].Start.UnixMicro() != 1_700_000_000_000_000 {
				t.Errorf("it begins at %v", got[0].Start)
			}

			// A picture of the second group is changed, one of the third dropped.
			edited := slices.Clone(units)
			edited[9] = flip(edited[9], len(edited[9].Payload)-1, 40)
			for _, g := range check(c.codec, edited) {
				if want := g.Number == 2; (g.Verdict == Modified) != want && (g.Part == 0 || g.Part == 1) {
					t.Errorf("changed: %+v", g.Verdict)
				}
			}
			edited = slices.Delete(slices.Clone(units), 17, 18)
			for _, g := range check(c.codec, edited) {
				bad := g.Verdict == FramesMissing || g.Verdict == Modified
				if want := g.Number == 3; bad != want && (g.Part == 0 || g.Part == 2) {
					t.Errorf("dropped: GOP %d part %d: %v", g.Number, g.Part, g.Verdict)
				}
			}
		})
	}
}
