package viewer

import (
	"fmt"
	"io"

	"github.com/sightline-cam/sightline/codecs"
)

// AnnexBWriter writes video units as a byte stream with start codes (ITU-T
// H.264 and H.265, Annex B), which players and ffmpeg read from a file or a
// pipe. It begins at a key frame. Not safe for concurrent use.
type AnnexBWriter struct {
	w       io.Writer
	started bool
	buf     []byte
	skipped int
}

// NewAnnexBWriter returns a writer to w.
func NewAnnexBWriter(w io.Writer) *AnnexBWriter { return &AnnexBWriter{w: w} }

// WriteUnit writes a video unit with one call of Write. Units before the first
// key frame are left out.
func (a *AnnexBWriter) WriteUnit(u *codecs.Unit) error {
	if !a.started && !u.Key {
		a.skipped++
		return nil
	}
	a.started = true
	a.buf = a.buf[:0]
	for _, nal := range u.Payload {
		a.buf = append(a.buf, 0, 0, 0, 1)
		a.buf = append(a.buf, nal...)
	}
	if len(a.buf) == 0 {
		return nil
	}
	if _, err := a.w.Write(a.buf); err != nil {
		return fmt.Errorf("write a video frame: %w", err)
	}
	return nil
}

// Skipped returns how many units were left out before the first key frame.
func (a *AnnexBWriter) Skipped() int { return a.skipped }
