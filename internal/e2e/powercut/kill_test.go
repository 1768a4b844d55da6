package powercut

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sightline-cam/sightline/internal/lab/program"
)

func TestMain(m *testing.M) {
	for _, name := range []string{"SIGHTLINE_NO_MDNS", "SIGHTLINE_NO_PORT_MAP"} {
		if err := os.Setenv(name, "true"); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}

const (
	// syncEvery is the recorder's default; a kill may cost that much, and the time
	// of the sync itself.
	syncEvery = time.Second
	// slack is for the sync itself.
	slack = 1500 * time.Millisecond
	// stillness is how much longer that may take on a machine that is busy with other
	// things, as a multiple of the longest that it took to answer a question.
	stillness = 4
	// patience tells what hangs from what takes long there.
	patience = 2 * time.Minute
)

// TestKillNine_LosesNothingPromised kills the real program at random moments. With
// SIGHTLINE_POWERCUT=full it does so hundreds of times, and prints how it went.
func TestKillNine_LosesNothingPromised(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed; it plays what was recorded")
	}
	full := os.Getenv("SIGHTLINE_POWERCUT") == "full"
	rounds, longest := 4, 2*time.Second
	if full {
		rounds, longest = 250, 3*time.Second
	}
	k := &killing{t: t, bin: build(t), state: t.TempDir(), client: &http.Client{Timeout: patience}, played: make(map[string]bool)}
	defer k.client.CloseIdleConnections()
	for i := range rounds {
		k.round(time.Second+rand.N(longest), i%2 == 1)
	}
	k.finish()
	if full {
		fmt.Fprintf(os.Stdout, "kill -9: %d rounds, worst loss %d ms, %d of %d files failed to play\n", rounds, k.worst.Milliseconds(), len(k.failed), len(k.played))
	}
	if k.worst > syncEvery+slack+stillness*k.slowest {
		t.Errorf("%v were lost; the recorder promises to lose %v at most, and the sync's own time", k.worst, syncEvery)
	}
	if len(k.failed) > 0 {
		t.Errorf("files that do not play: %s", strings.Join(k.failed, "\n"))
	}
	if k.promises < rounds/2 {
		t.Errorf("something was promised in %d of %d rounds: the test proves little", k.promises, rounds)
	}
	if len(k.played) < rounds/2 {
		t.Errorf("only %d files in %d rounds: hardly anything was recorded", len(k.played), rounds)
	}
}

// killing is a series of rounds with one state folder.
type killing struct {
	t          *testing.T
	bin, state string
	client     *http.Client

	url      string
	promises int       // rounds in which something was promised
	began    int64     // ms, of the first promise of the round before
	promised int64     // ms, of the round before
	killed   time.Time // when that ended
	worst    time.Duration
	slowest  time.Duration // the longest that the recorder took to answer
	played   map[string]bool
	failed   []string
}

// round starts the recorder, looks at what the round before left, lets it record
// and kills it; for as long as told, and not before something was promised if it is to
// promise.
func (k *killing) round(life time.Duration, promise bool) {
	k.t.Helper()
	p := k.start()
	k.look()
	k.promised, k.began = 0, 0
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	begun := time.Now()
	for time.Since(begun) < life || promise && k.promised == 0 {
		if time.Since(begun) > patience {
			k.t.Fatalf("nothing was promised in %v", patience)
		}
		<-tick.C
		asked := time.Now()
		streams := k.streams()
		k.slowest = max(k.slowest, time.Since(asked))
		for _, s := range streams {
			if k.began == 0 {
				k.began = s.DurableMs
			}
			k.promised = max(k.promised, s.DurableMs)
		}
	}
	if k.promised > 0 {
		k.promises++
	}
	k.killed = time.Now()
	p.Kill(k.t)
}

func (k *killing) start() *program.Program {
	k.t.Helper()
	p := program.Start(k.t, exec.Command(k.bin, "demo", "--state-dir", k.state, "--listen", "127.0.0.1:0"))
	k.url = p.WaitFor(k.t, `(http://127\.0\.0\.1:\d+)/`, patience)[1]
	return p
}

