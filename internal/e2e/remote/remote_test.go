package remote

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Recorder and agent are killed, and stopped for a while, and there is no signaling
// server: in the end every picture is recorded but those of the time in which there
// was no agent.
func TestRemote_EveryPictureIsThereInTheEnd(t *testing.T) {
	l := newLab(t)
	l.startSignal()
	l.startAgent("--open")
	l.awaitLink()
	l.startRecorder("--remote", l.link)
	l.recorded()
	l.wait("the recorder has a ticket", func() bool {
		text, err := os.ReadFile(filepath.Join(l.recorderDir, "viewer-addresses.json"))
		return err == nil && strings.Contains(string(text), `"secret": "`) || strings.Contains(string(text), `"secret":"`)
	})
	l.signal.Kill(t)

	l.recorder.Kill(t)
	<-time.After(2 * time.Second)
	l.startRecorder("--remote", l.link)
	l.recorded()

	l.freeze(l.agent, 3*time.Second)
	l.complete()
	l.check()
}

// check compares what was recorded with what was shown.
func (l *lab) check() {
	l.t.Helper()
	seen := l.watched()
	missing := gaps(l.t, seen)
	l.t.Logf("%d pictures recorded of %d, from %d to %d; missing %v; without an agent %v",
		len(seen), l.film.made(), seen[0], seen[len(seen)-1], missing, l.film.unseen())
}
