package index

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/recordings"
)

func TestCheck_FindsEveryBreach(t *testing.T) {
	for _, c := range []struct {
		invariant int
		breach    string
	}{
		{2, `UPDATE segments SET length = length + 1 WHERE start = (SELECT min(start) FROM segments)`},
		{3, `UPDATE totals SET bytes = bytes + 1`},
		{3, `UPDATE totals SET segments = segments - 1`},
		{3, `DELETE FROM totals`},
		{3, `INSERT INTO totals VALUES (9, 9, 9, 1, 1)`},
		{4, `DELETE FROM formats`},
		{4, `DELETE FROM directories`},
		{4, `DELETE FROM streams`},
		{4, `DELETE FROM fragments WHERE key = 1`},
		{4, `INSERT INTO fragments (data) VALUES (x'01')`},
		{4, `UPDATE segments SET fragments = 1`},
		{4, `DELETE FROM gaps`},
		{4, `INSERT INTO gaps VALUES (1, 5, 0, 0, 1, 2, 'x')`},
		{5, `UPDATE fragments SET data = x'02' WHERE key = 1`},
		{5, `UPDATE segments SET length = length - 1000000`},
		{5, `UPDATE segments SET bytes = bytes - 1; UPDATE totals SET bytes = bytes - 2`},
	} {
		x := open(t)
		a, b := segment(front(), 0, 0, 10), segment(front(), 0, 10, 20)
		b.Gaps = []recordings.Gap{{Range: recordings.Range{From: at(9), To: at(10)}}}
		ok(t, x.Put(t.Context(), a, b))
		clean(t, x)
		must(x.writer.ExecContext(t.Context(), c.breach))(t)
		problems := must(x.Check(t.Context()))(t)
		if !strings.Contains(strings.Join(problems, "\n"), fmt.Sprintf("(invariant %d)", c.invariant)) {
			t.Errorf("%s: %q", c.breach, problems)
		}
		ok(t, x.Close())
	}
}

func TestCheck_FragmentsFollowEachOther(t *testing.T) {
	x := open(t)
	for i, change := range []func(f *recordings.Fragment){
		func(f *recordings.Fragment) { f.Start += 5 },
		func(f *recordings.Fragment) { f.Offset++ },
	} {
		s := segment(front(), i, 0, 10)
		change(&s.Fragments[4])
		ok(t, x.Put(t.Context(), s))
		if problems := must(x.Check(t.Context()))(t); len(problems) != i+1 || !strings.Contains(problems[i], "does not follow") {
			t.Errorf("%q", problems)
		}
	}
}
