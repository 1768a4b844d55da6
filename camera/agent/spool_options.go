package agent

import (
	"log/slog"
	"path/filepath"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/internal/spool"
)

// SpoolOptions bound what an agent keeps of its cameras, for recorders that could
// not be reached for a while. The zero value keeps the newest 8 MiB of each
// rendition in memory.
type SpoolOptions struct {
	// MemoryBytes bounds what is in memory of each rendition. Default 8 MiB;
	// negative: nothing is kept, not on disk either.
	MemoryBytes int64
	// Dir is a folder with one of each camera in it, for what is kept longer and
	// outlives the process. Default: none.
	Dir string
	// DiskBytes bounds what is there of each camera. Default 1 GiB.
	DiskBytes int64
}

// of returns what makes the spool of a camera.
func (o SpoolOptions) of(log *slog.Logger) func(*camera.Camera) *spool.Spool {
	return func(c *camera.Camera) *spool.Spool {
		if o.MemoryBytes < 0 {
			return nil
		}
		so := spool.Options{MemoryBytes: o.MemoryBytes, DiskBytes: o.DiskBytes, Logger: log.With("part", "spool", "camera", c.ID())}
		if o.Dir != "" {
			so.Dir = filepath.Join(o.Dir, c.ID()) // ids have no separators
		}
		return spool.Of(c, so)
	}
}
