package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/internal/atomicfile"
	"github.com/sightline-cam/sightline/internal/cli"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/disk"
	"github.com/sightline-cam/sightline/recordings/export"
	"github.com/sightline-cam/sightline/recordings/index"
)

// recordingsExport writes one file.
type recordingsExport struct {
	Camera    string `arg:"" help:"Id of the camera." placeholder:"CAMERA"`
	From      string `arg:"" help:"Beginning: 2026-11-21T14:00:00, in the time of this machine, or with a zone." placeholder:"FROM"`
	To        string `arg:"" help:"End, or how long: 90s, 10m." placeholder:"TO"`
	Output    string `short:"o" required:"" help:"File to write; - is stdout." placeholder:"FILE" env:"-"`
	Rendition string `help:"main or sub." default:"main" placeholder:"main"`
	NoAudio   bool   `help:"Leave the sound out."`
	KeepGaps  bool   `help:"Leave the time of gaps empty instead of going on at once."`
	Force     bool   `help:"Replace a file that is there." env:"-"`
	place     `embed:""`
}

// Run implements the command.
func (c *recordingsExport) Run(ctx context.Context, p *cli.Process) (err error) {
	r, err := parseRange(c.From, c.To)
	if err != nil {
		return err
	}
	s, ix, _, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer ix.Close() //nolint:errcheck // only read
	stream := recordings.Stream{Camera: c.Camera, Rendition: c.Rendition}
	segments, err := s.Segments(ctx, stream, r, index.SegmentsOptions{Fragments: true})
	if err != nil {
		return err
	}
	open := func(ctx context.Context, ref recordings.Ref) (export.Media, error) { return s.Open(ctx, ref) }
	e, err := export.New(ctx, open, segments, r, export.Options{NoSound: c.NoAudio, KeepGaps: c.KeepGaps, Writer: "sightline " + p.Version})
	if errors.Is(err, export.ErrNothing) {
		return fmt.Errorf("nothing of camera %s was recorded from %s to %s; `sightline recordings list` says what there is", c.Camera, local(r.From), local(r.To))
	}
	if err != nil {
		return err
	}
	defer e.Close() //nolint:errcheck // only read
	if err := c.copy(e, p); err != nil {
		return err
	}
	return c.sayWhatIsMissing(ctx, p, s, stream, e, r)
}

// copy writes the export.
func (c *recordingsExport) copy(e *export.Export, p *cli.Process) error {
	bar := newProgress(p.Stderr, "export", e.Size(), true)
	defer bar.close()
	in := &countingReader{in: e, total: e.Size(), bar: bar}
	if c.Output == "-" {
		_, err := io.Copy(p.Stdout, in)
		return err
	}
	return c.write(in)
}

// sayWhatIsMissing says on stderr what was asked for and is not in the export. It is
// an error if something is damaged; the file is there all the same.
func (c *recordingsExport) sayWhatIsMissing(ctx context.Context, p *cli.Process, s *disk.Store, stream recordings.Stream, e *export.Export, asked recordings.Range) error {
	tl, err := s.Timeline(ctx, stream, asked, 0)
	if err != nil {
		return fmt.Errorf("the export is written, but it is not known why something may be missing: %w", err)
	}
	gaps, known := e.Gaps(), tl.Gaps
	for _, r := range e.Lost() {
		gaps, known = append(gaps, r), append(known, recordings.Gap{Stream: stream, Range: r, Cause: recordings.Damaged})
	}
	slices.SortFunc(gaps, func(a, b recordings.Range) int { return cmp.Compare(a.From, b.From) })
	for _, line := range missing(asked, e.Range(), gaps, known) {
		fmt.Fprintln(p.Stderr, line)
	}
	if n := e.Damaged(); n > 0 {
		pieces := "A piece of the recording is"
		if n > 1 {
			pieces = fmt.Sprintf("%d pieces of the recording are", n)
		}
		return fmt.Errorf("%s damaged and missing in the export; the rest of it is written. Run `sightline recordings check` to find out more", pieces)
	}
	return nil
}

// missing says what of a time is not in an export with that range and those gaps;
// known are gaps with their causes.
func missing(asked, got recordings.Range, gaps []recordings.Range, known []recordings.Gap) (lines []string) {
	if asked.From.Sub(got.From).Abs() >= time.Second || asked.To.Sub(got.To) >= time.Second {
		lines = append(lines, fmt.Sprintf("The export is from %s to %s; asked for was from %s to %s.", local(got.From), local(got.To), local(asked.From), local(asked.To)))
	}
	if begin := (recordings.Range{From: asked.From, To: got.From}); !begin.Empty() {
		gaps = append([]recordings.Range{begin}, gaps...)
	}
	if end := (recordings.Range{From: got.To, To: asked.To}); !end.Empty() {
		gaps = append(gaps[:len(gaps):len(gaps)], end)
	}
	for _, g := range gaps {
		var why []string
		for _, k := range known {
			if text := strings.ReplaceAll(string(k.Cause), "-", " "); k.Overlaps(g) && (len(why) == 0 || why[len(why)-1] != text) {
				why = append(why, text)
			}
		}
		text := fmt.Sprintf("Nothing from %s to %s (%s)", local(g.From), local(g.To), g.Duration().Round(time.Millisecond))
		if len(why) > 0 {
			text += ": " + strings.Join(why, ", ")
		}
		lines = append(lines, text+".")
	}
	return lines
}

// write writes the file under its name only when it is whole.
func (c *recordingsExport) write(in io.Reader) (err error) {
	if _, err := os.Stat(c.Output); err == nil && !c.Force {
		return fmt.Errorf("%s is there already; choose another name, or --force", c.Output)
	}
	tmp := c.Output + ".part"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640) //nolint:gosec // the file that was asked for
	if err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{f}, in, make([]byte, 1<<20))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write the export: %w", err), os.Remove(tmp))
	}
	if err := os.Rename(tmp, c.Output); err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	if err := atomicfile.SyncDir(filepath.Dir(c.Output)); err != nil {
		return fmt.Errorf("the export is written, but may be lost if the power fails now: %w", err)
	}
	return nil
}

// countingReader tells how much was read.
type countingReader struct {
	in          io.Reader
	done, total int64
	bar         *progress
}

// Read implements io.Reader.
func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.in.Read(p)
	r.done += int64(n)
	r.bar.set(r.done, r.total)
	return n, err
}
