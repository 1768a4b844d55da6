package mediasign

import (
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs"
)

// What is signed names the camera and the longest step, in a text that others take.
func TestSigner_NamesTheCameraAndTheLongestStep(t *testing.T) {
	long := strings.Repeat("é", 80)
	for name, want := range map[string]string{"front/main": "front/main", "": "", " a b sets=x\n": "a_b_sets=x", long: long[:maxCamera]} {
		for _, version := range []string{"1.2", strings.Repeat("v", 300), "camera=other"} {
			film := film(t, 3, 5)
			for _, u := range film[2:] {
				u.At += 700_000 // a pause
				u.PTS += 63_000
			}
			got := check(codecs.H264, sign(t, newSigner(t, Options{Camera: name, Version: version}), video264(), film))
			expect(t, got, "authentic 1", "authentic 2", "tail 3")
			for i, g := range got[:2] {
				v, step := g.Origin.Vendor, []time.Duration{741 * time.Millisecond, 41 * time.Millisecond}[i]
				if v.Camera() != want || v.LongestStep() != step || len(v.Firmware) > 255 {
					t.Errorf("%q, %v, %d bytes", v.Camera(), v.LongestStep(), len(v.Firmware))
				}
			}
		}
	}
	if v := (Vendor{Firmware: "camera=front step=5", Manufacturer: "Other"}); v.Camera() != "" || v.LongestStep() != 0 {
		t.Error("others' texts are taken for ours")
	}
}
