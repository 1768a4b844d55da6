package cli

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal returns a terminal and what is written to it.
func terminal(t *testing.T) (tty *os.File, screen io.Reader) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { _ = master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tty.Close() })
	return tty, master
}

func TestPair_AtATerminalDrawsTheCodeAndTellsWhoTheOwnerIs(t *testing.T) {
	tty, screen := terminal(t)
	a := newFakeAgent(t, map[string]string{
		"POST /v1/console/pair": `{"peer":"` + publisher + `","page":"https://h","secret":"c2VjcmV0","expires":"` + time.Now().Add(time.Minute).UTC().Format(time.RFC3339) + `"}`,
		"GET /v1/access":        `{"owners":[{"id":"o1","name":"Anna","device":"phone"}]}`,
	})
	seen := make(chan string, 1)
	go func() {
		var all strings.Builder
		for lines := bufio.NewScanner(screen); lines.Scan() && !strings.Contains(lines.Text(), "owner is now"); {
			fmt.Fprintln(&all, lines.Text())
		}
		seen <- all.String()
	}()
	var log strings.Builder
	err := (&Pair{StateDir: a.dir}).Run(t.Context(), &Process{Name: "sightline", Stdout: tty, Stderr: &log})
	if err != nil {
		t.Fatal(err)
	}
	text := <-seen
	for _, want := range []string{"It works once, for 10 minutes", "█", "https://h/#peer=" + publisher + "&pair=c2VjcmV0"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not on the screen:\n%s", want, text)
		}
	}
	if log.Len() > 0 {
		t.Errorf("the log has %q", log.String())
	}
}

func TestPair_AtATerminalSaysWhenNobodyCame(t *testing.T) {
	tty, screen := terminal(t)
	go func() { _, _ = io.Copy(io.Discard, screen) }()
	a := newFakeAgent(t, map[string]string{
		"POST /v1/console/pair": `{"peer":"` + publisher + `","page":"https://h","secret":"c2VjcmV0","expires":"` + time.Now().Add(-time.Second).UTC().Format(time.RFC3339) + `"}`,
		"GET /v1/access":        `{"owners":[]}`,
	})
	a.status = http.StatusOK
	err := (&Pair{StateDir: a.dir}).Run(t.Context(), &Process{Name: "sightline", Stdout: tty, Stderr: io.Discard})
	if err == nil || !strings.Contains(err.Error(), "run sightline pair for a new one") {
		t.Errorf("got %v", err)
	}
}
