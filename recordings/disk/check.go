package disk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/index"
)

// Invariant is one of those that docs/design/storage.md numbers.
type Invariant string

// The invariants that Check proves.
const (
	NameIsHeader   Invariant = "S2" // a file is named after what it says it is
	WholeFragments Invariant = "S3" // a file is whole fragments with right checksums
	RowIsFile      Invariant = "S4" // the index says of a file what the file says
	NoOverlap      Invariant = "S5" // segments of one stream and generation do not overlap
	MarkerBinds    Invariant = "S6" // a directory has the marker that the index knows
	JournalIsIndex Invariant = "S7" // the index has the events, locks and pauses of the journals
	NothingPending Invariant = "S8" // after a stop in good order nothing is open or half deleted
	IndexIsSound   Invariant = "S9" // the index is sound in itself
)

// Finding is something that is not as it should be.
type Finding struct {
	Invariant Invariant `json:"invariant"`
	// File is where; may be empty.
	File string `json:"file"`
	// Text is a sentence for a person.
	Text string `json:"text"`
}

// CheckOptions say what to check. Dirs and Index are required.
type CheckOptions struct {
	Dirs  []string
	Index *index.Index
	// FS is where Dirs are. Default: System.
	FS FS
	// Running says that a recorder writes meanwhile: files come and go.
	Running bool
	// Unfinished is told if the recorder did not stop in good order: that its next
	// start has something to mend is no finding. Default: nobody.
	Unfinished func()
	// Quick reads no pictures: a bit that fell over in one is not found.
	Quick bool
	// Progress is told how many files of how many are done. Default: nobody.
	Progress func(done, total int)
}

// Check proves the invariants and reports what breaks them; it changes nothing.
// Segments that are being written meanwhile are passed over. The error says that
// it could not go on.
func Check(ctx context.Context, o CheckOptions, report func(Finding)) error {
	if o.FS == nil {
		o.FS = System()
	}
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	c := &checking{opts: &o, report: report, expected: make(map[recordings.Ref]bool)}
	return c.run(ctx)
}

// checking is one run of Check.
type checking struct {
	opts   *CheckOptions
	report func(Finding)

	clean       bool
	done, total int
	expected    map[recordings.Ref]bool // rows with a file
	spans       []span
	dirs        []string
}

// span is what one file covers.
type span struct {
	ref  recordings.Ref
	end  recordings.Time
	file string
}

func (c *checking) find(i Invariant, file, format string, args ...any) {
	c.report(Finding{i, file, fmt.Sprintf(format, args...)})
}

func (c *checking) run(ctx context.Context) (err error) {
	ix := c.opts.Index
	if c.clean, err = ix.Clean(ctx); err != nil {
		return err
	}
	sentences, err := ix.Check(ctx)
	if err != nil {
		return err
	}
	for _, text := range sentences {
		c.find(IndexIsSound, "", "%s", text)
	}
	for _, dir := range c.opts.Dirs {
		path, err := filepath.Abs(dir)
		if err != nil {
			return err
		}
		if err := c.directory(ctx, path); err != nil {
			return err
		}
		c.dirs = append(c.dirs, path)
	}
	c.overlaps()
	if err := c.rowsWithoutFile(ctx); err != nil {
		return err
	}
	if err := c.happenings(ctx); err != nil {
		return err
	}
	return c.pending(ctx)
}

// directory checks one directory.
func (c *checking) directory(ctx context.Context, path string) error {
	m, err := readMarker(c.opts.FS, path)
	if err != nil {
		c.find(MarkerBinds, path, "The directory has no marker: %v.", err)
		return nil
	}
	if m.Index != c.opts.Index.ID() {
		c.find(MarkerBinds, path, "The directory belongs to another index. `sightline recordings rebuild` takes it in.")
		return nil
	}
	count := func(string, recordings.Ref) error { c.total++; return ctx.Err() }
	if err := walk(c.opts.FS, path, count, func(string) {}); err != nil {
		return err
	}
	err = walk(c.opts.FS, path, func(rel string, ref recordings.Ref) error {
		err := c.file(ctx, path, m.Directory, rel, ref)
		c.done++
		c.opts.Progress(c.done, c.total)
		return errors.Join(err, ctx.Err())
	}, func(rel string) {
		c.find(NameIsHeader, filepath.Join(path, rel), "This is no recording; nobody will delete it.")
	})
	return err
}

// file checks one file against its row.
func (c *checking) file(ctx context.Context, dir, id, rel string, ref recordings.Ref) error {
	name := filepath.Join(dir, filepath.FromSlash(rel))
	row, err := c.opts.Index.Segment(ctx, ref, true)
	if err != nil && !errors.Is(err, index.ErrNotFound) {
		return err
	}
	known := err == nil
	c.expected[ref] = true
	found, err := scan(c.opts.FS, dir, id, rel, !c.opts.Quick)
	if known && row.Open || !known && !c.clean {
		c.unfinished(name, known, found, err)
		return nil
	}
	switch {
	case err != nil && found.seg.InitBytes > 0:
		c.find(NameIsHeader, name, "%v.", err)
		c.expected[ref] = false
		return nil
	case err != nil:
		c.find(WholeFragments, name, "The file cannot be read: %v.", err)
		return nil
	case found.header:
		c.find(WholeFragments, name, "The beginning of the file is damaged; it can still be read.")
	case found.torn != nil:
		c.find(WholeFragments, name, "The file is damaged after %d of %d bytes: %v.", found.good, found.size, found.torn)
	}
	c.spans = append(c.spans, span{ref, found.seg.End, name})
	if !known {
		c.find(RowIsFile, name, "The index does not know this recording. `sightline recordings rebuild` takes it in.")
	} else if found.torn == nil {
		c.compare(name, row, found.seg)
	}
	return nil
}

