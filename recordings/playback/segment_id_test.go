package playback

import (
	"testing"

	"github.com/sightline-cam/sightline/recordings"
)

func TestSegmentID_EverySegmentHasExactlyOne(t *testing.T) {
	for _, ref := range []recordings.Ref{front(noon), front(0), front(maxMicros), {Stream: recordings.Stream{Camera: "front", Rendition: "sub"}, Generation: 3, Start: noon}} {
		id := segmentID(ref)
		if got, err := parseSegmentID("front", id); err != nil || got != ref {
			t.Errorf("%s: %+v %v", id, got, err)
		}
	}
	for _, id := range []string{
		"", "main", "main.", ".1", "other.1", "main.01", "main.+1", "main.-1", "main.1.", "main.1.g", "main.1.g0", "main.1.g01", "main.1.1", "main.1.g1.g1",
		"main.253402300800000000", "main.1.g1000001", "main.1 ", "main.0x1", "../x", "main.1/..",
	} {
		if ref, err := parseSegmentID("front", id); err == nil {
			t.Errorf("%q is %+v", id, ref)
		}
	}
}

func FuzzParseSegmentID(f *testing.F) {
	for _, id := range []string{"main.1763740800000000", "sub.0.g12", "main.01", "main.1.g0", "main.9223372036854775808", "", "..", "main.1.g1000000"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		ref, err := parseSegmentID("front", id)
		if err == nil && segmentID(ref) != id {
			t.Errorf("%q is %+v, whose id is %q", id, ref, segmentID(ref))
		}
	})
}
