package disk

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/signaling"
)

const (
	mediaFolder   = "media"
	journalFolder = "journal"
	dayLayout     = "2006-01-02"
	nameLayout    = "20060102T150405.000000Z"
	suffix        = ".mp4"
)

// pathOf returns where a segment lies in its directory, with slashes.
func pathOf(ref recordings.Ref) string {
	start := ref.Start.Std()
	name := start.Format(nameLayout)
	if ref.Generation > 0 {
		name += "-g" + strconv.Itoa(ref.Generation)
	}
	return path.Join(mediaFolder, ref.Camera, ref.Rendition, start.Format(dayLayout), name+suffix)
}

// parsePath is the inverse of pathOf.
func parsePath(p string) (recordings.Ref, error) {
	parts := strings.Split(p, "/")
	bad := func() (recordings.Ref, error) {
		return recordings.Ref{}, fmt.Errorf("%q is no name of a segment", p)
	}
	if len(parts) != 5 || parts[0] != mediaFolder || !strings.HasSuffix(parts[4], suffix) {
		return bad()
	}
	ref := recordings.Ref{Stream: recordings.Stream{Camera: parts[1], Rendition: parts[2]}}
	name, generation, has := strings.Cut(strings.TrimSuffix(parts[4], suffix), "-g")
	if has {
		n, err := strconv.Atoi(generation)
		if err != nil {
			return bad()
		}
		ref.Generation = n
	}
	start, err := time.Parse(nameLayout, name)
	if err != nil {
		return bad()
	}
	ref.Start = recordings.TimeOf(start)
	if checkStream(ref.Stream) != nil || ref.Generation < 0 || pathOf(ref) != p {
		return bad()
	}
	return ref, nil
}

// checkStream keeps names that lead elsewhere out of paths.
func checkStream(s recordings.Stream) error {
	if err := signaling.ValidateCameraID(s.Camera); err != nil {
		return fmt.Errorf("camera %q: %w", s.Camera, err)
	}
	if s.Rendition != recordings.Main && s.Rendition != recordings.Sub {
		return fmt.Errorf("there is no rendition %q", s.Rendition)
	}
	return nil
}
