package disk

import (
	"context"
	"time"
)

// lookOnly finds the directories without changing anything, and what is being
// written at the moment, which the index does not have yet.
func (s *Store) lookOnly(ctx context.Context) error {
	for _, d := range s.dirs {
		m, err := readMarker(d.fs, d.path)
		free, total, _ := d.fs.Space(d.path)
		d.mu.Lock()
		d.id, d.problem, d.looked, d.free, d.total = m.Directory, err, time.Now(), free, total
		d.mu.Unlock()
	}
	open, err := s.opts.Index.OpenSegments(ctx)
	if err != nil {
		return err
	}
	for _, row := range open {
		d, err := s.folderOf(row.Dir)
		if err != nil {
			continue
		}
		if found, err := scan(d.fs, d.path, row.Dir, row.Path, false); err == nil && len(found.seg.Fragments) > 0 {
			found.seg.Open = true
			s.begun = append(s.begun, found.seg)
		}
	}
	return s.loadPauses(ctx)
}
