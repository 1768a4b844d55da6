package remote

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/netns"
)

const (
	// soakEnv says for how long there is trouble; make soak sets it.
	soakEnv = "SIGHTLINE_SOAK"
	// insideEnv says that the test runs in a network of its own.
	insideEnv = "SIGHTLINE_REMOTE_INSIDE"
)

// onTheWay is how many pictures may be lost with an agent that is killed soon after
// other trouble: the group that is not complete, the time until the spool looks for one
// that is, and what waits for a packet that was lost.
const onTheWay = 3 * filmFPS

// For as long as SIGHTLINE_SOAK says, recorder and agent are killed, stopped and cut
// off from each other at random, without a signaling server; in the end every picture
// is there. The test runs itself again in a network where it may cut.
func TestSoak_EveryPictureIsThereAfterLongTrouble(t *testing.T) {
	text := os.Getenv(soakEnv)
	if text == "" {
		t.Skip(soakEnv + " is not set")
	}
	duration, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("%s: %v", soakEnv, err)
	}
	if os.Getenv(insideEnv) == "" {
		netns.Need(t, "ip", "nft")
		ns := netns.New(t).Servers
		again := ns.Command(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v", "-test.timeout", (duration + 10*time.Minute).String())
		again.Env = append(again.Environ(), insideEnv+"=true")
		out, err := again.CombinedOutput()
		t.Logf("%s", out)
		if err != nil || !strings.Contains(string(out), "--- PASS") {
			t.Fatalf("inside the network: %v", err)
		}
		return
	}
	l := newLab(t)
	l.startSignal()
	l.startAgent("--open")
	l.awaitLink()
	l.startRecorder("--remote", l.link)
	l.recorded()
	l.ticket()
	l.signal.Kill(t)
	for end := time.Now().Add(duration); time.Now().Before(end); {
		l.trouble()
		l.recorded()
		pause(t.Context(), rand.N(10*time.Second))
	}
	l.check(onTheWay)
}

// trouble makes some.
func (l *lab) trouble() {
	l.t.Helper()
	ctx, short, long := l.t.Context(), 500*time.Millisecond+rand.N(4*time.Second), time.Second+rand.N(40*time.Second)
	switch rand.N(6) {
	case 0:
		l.t.Logf("the recorder is killed for %v", long)
		l.recorder.Kill(l.t)
		pause(ctx, long)
		l.startRecorder("--remote", l.link)
	case 1:
		l.t.Logf("the agent is killed for %v", short)
		l.agent.Kill(l.t)
		pause(ctx, short)
		l.startAgent("--open")
	case 2:
		l.t.Logf("the recorder is stopped for %v", long)
		l.freeze(l.recorder, long)
	case 3:
		l.t.Logf("the agent is stopped for a second")
		l.freeze(l.agent, time.Second)
	case 4:
		l.t.Logf("the network is cut for %v", long)
		l.cut(func() { pause(ctx, long) })
	case 5:
		l.t.Logf("the network is cut for %v, and the recorder killed meanwhile", long)
		l.cut(func() {
			pause(ctx, long/2)
			l.recorder.Kill(l.t)
			pause(ctx, long/2)
		})
		l.startRecorder("--remote", l.link)
	}
}

// cut lets no UDP through while f runs.
func (l *lab) cut(f func()) {
	l.t.Helper()
	nft := func(args ...string) {
		l.t.Helper()
		if out, err := exec.CommandContext(context.WithoutCancel(l.t.Context()), "nft", args...).CombinedOutput(); err != nil {
			l.t.Fatalf("nft %v: %v\n%s", args, err, out)
		}
	}
	nft("add table inet cut")
	defer nft("delete table inet cut")
	nft("add chain inet cut in { type filter hook input priority 0 ; }")
	nft("add rule inet cut in meta l4proto udp drop")
	f()
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
