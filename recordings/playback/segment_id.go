package playback

import (
	"errors"
	"strconv"
	"strings"

	"github.com/sightline-cam/sightline/recordings"
)

// A segment's id within its camera is "rendition.start" or, of a later generation,
// "rendition.start.gN": start in microseconds since the epoch. Every segment has
// exactly one id, so that it may be compared, and cached by.

var errSegmentID = errors.New("not the id of a segment")

const (
	maxMicros     = 253402300799999999 // the end of the year 9999
	maxGeneration = 1_000_000
)

// segmentID returns the id.
func segmentID(r recordings.Ref) string {
	id := r.Rendition + "." + strconv.FormatInt(int64(r.Start), 10)
	if r.Generation > 0 {
		id += ".g" + strconv.Itoa(r.Generation)
	}
	return id
}

// parseSegmentID returns the segment of that id.
func parseSegmentID(camera, id string) (recordings.Ref, error) {
	rendition, rest, _ := strings.Cut(id, ".")
	start, generation, later := strings.Cut(rest, ".")
	ref := recordings.Ref{Stream: recordings.Stream{Camera: camera, Rendition: rendition}}
	micros, ok := decimal(start, maxMicros)
	if !ok || rendition != recordings.Main && rendition != recordings.Sub {
		return recordings.Ref{}, errSegmentID
	}
	ref.Start = recordings.Time(micros)
	if later {
		digits, isGeneration := strings.CutPrefix(generation, "g")
		n, ok := decimal(digits, maxGeneration)
		if !isGeneration || !ok || n == 0 {
			return recordings.Ref{}, errSegmentID
		}
		ref.Generation = int(n)
	}
	return ref, nil
}

// decimal reads digits as they would be written: without sign and leading zeros.
func decimal(s string, most int64) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n >= 0 && n <= most && s == strconv.FormatInt(n, 10)
}
