package disk

import (
	"context"

	"github.com/sightline-cam/sightline/recordings"
)

// Past is where a stream stands: the greatest end and generation of its segments,
// and whether the last of them was not closed in good order. All zero if there are
// none.
func (s *Store) Past(ctx context.Context, stream recordings.Stream) (end recordings.Time, generation int, crashed bool, err error) {
	infos, err := s.Streams(ctx)
	if err != nil {
		return 0, 0, false, err
	}
	for _, info := range infos {
		if info.Stream == stream {
			end = info.To
		}
	}
	if generation, err = s.opts.Index.Generation(ctx, stream); err != nil {
		return 0, 0, false, err
	}
	return end, generation, s.crashed[stream], nil
}
