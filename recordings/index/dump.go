package index

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"

	"github.com/sightline-cam/sightline/recordings"
)

// Dump writes everything that can be derived from the files as text, a line for
// each thing, in an order of its own: two indexes of the same files have the same
// dump. Tombstoned rows are left out, and so is where directories are bound. Times
// and lengths are microseconds.
func (x *Index) Dump(ctx context.Context, w io.Writer) error {
	out := bufio.NewWriter(w)
	err := x.view(ctx, "dump", func(v *view) error {
		streams, err := v.streams(x.names)
		if err != nil {
			return err
		}
		for _, s := range streams {
			if err := x.dumpStream(v, out, s); err != nil {
				return err
			}
		}
		err = v.each(`SELECT d.id, sum(t.bytes) FROM totals t JOIN directories d ON d.key = t.dir GROUP BY d.id ORDER BY d.id`, nil, func(scan scan) error {
			var id string
			var bytes int64
			err := scan(&id, &bytes)
			fmt.Fprintf(out, "directory %q bytes=%d\n", id, bytes)
			return err
		})
		if err != nil {
			return err
		}
		return dumpJournal(v, out)
	})
	if err != nil {
		return err
	}
	return x.fail("dump", out.Flush())
}

func (x *Index) dumpStream(v *view, out io.Writer, s recordings.StreamInfo) error {
	fmt.Fprintf(out, "stream %q %q segments=%d bytes=%d %d-%d\n", s.Camera, s.Rendition, s.Segments, s.Bytes, s.From, s.To)
	key, err := v.findStream(s.Stream)
	if err != nil {
		return err
	}
	const batch = 100 // rows, to bound memory
	generation, start := int64(math.MinInt64), int64(math.MinInt64)
	for {
		rows, err := v.query(`WHERE s.stream = ? AND (s.generation, s.start) > (?, ?) AND s.flags < 2 ORDER BY s.generation, s.start LIMIT ?`,
			true, key, generation, start, batch)
		if err != nil || len(rows) == 0 {
			return err
		}
		for i := range rows {
			generation, start = rows[i].generation, rows[i].start
			segment, err := v.segment(x.names, s.Stream, &rows[i])
			if err != nil {
				return err
			}
			one := []recordings.Segment{segment}
			if err := v.addGaps(key, one); err != nil {
				return err
			}
			dumpSegment(out, &one[0])
		}
	}
}

func dumpSegment(out io.Writer, s *recordings.Segment) {
	fmt.Fprintf(out, "segment g%d %d-%d dir=%q path=%q init=%d bytes=%d open=%t origin=%q before=%q clock=%d\n", s.Generation, s.Start, s.End,
		s.Dir, s.Path, s.InitBytes, s.Bytes, s.Open, s.Origin, s.Before, int64(s.ClockOffset))
	f := &s.Format
	fmt.Fprintf(out, "\tformat %q %dx%d %q %d Hz %d channels signed=%t\n", f.Video, f.Width, f.Height, f.Audio, f.SampleRate, f.Channels, f.Signed)
	for _, g := range s.Gaps {
		fmt.Fprintf(out, "\tgap %d-%d %q\n", g.From, g.To, g.Cause)
	}
	for _, f := range s.Fragments {
		fmt.Fprintf(out, "\tfragment %d+%d media=%d offset=%d bytes=%d video=%d key=%t frames=%d\n", f.Start, f.Duration.Microseconds(),
			f.MediaStart, f.Offset, f.Bytes, f.VideoBytes, f.Key, f.Frames)
	}
}

// dumpJournal writes what stands in the journal: events, locks and pauses.
func dumpJournal(v *view, out io.Writer) error {
	for _, table := range []struct{ name, query string }{
		{"event", `SELECT camera, start, till, id, type, text FROM events ORDER BY camera, start, id`},
		{"lock", `SELECT camera, start, till, id, name, '' FROM locks ORDER BY camera, start, id`},
		{"pause", `SELECT camera, start, till, who, '', '' FROM pauses ORDER BY camera, start`},
	} {
		err := v.each(table.query, nil, func(scan scan) error {
			var camera, a, b, c string
			var from, to int64
			err := scan(&camera, &from, &to, &a, &b, &c)
			fmt.Fprintf(out, "%s %q %d-%d %q %q %q\n", table.name, camera, from, to, a, b, c)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
