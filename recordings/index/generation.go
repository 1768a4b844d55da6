package index

import (
	"context"

	"github.com/sightline-cam/sightline/recordings"
)

// Generation returns the greatest generation of a stream's segments; 0 if it has
// none.
func (x *Index) Generation(ctx context.Context, stream recordings.Stream) (greatest int, err error) {
	err = x.view(ctx, "find the generation of "+stream.String(), func(v *view) error {
		_, all, err := v.generations(stream)
		if err == nil && len(all) > 0 {
			greatest = int(all[0]) // the newest first
		}
		return err
	})
	return greatest, err
}
