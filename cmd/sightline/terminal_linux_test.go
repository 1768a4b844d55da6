package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// onTerminal starts the program with a terminal as its stdout, and returns the
// lines that appear on it. Its log goes to a buffer.
func onTerminal(t *testing.T, args ...string) (cmd *exec.Cmd, lines <-chan string, log *lockedBuffer) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*patience)
	cmd, log = exec.CommandContext(ctx, "sightline", args...), &lockedBuffer{}
	cmd.Stdout, cmd.Stderr = tty, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = tty.Close()
	seen := make(chan string, 1000)
	go func() {
		defer close(seen)
		for lines := bufio.NewScanner(master); lines.Scan(); {
			seen <- strings.TrimRight(lines.Text(), "\r")
		}
	}()
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		_ = master.Close()
		for range seen { // until the reader has ended
		}
	})
	return cmd, seen, log
}

// await returns the groups of the first line that matches.
func await(t *testing.T, lines <-chan string, pattern string) (m []string, before string) {
	t.Helper()
	re := regexp.MustCompile(pattern)
	var all []string
	for line := range lines {
		if m := re.FindStringSubmatch(line); m != nil {
			return m, strings.Join(all, "\n")
		}
		all = append(all, line)
	}
	t.Fatalf("no line matches %s:\n%s", pattern, strings.Join(all, "\n"))
	return nil, ""
}

func TestCamera_AtATerminalPairsItsFirstOwner(t *testing.T) {
	dir := t.TempDir()
	state := filepath.Join(dir, "state")
	args := []string{"camera", "--state-dir", state, "--listen", "127.0.0.1:0", "rtsp://127.0.0.1:1/s"}
	cmd, lines, log := onTerminal(t, args...)
	link, before := await(t, lines, `^http://\S+/#peer=[a-z2-7]{52}&pair=([\w-]{22})$`)
	if !strings.Contains(before, "It works once, for 10 minutes.") || !strings.Contains(before, "█") {
		t.Errorf("before the link:\n%s", before)
	}
	watch(t, link[0], filepath.Join(dir, "anna"))
	await(t, lines, `^The owner is now .+\.$`)
	await(t, lines, `^http://\S+/#peer=[a-z2-7]{52}$`)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
	if strings.Contains(log.String(), link[1]) || strings.Contains(log.String(), "█") {
		t.Errorf("the secret is in the log:\n%s", log)
	}

	_, lines, _ = onTerminal(t, args...) // it has its owner now
	if _, before := await(t, lines, `^http://\S+/#peer=[a-z2-7]{52}$`); before != "" {
		t.Errorf("with an owner it says:\n%s", before)
	}
}

func TestCamera_WithoutATerminalTellsHowToPair(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	p := launch(t, "", nil, "camera", "--state-dir", state, "--listen", "127.0.0.1:0", "rtsp://127.0.0.1:1/s")
	want := "This device has no owner yet; to become it run: sightline pair --state-dir " + state
	eventually(t, func() error {
		if !strings.Contains(p.output.String(), want) {
			return fmt.Errorf("it says:\n%s", p.output)
		}
		return nil
	})
	p.stop(t, syscall.SIGTERM)
	if strings.Contains(p.output.String(), "pair=") {
		t.Errorf("a secret is in:\n%s", p.output)
	}
}
