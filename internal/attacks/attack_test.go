package attacks

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/check"
)

const (
	// atOnce is how many attacks run at a time: they wait more than they
	// compute.
	atOnce = 6
	// attackTimeout bounds each of the two tries of an attack, with starting and
	// stopping the programs.
	attackTimeout = 5 * time.Minute
	// patience bounds a single wait on a busy machine.
	patience = time.Minute
)

// attack is one thing that somebody hostile tries.
type attack struct {
	name string
	// check is what has to refuse it, and what is switched off for the second
	// try.
	check check.Name
	// says is a part of what the attacker, or the victim, is told. Empty where
	// silence is right.
	says string
	// stage starts the programs and returns what to do with them.
	stage func(w *world) act
}

// act is an attack on programs that run.
type act struct {
	// control does honestly what the attack is about. nil means that it worked.
	control func() error
	// attempt attacks. nil means that the attack succeeded, a *refusal that it
	// was refused; any other error says that the test itself does not work.
	attempt func() error
	// refused reads the counter of refusals by the check; nil where the victim
	// is a viewer, which counts nothing and says what it refused.
	refused func() (float64, error)
}

// refusal is how an attack ended that was refused.
type refusal struct{ says string }

// Error implements error.
func (r *refusal) Error() string { return "refused: " + r.says }

// refusedBy returns a refusal that says what err says.
func refusedBy(err error) error { return &refusal{says: err.Error()} }

func TestAttacks(t *testing.T) {
	programs := build(t)
	var refused, well atomic.Int64
	work := make(chan attack)
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for a := range work {
				t.Run(a.name, func(t *testing.T) {
					r, c := a.run(t, programs)
					refused.Add(count(r))
					well.Add(count(c))
				})
			}
		})
	}
	for _, a := range table() {
		work <- a
	}
	close(work)
	wg.Wait()
	fmt.Fprintf(os.Stdout, "%d attacks: %d refused, %d controls ok\n", len(table()), refused.Load(), well.Load())
}

func count(ok bool) int64 {
	if ok {
		return 1
	}
	return 0
}

func TestTable_NamesEveryAttackOnceAndTriesEveryCheck(t *testing.T) {
	seen, tried := map[string]bool{}, map[string]bool{}
	for _, a := range table() {
		if seen[a.name] || a.name == "" || a.check == "" || strings.Contains(a.name, "/") {
			t.Errorf("the attack %q has no check, or a name that is taken", a.name)
		}
		seen[a.name], tried[string(a.check)] = true, true
	}
	source, err := os.ReadFile("../check/name.go")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`(?m)^\t\w+ Name = "(.+)"$`).FindAllSubmatch(source, -1)
	if len(names) < 20 {
		t.Fatalf("%d checks found in internal/check", len(names))
	}
	for _, m := range names {
		if name := string(m[1]); !tried[name] {
			t.Errorf("no attack tries the check %q", name)
		}
	}
}

// run tries the attack on both builds and prints its line.
func (a attack) run(t *testing.T, programs *builds) (refused, control bool) {
	var took time.Duration
	skipped := false
	refused = t.Run("as it is", func(t *testing.T) {
		defer func() { skipped = t.Skipped() }()
		took = a.mustBeRefused(newWorld(t, programs, ""))
	})
	control = refused && !skipped && t.Run("without the check", func(t *testing.T) { a.mustSucceed(newWorld(t, programs, a.check)) })
	switch {
	case skipped:
		refused = false
		fmt.Fprintf(os.Stdout, "%-44s NOT TRIED: something is not installed\n", a.name)
	case refused && control:
		fmt.Fprintf(os.Stdout, "%-44s refused by %-12s in %5d ms, control ok\n", a.name, a.check, took.Milliseconds())
	case refused:
		fmt.Fprintf(os.Stdout, "%-44s refused, control FAILED: it does not succeed without the check %s\n", a.name, a.check)
	default:
		fmt.Fprintf(os.Stdout, "%-44s FAILED: not refused by %s, or what is honest does not work\n", a.name, a.check)
	}
	return refused, control
}

// mustBeRefused tries the attack on the ordinary build, and returns how long it
// took to be refused.
func (a attack) mustBeRefused(w *world) time.Duration {
	w.Helper()
	act := a.stage(w)
	if err := act.control(); err != nil {
		w.Fatalf("control: what is honest does not work: %v", err)
	}
	before := 0.0
	if act.refused != nil {
		var err error
		if before, err = act.refused(); err != nil {
			w.Fatal(err)
		}
	}
	began := time.Now()
	err := act.attempt()
	took := time.Since(began)
	var refused *refusal
	switch {
	case err == nil:
		w.Fatal("the attack succeeded")
	case !errors.As(err, &refused):
		w.Fatalf("the attack failed, but was not refused: %v", err)
	case !strings.Contains(refused.says, a.says):
		w.Errorf("it is refused with %q; documented is %q", refused.says, a.says)
	}
	if act.refused != nil {
		if err := w.until(func() (bool, error) {
			now, err := act.refused()
			return now > before, err
		}); err != nil {
			w.Errorf("the refusal is not counted for the check %q: %v", a.check, err)
		}
	}
	return took
}

// mustSucceed tries the attack on a build without the check.
func (a attack) mustSucceed(w *world) {
	w.Helper()
	act := a.stage(w)
	if err := act.attempt(); err != nil {
		w.Fatalf("control: without the check %q the attack must succeed, or the test proves nothing: %v", a.check, err)
	}
}
