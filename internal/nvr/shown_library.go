package nvr

import (
	"context"

	"github.com/sightline-cam/sightline/recordings"
)

// shownLibrary is the library as people see it: with what retention says of the
// disks.
type shownLibrary struct {
	library
	// trouble is a sentence about the room on the disks; empty if all is well.
	trouble func() string
}

// Disks implements playback.Library.
func (l shownLibrary) Disks(ctx context.Context) ([]recordings.Disk, error) {
	disks, err := l.library.Disks(ctx)
	if text := l.trouble(); text != "" {
		for i := range disks {
			if disks[i].Reason == "" {
				disks[i].Reason = text
			}
		}
	}
	return disks, err
}
