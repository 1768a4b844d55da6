package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// keep waits with a secret among its arguments.
//
//go:noinline
func keep(secret [16]byte, until <-chan struct{}) byte {
	<-until
	return secret[0]
}

// A command that hangs at its end is ended, and says where it hangs.
func TestProcess_SaysWhereItHangsWhenItDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		p := &Process{Name: "sightline", Stderr: &log}
		ctx, cancel := context.WithCancel(t.Context())
		hung := make(chan struct{})
		defer close(hung)
		go keep([16]byte{0xAB, 0xCD, 0xEF}, hung)
		ended := make(chan int, 1)
		go p.endInTime(ctx, func(code int) { ended <- code })
		time.Sleep(time.Hour) //nolint:forbidigo // virtual time
		if len(ended) > 0 {
			t.Fatal("it was ended, and nobody told it to end")
		}
		start := time.Now()
		cancel()
		code := <-ended
		if took := time.Since(start); code != exitFailed || took != lastSecond {
			t.Errorf("ended with %d after %v", code, took)
		}
		if said := log.String(); !strings.HasPrefix(said, "sightline: still not ended") || !strings.Contains(said, "TestProcess_SaysWhereItHangs") ||
			!strings.Contains(said, "cli.keep(…)") || strings.Contains(said, "(0x") || strings.Contains(said, "0xab") {
			t.Errorf("it says %.500s", said)
		}
	})
}
