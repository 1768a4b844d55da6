package index

import (
	"context"
	"fmt"

	"github.com/sightline-cam/sightline/recordings"
)

// maxProblems bounds what Check returns.
const maxProblems = 100

// Check examines the whole database, however long that takes, and counts
// everything again. It returns sentences about what is wrong, at most 100; none:
// all is well. The numbers are those of the invariants in docs/design/index.md.
func (x *Index) Check(ctx context.Context) (problems []string, err error) {
	report := func(format string, args ...any) {
		if len(problems) < maxProblems {
			problems = append(problems, fmt.Sprintf(format, args...))
		}
	}
	err = x.view(ctx, "check", func(v *view) error {
		err := v.each(`PRAGMA integrity_check(100)`, nil, func(scan scan) error {
			var said string
			err := scan(&said)
			if said != "ok" {
				report("the database is damaged (invariant 1): %s", said)
			}
			return err
		})
		if err != nil || len(problems) > 0 {
			return err
		}
		for _, q := range checks() {
			err := v.each(q.query, nil, func(scan scan) error {
				var stream, generation, start int64
				err := scan(&stream, &generation, &start)
				report("%s (invariant %d): stream %d, generation %d, at %s", q.problem, q.invariant, stream, generation, recordings.Time(start))
				return err
			})
			if err != nil {
				return err
			}
		}
		return v.each(`SELECT s.stream, s.generation, s.start, s.length, s.bytes, f.data FROM segments s JOIN fragments f ON f.key = s.fragments
			ORDER BY s.stream, s.generation, s.start`, nil, func(scan scan) error {
			var stream, generation, start, length, bytes int64
			var data []byte
			if err := scan(&stream, &generation, &start, &length, &bytes, &data); err != nil {
				return err
			}
			if problem := checkFragments(start, length, bytes, data); problem != "" {
				report("%s (invariant 5): stream %d, generation %d, at %s", problem, stream, generation, recordings.Time(start))
			}
			return nil
		})
	})
	return problems, err
}

// check selects stream, generation and time of what breaks an invariant.
type check struct {
	invariant int
	problem   string
	query     string
}

func checks() []check {
	return []check{
		{2, "a segment overlaps the one before", `SELECT stream, generation, start FROM
			(SELECT stream, generation, start, lag(start + length) OVER (PARTITION BY stream, generation ORDER BY start) AS was
			FROM segments WHERE flags < 2) WHERE start < was`},
		{3, "a sum is wrong", `SELECT stream, generation, 0 FROM
			(SELECT stream, generation, dir, segments, bytes FROM totals UNION ALL
			SELECT stream, generation, dir, -count(*), -sum(bytes) FROM segments WHERE flags < 2 GROUP BY stream, generation, dir)
			GROUP BY stream, generation, dir HAVING sum(segments) <> 0 OR sum(bytes) <> 0`},
		{4, "a segment names what is not there", `SELECT stream, generation, start FROM segments
			WHERE stream NOT IN (SELECT key FROM streams) OR dir NOT IN (SELECT key FROM directories) OR format NOT IN (SELECT key FROM formats)
			OR fragments IS NOT NULL AND fragments NOT IN (SELECT key FROM fragments)`},
		{4, "fragments belong to no segment, or to two", `SELECT 0, 0, 0 FROM (SELECT count(*) AS n, count(DISTINCT fragments) AS d FROM segments
			WHERE fragments IS NOT NULL) WHERE n <> d OR n <> (SELECT count(*) FROM fragments)`},
		{4, "gaps are not those of their segment", `SELECT stream, generation, start FROM
			(SELECT stream, generation, start, gaps FROM segments WHERE gaps > 0 UNION ALL
			SELECT stream, generation, start, -count(*) FROM gaps GROUP BY stream, generation, start)
			GROUP BY stream, generation, start HAVING sum(gaps) <> 0`},
	}
}

// checkFragments returns what is wrong with the fragments of a segment.
func checkFragments(start, length, bytes int64, data []byte) string {
	fragments, err := decodeFragments(recordings.Time(start), data)
	if err != nil {
		return err.Error()
	}
	for i := range fragments {
		f := &fragments[i]
		if i > 0 && (f.Start != fragments[i-1].End() || f.Offset != fragments[i-1].Offset+fragments[i-1].Bytes) {
			return fmt.Sprintf("fragment %d does not follow the one before", i)
		}
		if int64(f.End()) > start+length || f.Offset+f.Bytes > bytes {
			return fmt.Sprintf("fragment %d is not inside its segment", i)
		}
	}
	return ""
}
