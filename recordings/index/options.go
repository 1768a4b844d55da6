package index

// Options of an index. The zero value works.
type Options struct {
	// ID names an index that is made new; random if empty. Ignored if there is one
	// at the path already: see Index.ID.
	ID string
	// ReadOnly opens what is there and writes nothing, beside the process that
	// writes: every method that changes something fails.
	ReadOnly bool
	// Readers is how many reads run at the same time; 2 if 0, at most 16.
	Readers int
	// CacheBytes is the page cache of each connection (Readers and one writer);
	// 512 KiB if 0.
	CacheBytes int
}
