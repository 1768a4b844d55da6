package disk

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/sightline-cam/sightline/recordings"
)

// Media is a segment's file, open for reading. One that is deleted meanwhile stays
// readable.
type Media struct {
	file File
	// Segment says what it is, without fragments. Of one that is being written it is
	// what there was when it was opened.
	Segment recordings.Segment
}

// Open opens a segment's file. The error is index.ErrNotFound, os.ErrNotExist, or
// the disk's.
func (s *Store) Open(ctx context.Context, ref recordings.Ref) (*Media, error) {
	seg, err := s.Segment(ctx, ref, false)
	if err != nil {
		return nil, err
	}
	d, err := s.folderOf(seg.Dir)
	if err != nil {
		return nil, err
	}
	f, err := d.fs.OpenFile(filepath.Join(d.path, filepath.FromSlash(seg.Path)), os.O_RDONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("open a recording: %w", err)
	}
	return &Media{file: f, Segment: seg}, nil
}

// Size is the number of bytes.
func (m *Media) Size() int64 { return m.Segment.Bytes }

// ReadAt implements io.ReaderAt within Size.
func (m *Media) ReadAt(p []byte, off int64) (int, error) {
	left := m.Segment.Bytes - off
	if left <= 0 {
		return 0, io.EOF
	}
	if int64(len(p)) <= left {
		return m.file.ReadAt(p, off)
	}
	n, err := m.file.ReadAt(p[:left], off)
	if err == nil {
		err = io.EOF
	}
	return n, err
}

// Close closes the file.
func (m *Media) Close() error { return m.file.Close() }
