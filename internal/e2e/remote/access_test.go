package remote

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestAccess_IsGivenByALinkOnce follows a recorder from a stranger to a guest, by an
// invitation that works once, and says what is missing on the way.
func TestAccess_IsGivenByALinkOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.startSignal()
	l.startAgent()
	l.awaitLink()
	dirs := t.TempDir()

	// By the agent's own link a stranger gets nothing.
	l.recorderDir = filepath.Join(dirs, "stranger")
	l.startRecorder("--remote", l.link)
	l.wait("the reason is that the agent refuses", func() bool {
		c := l.overview()
		return !c.Recording && strings.HasPrefix(c.Reason, "The agent refuses this recorder")
	})
	l.recorder.WaitFor(t, `level=WARN msg="the cameras of the agent are not recorded; it is tried again".*The agent refuses`, patience)
	l.recorder.Stop(t)

	// An invitation gives access, once, and later starts need no secret.
	l.recorderDir = filepath.Join(dirs, "guest")
	invite := l.invite("live,playback")
	settings := filepath.Join(dirs, "sightline.yaml")
	text := "remotes:\n  - {link: " + strconv.Quote(invite) + ", name: Barn, prefix: barn-, cameras: [gate]}\n"
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l.startRecorder("--config", settings)
	l.recorded()
	if c := l.overview(); c.ID != "barn-gate" || c.Name != "Barn: Gate" || !strings.Contains(invite, c.Origin) || c.Reason != "" {
		t.Errorf("the recorder shows %+v", c)
	}
	l.live()
	if v, ok := l.metric("sightline_remote_verified"); !ok || v != 1 {
		t.Error("the recorder does not know what the agent has")
	}
	l.recorder.Stop(t)
	if kept, err := os.ReadFile(filepath.Join(l.recorderDir, "remotes.json")); err != nil || strings.Contains(string(kept), invite[strings.LastIndex(invite, ".")+1:]) {
		t.Errorf("the secret is in the folder, or: %v", err)
	}
	l.startRecorder("--config", settings)
	l.recorded()
	if log, _ := l.recorder.Log(); strings.Contains(log, "does not accept") {
		t.Error("the secret was shown twice")
	}
	l.recorder.Stop(t)

	// Somebody else comes too late with it.
	l.recorderDir = filepath.Join(dirs, "late")
	l.startRecorder("--remote", invite)
	l.wait("the reason is that the link is worth nothing", func() bool {
		return strings.Contains(l.overview().Reason, "does not accept its link")
	})
	l.recorder.WaitFor(t, `level=WARN msg="the agent does not accept the link's secret.*used already`, patience)
	l.recorder.Stop(t)

	// Without the right to play back, what comes live is recorded, and that is said.
	l.recorderDir = filepath.Join(dirs, "watcher")
	l.startRecorder("--remote", l.invite("live"))
	l.wait("it is recorded as it comes", func() bool {
		c := l.overview()
		return c.Recording && c.to() > time.Now().Add(-10*time.Second).UnixMilli() && strings.Contains(c.Reason, "cannot be fetched again")
	})
	l.recorder.WaitFor(t, `level=WARN msg="recorded as it comes live`, patience)
	l.recorder.Stop(t)
}

// live watches the recorder's camera live.
func (l *lab) live() {
	l.t.Helper()
	file := filepath.Join(l.t.TempDir(), "live.h264")
	l.run("view", l.page, "--state-dir", l.t.TempDir(), "--duration", "2s", "-o", file)
	seen := numbers(l.t, file)
	if len(seen) == 0 {
		l.t.Error("nothing was seen live")
	}
	for _, g := range gaps(l.t, seen) {
		if g[1]%filmFPS != 0 { // whole groups are left out where a machine is too slow
			l.t.Errorf("the pictures from %d to %d were not seen live", g[0], g[1]-1)
		}
	}
	var answer struct {
		Cameras []struct{ Width, Height int }
	}
	res, err := l.client.Get(l.url + "/v1/cameras")
	if err != nil {
		l.t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || len(answer.Cameras) != 1 || answer.Cameras[0].Width != filmWidth || answer.Cameras[0].Height != filmHeight {
		l.t.Errorf("the cameras are %+v, %v", answer, err)
	}
}

// invite makes an invitation at the agent.
func (l *lab) invite(rights string) string {
	l.t.Helper()
	return strings.TrimSpace(l.run("grant", "--name", "Recorder", "--right", rights, "--state-dir", l.agentDir))
}
