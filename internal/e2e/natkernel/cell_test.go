package natkernel

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/netns"
)

const (
	// giveUp is how long a viewer who should get no picture is watched. Others have
	// patience to get it, and to find the path that is expected.
	giveUp = 25 * time.Second
	// settle is how long a relayed path must stay what it is.
	settle = 3 * time.Second
)

// cell is a viewer who watches a camera.
type cell struct {
	name   string // of the way, such as "turn"
	camera *agent
	at     string // where the viewer is
	host   *netns.Host
	state  string // folder of the viewer
	want   outcome
	args   []string // further ones of the viewer
}

// result is what became of it.
type result struct {
	got  outcome
	pair string        // of candidates
	took time.Duration // until the picture, or the failure
	log  string        // of the viewer
}

// String is the cell's line of the table.
func (c cell) line(r result) string {
	return fmt.Sprintf("%-8s %-27s %-27s %-8s %-8s %-72s %6d ms", c.name, c.camera.place, c.at, r.got, c.want, r.pair, r.took.Milliseconds())
}

// connected finds what a viewer logs about its path.
var connected = regexp.MustCompile(`path=(direct|relayed) local="?([^"]*?)"? remote="?([^"]*?)"?$`)

// atServer finds the servers' addresses in a pair, where only a relay is.
var atServer = regexp.MustCompile(`\b11\.0\.0\.[12]:|\[2001:db8::[12]\]:`)

// watch runs the viewer until it is known how it gets its picture.
func (c cell) watch(t *testing.T, w *world) (r result) {
	args := append([]string{"view", c.camera.link, "--state-dir", c.state, "--log-level", "info"}, c.args...)
	cmd := w.command(t, c.host.Namespace, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	video, err := cmd.StdoutPipe()
	if err != nil {
		return result{log: err.Error()}
	}
	logs, err := cmd.StderrPipe()
	if err != nil {
		return result{log: err.Error()}
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return result{log: err.Error()}
	}
	var reading sync.WaitGroup
	picture := make(chan time.Duration, 1)
	reading.Go(func() {
		if _, err := video.Read(make([]byte, 1)); err == nil {
			picture <- time.Since(start)
		}
		close(picture)
		_, _ = io.Copy(io.Discard, video)
	})
	paths := make(chan []string, 64)
	var text strings.Builder
	reading.Go(func() {
		defer close(paths)
		for lines := bufio.NewScanner(logs); lines.Scan(); {
			text.WriteString(lines.Text() + "\n")
			if m := connected.FindStringSubmatch(lines.Text()); m != nil {
				select {
				case paths <- m:
				default:
				}
			}
		}
	})
	r = c.follow(picture, paths)
	if r.took == 0 {
		r.took = time.Since(start)
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	reading.Wait()
	kill.Stop()
	_ = cmd.Wait()
	r.log = text.String()
	return r
}

// follow waits for the picture, and for the path to be the one that is expected:
// sessions begin with whatever works first. A relayed one must stay.
func (c cell) follow(picture <-chan time.Duration, paths <-chan []string) result {
	r := result{got: failed, pair: "-"}
	limit := patience
	if c.want == failed {
		limit = giveUp
	}
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	var settled <-chan time.Time
	path := failed
	for {
		select {
		case took, ok := <-picture:
			if !ok {
				return r // it has ended
			}
			r.took, picture = took, nil
		case m, ok := <-paths:
			if !ok {
				return r
			}
			path, r.pair = outcome(m[1]), m[2]+" - "+m[3]
			if path == direct && atServer.MatchString(r.pair) {
				path = "direct by a relay" // it says so, and it is not
			}
		case <-settled:
			return r
		case <-deadline.C:
			return r
		}
		if r.took == 0 || path == failed {
			continue
		}
		if r.got = path; r.got == direct {
			return r
		}
		if settled == nil && c.want != direct {
			settled = time.After(settle)
		}
	}
}

// table runs cells, some at a time, prints a line for each and fails for each
// that is not as expected.
func table(t *testing.T, w *world, cells []cell) {
	t.Helper()
	const atATime = 24
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, atATime)
	for _, c := range cells {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			r := c.watch(t, w)
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintln(t.Output(), c.line(r))
			if r.got != c.want {
				t.Errorf("%s: %s from %s is %s, expected %s\nviewer:\n%sagent:\n%s\nservers:\n%s", c.name, c.camera.place, c.at, r.got, c.want,
					r.log, c.camera.Tail(15), w.signal.Tail(15))
			}
		})
	}
	wg.Wait()
}