// unfinished checks a file that is being written, or was until a crash: it may have a
// torn end, and nothing else.
func (c *checking) unfinished(name string, known bool, found scanned, err error) {
	switch {
	case err != nil && known && !c.opts.Running: // the index hears of a file once it was synced
		c.find(WholeFragments, name, "The file cannot be read: %v.", err)
	case err == nil && found.damaged():
		c.find(WholeFragments, name, "The file is damaged after %d of %d bytes: %v.", found.good, found.size, found.torn)
	}
}

// compare says where a row and its file differ.
func (c *checking) compare(name string, row, file recordings.Segment) {
	if len(row.Gaps) == 0 && len(file.Gaps) == 0 {
		row.Gaps, file.Gaps = nil, nil
	}
	if reflect.DeepEqual(row, file) {
		return
	}
	what := "how it is coded or how it begins"
	switch {
	case row.Bytes != file.Bytes:
		what = fmt.Sprintf("its size: %d and %d bytes", row.Bytes, file.Bytes)
	case len(row.Fragments) != len(file.Fragments):
		what = fmt.Sprintf("its fragments: %d and %d", len(row.Fragments), len(file.Fragments))
	case !slices.Equal(row.Fragments, file.Fragments):
		what = "where or when its fragments are"
	}
	c.find(RowIsFile, name, "Index and file disagree about %s. `sightline recordings rebuild` mends the index.", what)
}

// overlaps looks for segments that cover the same time.
func (c *checking) overlaps() {
	slices.SortFunc(c.spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.ref.Camera, b.ref.Camera), cmp.Compare(a.ref.Rendition, b.ref.Rendition),
			cmp.Compare(a.ref.Generation, b.ref.Generation), cmp.Compare(a.ref.Start, b.ref.Start))
	})
	for i := 1; i < len(c.spans); i++ {
		a, b := c.spans[i-1], c.spans[i]
		if a.ref.Stream == b.ref.Stream && a.ref.Generation == b.ref.Generation && b.ref.Start < a.end {
			c.find(NoOverlap, b.file, "It begins %v before %s ends.", a.end.Sub(b.ref.Start), filepath.Base(a.file))
		}
	}
}

// rowsWithoutFile looks for rows that lead nowhere.
func (c *checking) rowsWithoutFile(ctx context.Context) error {
	streams, err := c.opts.Index.Streams(ctx)
	if err != nil {
		return err
	}
	const page = 5000
	for _, st := range streams {
		for after := recordings.Time(minTime); ; {
			rows, err := c.opts.Index.Oldest(ctx, st.Stream, after, page)
			if err != nil {
				return err
			}
			for _, row := range rows {
				after = row.Start
				if !c.expected[row.Ref] {
					c.find(RowIsFile, row.Path, "The index has a recording whose file is gone. `sightline recordings rebuild` mends the index.")
				}
			}
			if len(rows) < page {
				break
			}
		}
	}
	open, err := c.opts.Index.OpenSegments(ctx)
	for _, row := range open {
		if !c.expected[row.Ref] && !c.opts.Running {
			c.find(RowIsFile, row.Path, "The index has a recording whose file is gone. `sightline recordings rebuild` mends the index.")
		}
	}
	return err
}

// happenings compares the journals with the index.
func (c *checking) happenings(ctx context.Context) error {
	d := newDiary()
	for _, dir := range c.dirs {
		if err := d.read(c.opts.FS, slog.New(slog.DiscardHandler), dir); err != nil {
			return err
		}
	}
	if n := d.holes(); n > 0 {
		c.find(JournalIsIndex, "", "%d entries of the journals are missing: lines are damaged, or a file of a journal is gone.", n)
	}
	_, sentences, err := d.differences(ctx, c.opts.Index)
	for _, text := range sentences {
		c.find(JournalIsIndex, "", "%s `sightline recordings rebuild` mends it.", text)
	}
	return err
}

// pending looks for what should not be left over.
func (c *checking) pending(ctx context.Context) error {
	if !c.clean {
		if !c.opts.Running && c.opts.Unfinished != nil {
			c.opts.Unfinished()
		}
		return nil
	}
	doomed, err := c.opts.Index.Tombstoned(ctx)
	if err != nil {
		return err
	}
	open, err := c.opts.Index.OpenSegments(ctx)
	for _, row := range doomed {
		c.find(NothingPending, row.Path, "The recording was deleted by halves; the next start completes it.")
	}
	for _, row := range open {
		c.find(NothingPending, row.Path, "The index takes the recording for being written, and nothing writes.")
	}
	return err
}
