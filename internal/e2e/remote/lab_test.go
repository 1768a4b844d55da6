package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/program"
)

// patience is for a machine that is busy with other things: how long something takes
// is not what is tested.
const patience = 3 * time.Minute

// lab is an agent with a film for a camera, and a recorder of it, known by their
// state folders.
type lab struct {
	t      *testing.T
	bin    string
	film   *film
	client *http.Client

	agentDir, recorderDir string
	signalAddr, link      string // of the agent
	url, page             string // of the recorder

	signal, agent, recorder *program.Program
}

func newLab(t *testing.T) *lab {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("ffmpeg is not installed; it decodes what was recorded")
	}
	l := &lab{
		t: t, bin: build(t), agentDir: filepath.Join(t.TempDir(), "agent"), recorderDir: filepath.Join(t.TempDir(), "recorder"),
		client: &http.Client{Timeout: time.Minute},
	}
	t.Cleanup(l.client.CloseIdleConnections)
	l.film = newFilm(t)
	return l
}

// build makes the program, once for all tests of this process.
func build(t *testing.T) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

//nolint:gochecknoglobals // the linker runs once for all tests
var built = sync.OnceValues(func() (string, error) {
	path, err := filepath.Abs("../artifacts/bin/sightline-remote")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-trimpath", "-tags", "nomsgpack,nethttpomithttp2", "-o", path, "./cmd/sightline")
	cmd.Dir = "../../.."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build sightline: %w\n%s", err, out)
	}
	return path, nil
})

func (l *lab) start(args ...string) *program.Program {
	l.t.Helper()
	return program.Start(l.t, exec.Command(l.bin, args...))
}

