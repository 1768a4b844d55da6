// Command attackpeer is a viewer made of the viewer library, for attacks on
// viewers: one process with one key that opens several sessions, as an app does.
// It takes commands from stdin and writes what happens to stdout, each a line of
// JSON, and ends when stdin does.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/viewer"
)

// command is a line of stdin.
type command struct {
	// Do is dial, cameras, picture or close.
	Do string `json:"do"`
	// Session is the caller's name for a session.
	Session string `json:"session"`
	// Signal and Peer say where to dial.
	Signal string        `json:"signal"`
	Peer   viewer.PeerID `json:"peer"`
	// TimeoutMs bounds dialling and waiting for a picture.
	TimeoutMs int64 `json:"timeoutMs"`
	// NoPicture dials without media.
	NoPicture bool `json:"noPicture"`
}

// event is a line of stdout.
type event struct {
	// Event is ready, ignored, or what became of a command: done or failed.
	Event   string        `json:"event"`
	Do      string        `json:"do,omitempty"`
	Session string        `json:"session,omitempty"`
	Peer    viewer.PeerID `json:"peer,omitempty"`
	// Error and Check say what was refused, and by which check.
	Error string     `json:"error,omitempty"`
	Check check.Name `json:"check,omitempty"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdin, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "attackpeer:", err)
		os.Exit(1)
	}
}

// run obeys commands until in or ctx ends.
func run(ctx context.Context, in io.Reader, out io.Writer) error {
	id, err := viewer.NewIdentity()
	if err != nil {
		return err
	}
	p := &phone{id: id, out: json.NewEncoder(out), sessions: map[string]*viewer.Session{}}
	p.say(event{Event: "ready", Peer: id.PeerID()})
	lines := make(chan []byte)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(in); s.Scan(); {
			lines <- append([]byte(nil), s.Bytes()...)
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer func() { //nolint:contextcheck // sessions say goodbye after the end of ctx
		cancel()
		wg.Wait()
		p.closeAll()
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case line, ok := <-lines:
			if !ok {
				return nil
			}
			var c command
			if err := json.Unmarshal(line, &c); err != nil {
				return fmt.Errorf("read a command: %w", err)
			}
			wg.Go(func() { p.obey(ctx, c) })
		}
	}
}

// timeout bounds what a command may take.
func (c *command) timeout() time.Duration {
	if c.TimeoutMs <= 0 {
		return 15 * time.Second
	}
	return time.Duration(c.TimeoutMs) * time.Millisecond
}
