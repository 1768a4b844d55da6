package remote

import (
	"testing"
	"time"
)

// Recorder and agent are killed, and what is between them stands still for a while,
// and there is no signaling server: in the end every picture is recorded but those of
// the time in which there was no agent.
func TestRemote_EveryPictureIsThereInTheEnd(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.startSignal()
	l.startAgent("--open")
	l.awaitLink()
	l.startRecorder("--remote", l.link)
	l.recorded()
	l.ticket()
	l.signal.Kill(t)

	l.recorder.Kill(t)
	<-time.After(time.Second)
	l.startRecorder("--remote", l.link)
	l.recorded()

	l.settled()
	l.atOnce()
	l.agent.Kill(t)
	l.startAgent("--open")
	l.recorded()

	l.freeze(l.recorder, 4*time.Second)
	l.check(onTheWay)
}

// check waits until nothing is missing any more, and compares what was recorded with
// what was shown. As many pictures may be missing before the agent was killed as told.
func (l *lab) check(inFlight uint32) {
	l.t.Helper()
	newest := l.film.made()
	l.complete()
	seen := l.watched()
	if len(seen) == 0 {
		l.t.Fatal("no picture was recorded")
	}
	missing, unseen := gaps(l.t, seen), l.film.unseen()
	l.t.Logf("%d pictures were recorded, from %d to %d; missing %v; no agent was there for %v", len(seen), seen[0], seen[len(seen)-1], missing, unseen)
	for _, m := range missing {
		excused := false
		for _, u := range unseen {
			excused = excused || m[0]+inFlight >= u[0] && m[1] <= u[1]
		}
		if !excused {
			l.t.Errorf("the pictures from %d to %d were shown to the agent and are missing", m[0], m[1]-1)
		}
	}
	if last := seen[len(seen)-1]; last+1 < newest {
		l.t.Errorf("the last picture is %d, and there were %d before everything was complete", last, newest)
	}
}
