package remote

import (
	"os"
	"path/filepath"
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

	// An invitation gives access, once, and later starts need neither the secret nor
	// the signaling server.
	l.recorderDir = filepath.Join(dirs, "guest")
	invite := l.invite("live,playback")
	l.startRecorder("--remote", invite)
	l.recorded()
	if c := l.overview(); c.ID != "gate" || c.Name != "Gate" || !strings.Contains(invite, c.Origin) || c.Reason != "" {
		t.Errorf("the recorder shows %+v", c)
	}
	if v, ok := l.metric("sightline_remote_verified"); !ok || v != 1 {
		t.Error("the recorder does not know what the agent has")
	}
	l.recorder.Stop(t)
	if text, err := os.ReadFile(filepath.Join(l.recorderDir, "remotes.json")); err != nil || strings.Contains(string(text), invite[strings.LastIndex(invite, ".")+1:]) {
		t.Errorf("the secret is in the folder, or: %v", err)
	}
	l.startRecorder("--remote", invite)
	l.recorded()
	if log, _ := l.recorder.Log(); strings.Contains(log, "does not accept") {
		t.Error("the secret was shown twice")
	}
	l.recorder.Stop(t)

	// Somebody else comes too late with it.
	l.recorderDir = filepath.Join(dirs, "late")
	l.startRecorder("--remote", invite)
	l.wait("the reason is that the link was used", func() bool {
		return strings.Contains(l.overview().Reason, "used already")
	})
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

// invite makes an invitation at the agent.
func (l *lab) invite(rights string) string {
	l.t.Helper()
	return strings.TrimSpace(l.run("grant", "--name", "Recorder", "--right", rights, "--state-dir", l.agentDir))
}
