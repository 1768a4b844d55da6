package index

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/sightline-cam/sightline/recordings"
)

// childVariable names the index that this process shall write to until it is killed.
const childVariable = "SIGHTLINE_TEST_INDEX"

// lineOf is the segment that the child writes as its n-th.
func lineOf(n int) recordings.Segment {
	s := segment(front(), 0, float64(n*10), float64(n*10+10))
	s.Gaps = []recordings.Gap{{Range: recordings.Range{From: s.Start - 5, To: s.Start}, Cause: recordings.Crash}}
	return s
}

// writeUntilKilled writes, deletes every third and purges every sixth, and prints
// what is committed.
func writeUntilKilled(path string) {
	ctx := context.Background()
	x, err := Open(ctx, path, Options{})
	must := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	must(err)
	streams, err := x.Streams(ctx)
	must(err)
	n := 0
	if len(streams) > 0 {
		n = max(0, int(streams[0].To-noon)/10e6/6-1) * 6 // again what was cut off
	}
	for ; ; n++ {
		s := lineOf(n)
		s.Open = true
		must(x.Put(ctx, s))
		s.Open = false
		must(x.Put(ctx, s))
		fmt.Fprintln(os.Stdout, n)
		if n%3 == 2 {
			must(x.Tombstone(ctx, lineOf(n-1).Ref))
		}
		if n%6 == 5 {
			must(x.Purge(ctx, lineOf(n-1).Ref))
		}
	}
}

func TestIndex_KillNineLosesNothingCommitted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.db")
	r := rand.New(rand.NewPCG(rand.Uint64(), 1))
	for round := range 3 {
		last := runAndKill(t, path, 1+r.IntN(30))
		x, err := Open(t.Context(), path, Options{})
		ok(t, err)
		clean(t, x)
		for n := range last + 1 {
			want := lineOf(n)
			got, err := x.Segment(t.Context(), want.Ref, true)
			// What is deleted after the last line was printed may be gone or not.
			deleted := n%3 == 1
			if err != nil && !deleted || err == nil && deleted && n < last-2 {
				t.Fatalf("round %d, segment %d of %d: %v", round, n, last, err)
			}
			if err == nil && (len(got.Fragments) != len(want.Fragments) || len(got.Gaps) != 1 || got.Bytes != want.Bytes) {
				t.Fatalf("round %d: segment %d is not as it was written", round, n)
			}
		}
		ok(t, x.Close())
	}
}

// runAndKill runs a child until it has printed so many lines, kills it, and returns
// the last number that it printed.
func runAndKill(t *testing.T, path string, lines int) (last int) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childVariable+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	ok(t, err)
	ok(t, child.Start())
	scanner := bufio.NewScanner(out)
	for i := 0; scanner.Scan(); i++ {
		last = must(strconv.Atoi(scanner.Text()))(t)
		if i == lines {
			ok(t, child.Process.Kill())
		}
	}
	_ = child.Wait() // killed
	return last
}
