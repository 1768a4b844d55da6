package index

import "context"

// Directory is one that segments lie in.
type Directory struct {
	// ID is what the directory's marker says.
	ID string
	// Path is where it was bound to, absolute; empty if it is bound no longer.
	Path string
	// Bound says that it is bound to Path.
	Bound bool
}

// Directories returns all that were ever bound, or have segments, by id.
func (x *Index) Directories(ctx context.Context) ([]Directory, error) { return nil, errSkeleton }

// BindDirectory says that the directory with this id is at the path. Another that
// was bound to the path is bound no longer.
func (x *Index) BindDirectory(ctx context.Context, id, path string) error { return errSkeleton }