type stream struct {
	Rendition string `json:"rendition"`
	ToMs      int64  `json:"toMs"`
	DurableMs int64  `json:"durableMs"`
}

func (k *killing) streams() []stream {
	var answer struct {
		Cameras []struct {
			Streams []stream `json:"streams"`
		} `json:"cameras"`
	}
	k.get("/v1/recordings", &answer)
	if len(answer.Cameras) == 0 {
		return nil
	}
	return answer.Cameras[0].Streams
}

func (k *killing) get(path string, to any) {
	k.t.Helper()
	res, err := k.client.Get(k.url + path)
	if err != nil {
		k.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		k.t.Fatalf("%s: %s", path, res.Status)
	}
	if err := json.NewDecoder(res.Body).Decode(to); err != nil {
		k.t.Fatal(err)
	}
}

// look compares what was promised before the kill with what is there, and plays it.
func (k *killing) look() {
	k.t.Helper()
	if k.promised == 0 {
		return
	}
	from := k.promised - time.Minute.Milliseconds()
	var answer struct {
		Segments []struct {
			StartUs int64 `json:"startUs"`
			EndUs   int64 `json:"endUs"`
		} `json:"segments"`
	}
	k.get(fmt.Sprintf("/v1/recordings/test/segments?rendition=main&from=%d&to=%d", from, k.killed.UnixMilli()), &answer)
	var last int64
	for _, s := range answer.Segments {
		if s.StartUs/1000 >= k.killed.UnixMilli() {
			continue
		}
		// Within what was promised in one life there is no hole.
		if start := s.StartUs / 1000; last > k.began && start > last+1 && start < k.promised {
			k.t.Errorf("%d ms are missing before what was promised", start-last)
		}
		last = max(last, s.EndUs/1000)
	}
	if last < k.promised {
		k.t.Fatalf("the recording ends %d ms before what was promised", k.promised-last)
	}
	k.worst = max(k.worst, time.Duration(k.killed.UnixMilli()-last)*time.Millisecond)
	files := k.files()
	k.play(files[:max(len(files)-1, 0)]) // one is being written
}

// play decodes every file that was not played yet.
func (k *killing) play(files []string) {
	k.t.Helper()
	for _, name := range files {
		if k.played[name] {
			continue
		}
		k.played[name] = true
		out, err := exec.Command("ffmpeg", "-v", "error", "-xerror", "-i", name, "-f", "null", "-").CombinedOutput()
		if err != nil || len(out) > 0 {
			k.failed = append(k.failed, fmt.Sprintf("%s: %v %s", name, err, out))
		}
	}
}

// files returns all segments, oldest first.
func (k *killing) files() (out []string) {
	k.t.Helper()
	err := filepath.WalkDir(filepath.Join(k.state, "recordings", "media"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			out = append(out, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		k.t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// finish starts once more and stops politely; then everything must be in order, and
// an index made anew must say the same.
func (k *killing) finish() {
	k.t.Helper()
	p := k.start()
	k.look()
	p.Stop(k.t)
	k.play(k.files())
	k.run("recordings", "check", "--state-dir", k.state)
	was := k.run("recordings", "list", "--json", "--state-dir", k.state)
	k.run("recordings", "rebuild", "--state-dir", k.state)
	if is := k.run("recordings", "list", "--json", "--state-dir", k.state); is != was {
		k.t.Errorf("the rebuilt index differs:\n%s\n%s", was, is)
	}
	k.run("recordings", "check", "--state-dir", k.state)
}

func (k *killing) run(args ...string) string {
	k.t.Helper()
	out, err := exec.Command(k.bin, args...).CombinedOutput()
	if err != nil {
		k.t.Fatalf("sightline %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// build makes the program.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "sightline")
	cmd := exec.Command("go", "build", "-tags", "nomsgpack,nethttpomithttp2", "-o", bin, "github.com/sightline-cam/sightline/cmd/sightline")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}