// run runs the program to its end and returns what it printed.
func (l *lab) run(args ...string) string {
	l.t.Helper()
	cmd := exec.CommandContext(l.t.Context(), l.bin, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		l.t.Fatalf("sightline %s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}

func (l *lab) startSignal() {
	l.t.Helper()
	l.signal = l.start("signal", "--listen", "127.0.0.1:0")
	l.signalAddr = l.signal.WaitFor(l.t, `signaling server is at http://([0-9.:]+)`, patience)[1]
}

// startAgent starts the agent, with more arguments than it always has.
func (l *lab) startAgent(more ...string) {
	l.t.Helper()
	l.agent = l.start(append([]string{
		"camera", "--state-dir", l.agentDir, "--spool-dir", filepath.Join(l.agentDir, "spool"), "--listen", "127.0.0.1:0", "--udp", "127.0.0.1:0",
		"--signal", "ws://" + l.signalAddr, "--no-tcp", "--name", "Gate", l.film.url,
	}, more...)...)
}

// awaitLink waits for what the agent prints.
func (l *lab) awaitLink() {
	l.t.Helper()
	l.link = l.agent.WaitFor(l.t, `http://`+regexp.QuoteMeta(l.signalAddr)+`\S*`, patience)[0]
}

func (l *lab) startRecorder(more ...string) {
	l.t.Helper()
	l.recorder = l.start(append([]string{
		"nvr", "--state-dir", l.recorderDir, "--dir", filepath.Join(l.recorderDir, "recordings"), "--listen", "127.0.0.1:0", "--open",
	}, more...)...)
	found := l.recorder.WaitFor(l.t, `(http://127\.0\.0\.1:\d+)/#peer\S+`, patience)
	l.page, l.url = found[0], found[1]
}

// freeze stops a process for a while, without an end to it.
func (l *lab) freeze(p *program.Program, d time.Duration) {
	l.t.Helper()
	if err := syscall.Kill(p.PID(), syscall.SIGSTOP); err != nil {
		l.t.Fatal(err)
	}
	<-time.After(d)
	if err := syscall.Kill(p.PID(), syscall.SIGCONT); err != nil {
		l.t.Fatal(err)
	}
}

// camera is what GET /v1/recordings says of one.
type camera struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Recording bool   `json:"recording"`
	Reason    string `json:"reason"`
	Origin    string `json:"origin"`
	Streams   []struct {
		FromMs    int64 `json:"fromMs"`
		ToMs      int64 `json:"toMs"`
		DurableMs int64 `json:"durableMs"`
	} `json:"streams"`
}

func (c *camera) to() int64 {
	if len(c.Streams) == 0 {
		return 0
	}
	return c.Streams[0].ToMs
}

// overview returns the recorder's first camera; empty if there is none, or the
// recorder does not answer.
func (l *lab) overview() (c camera) {
	var answer struct {
		Cameras []camera `json:"cameras"`
	}
	res, err := l.client.Get(l.url + "/v1/recordings")
	if err != nil {
		return c
	}
	defer res.Body.Close()
	if json.NewDecoder(res.Body).Decode(&answer) != nil || len(answer.Cameras) == 0 {
		return c
	}
	return answer.Cameras[0]
}

// metric returns the sum of a metric's samples; false if there are none.
func (l *lab) metric(name string) (sum float64, ok bool) {
	res, err := l.client.Get(l.url + "/metrics")
	if err != nil {
		return 0, false
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		var v float64
		if rest, found := strings.CutPrefix(line, name+"{"); found {
			if _, err := fmt.Sscan(rest[strings.LastIndex(rest, "}")+1:], &v); err == nil {
				sum, ok = sum+v, true
			}
		}
	}
	return sum, ok
}

// wait waits until something holds.
func (l *lab) wait(what string, holds func() bool) {
	l.t.Helper()
	begun := time.Now()
	defer func() { l.t.Logf("after %v: %s", time.Since(begun).Round(100*time.Millisecond), what) }()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !holds(); <-tick.C {
		if time.Now().After(end) {
			l.t.Fatalf("not within %v: %s; the recorder says %+v", patience, what, l.overview())
		}
	}
}

// recorded waits until what is shown in a moment is recorded, and durable.
func (l *lab) recorded() {
	l.t.Helper()
	now := time.Now().Add(filmGOP).UnixMilli()
	l.wait("the recording goes on", func() bool {
		c := l.overview()
		return c.Recording && c.to() >= now && c.Streams[0].DurableMs >= now
	})
}

// settled waits until what comes live is what the agent has.
func (l *lab) settled() {
	l.t.Helper()
	live := func() float64 {
		written, _ := l.metric("sightline_remote_fragments_total")
		fetched, _ := l.metric("sightline_remote_repaired_total")
		return written - fetched
	}
	enough := live() + 2
	l.wait("what comes live is written", func() bool { return live() >= enough })
}

// atOnce waits until what is shown is recorded at once, as it is where the machine is not
// busy with other things: then little is on its way.
func (l *lab) atOnce() {
	l.t.Helper()
	l.wait("what is shown is recorded at once", func() bool {
		c := l.overview()
		return time.Since(time.UnixMilli(c.to())) < 2*filmGOP
	})
}

// ticket waits until the recorder can dial the agent by itself.
func (l *lab) ticket() {
	l.t.Helper()
	secret := regexp.MustCompile(`"secret": ?"[^"]`)
	l.wait("the recorder has a ticket", func() bool {
		text, err := os.ReadFile(filepath.Join(l.recorderDir, "viewer-addresses.json"))
		return err == nil && secret.Match(text)
	})
}

// complete waits until nothing is missing any more.
func (l *lab) complete() {
	l.t.Helper()
	l.recorded()
	l.wait("what was missed is fetched", func() bool {
		n, ok := l.metric("sightline_remote_missing")
		return ok && n == 0
	})
}

// watched is what was recorded, as a person exports it.
func (l *lab) watched() []uint32 {
	l.t.Helper()
	c := l.overview()
	if len(c.Streams) == 0 {
		l.t.Fatal("nothing was recorded")
	}
	res, err := l.client.Get(fmt.Sprintf("%s/v1/recordings/%s/export.mp4?from=%d&to=%d&gaps=skip", l.url, c.ID, c.Streams[0].FromMs, c.to()))
	if err != nil {
		l.t.Fatal(err)
	}
	defer res.Body.Close()
	file := filepath.Join(l.t.TempDir(), "film.mp4")
	f, err := os.Create(file)
	if err == nil {
		_, err = io.Copy(f, res.Body)
		err = errors.Join(err, f.Close())
	}
	if err != nil || res.StatusCode != http.StatusOK {
		l.t.Fatalf("export: %s, %v", res.Status, err)
	}
	return numbers(l.t, file)
}
