package disk

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/fmp4"
)

// scanned is what a file on the disk is.
type scanned struct {
	seg recordings.Segment
	// size is the file's, good where the last whole fragment ends.
	size, good int64
	// torn is why what follows is no fragment; nil if nothing does.
	torn error
	// beyond is how many bytes from the first whole fragment after the torn place on
	// there are: damage in the middle of a file, not a torn end. Found out only where
	// everything is verified.
	beyond int64
	// header says that the beginning can be read, and is not as it was written.
	header bool
}

// damaged reports whether more whole fragments follow the torn place than a crash can
// leave there: what was written since the last sync.
func (s *scanned) damaged() bool {
	var largest int64
	for _, f := range s.seg.Fragments {
		largest = max(largest, f.Bytes)
	}
	return s.beyond > min(mostUnsynced, unsyncedFragments*largest)
}

// unsyncedFragments is more than what is written between two syncs of one file.
const unsyncedFragments = 4

// scan reads a segment's file. verify reads all of it. The error says that it is no
// segment at all, or cannot be read.
func scan(fsys FS, dir, id, rel string, verify bool) (s scanned, err error) {
	f, err := fsys.OpenFile(filepath.Join(dir, filepath.FromSlash(rel)), os.O_RDONLY, 0)
	if err != nil {
		return s, err
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return s, err
	}
	s.size = info.Size()
	file, err := fmp4.Open(f, s.size)
	if err != nil {
		return s, fmt.Errorf("%s: %w", rel, err)
	}
	s.header = file.Damaged
	s.seg = recordings.Segment{
		Ref: file.Ref, Dir: id, Path: rel, InitBytes: file.InitBytes, Format: file.Format,
		Origin: file.Origin, Before: file.Before, Gaps: file.Gaps, ClockOffset: file.ClockOffset,
	}
	s.good, s.torn = file.Scan(0, verify, func(f recordings.Fragment) bool {
		s.seg.Fragments = append(s.seg.Fragments, f)
		return true
	})
	if s.torn != nil && !errors.Is(s.torn, fmp4.ErrTorn) {
		return s, fmt.Errorf("%s: %w", rel, s.torn)
	}
	if s.torn != nil && verify {
		switch next, err := file.Next(s.good); {
		case err == nil:
			s.beyond = s.size - next
		case !errors.Is(err, io.EOF):
			return s, fmt.Errorf("%s: %w", rel, err)
		}
	}
	s.seg.Bytes, s.seg.End = s.good, s.seg.Start
	if n := len(s.seg.Fragments); n > 0 {
		s.seg.End = s.seg.Fragments[n-1].End()
	}
	if want := pathOf(s.seg.Ref); want != rel {
		return s, fmt.Errorf("%s says that it is %s: it was renamed; give it that name", rel, want)
	}
	return s, nil
}

// walk calls yield with every file that has the name of a segment, as a path below
// dir with slashes, folder by folder. Others are passed to stranger.
func walk(fsys FS, dir string, yield func(rel string, ref recordings.Ref) error, stranger func(rel string)) error {
	var down func(rel string, depth int) error
	down = func(rel string, depth int) error {
		entries, err := fsys.ReadDir(filepath.Join(dir, filepath.FromSlash(rel)))
		if errors.Is(err, os.ErrNotExist) && depth == 0 {
			return nil // nothing was recorded yet
		}
		if err != nil {
			return err
		}
		for _, e := range entries {
			below := path.Join(rel, e.Name())
			ref, bad := parsePath(below)
			switch {
			case e.IsDir() && depth < 3 && !strings.HasPrefix(e.Name(), "."):
				err = down(below, depth+1)
			case bad != nil || e.IsDir():
				stranger(below)
			default:
				err = yield(below, ref)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	return down(mediaFolder, 0)
}
