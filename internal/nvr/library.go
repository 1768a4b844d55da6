package nvr

import (
	"context"

	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/disk"
	"github.com/sightline-cam/sightline/recordings/index"
	"github.com/sightline-cam/sightline/recordings/playback"
	"github.com/sightline-cam/sightline/recordings/recorder"
)

// library is the store as playback and the recorder know it.
type library struct{ *disk.Store }

var (
	_ playback.Library   = library{}
	_ recorder.Catalogue = library{}
)

// Segments implements playback.Library.
func (l library) Segments(ctx context.Context, s recordings.Stream, r recordings.Range, fragments bool, limit int) ([]recordings.Segment, error) {
	return l.Store.Segments(ctx, s, r, index.SegmentsOptions{Fragments: fragments, Limit: limit})
}

// Open implements playback.Library.
func (l library) Open(ctx context.Context, ref recordings.Ref) (playback.Media, error) {
	return l.Store.Open(ctx, ref)
}

// Past implements recorder.Catalogue.
func (l library) Past(ctx context.Context, s recordings.Stream) (recorder.Past, error) {
	end, generation, crashed, err := l.Store.Past(ctx, s)
	past := recorder.Past{End: end, Generation: generation, Cause: recordings.NotRecording}
	if crashed {
		past.Cause = recordings.Crash
	}
	return past, err
}
