package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far long work is: a bar at a terminal, a line every ten
// seconds elsewhere. Safe for concurrent use.
type progress struct {
	what  string
	bytes bool
	out   io.Writer
	bar   *progressbar.ProgressBar // nil without a terminal

	mu   sync.Mutex // guards what follows
	said time.Time
}

// newProgress shows work on total bytes or, if bytes is false, things. Nothing is
// shown before the first step.
func newProgress(out io.Writer, what string, total int64, bytes bool) *progress {
	p := &progress{what: what, bytes: bytes, out: out, said: time.Now()}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(what),
			progressbar.OptionShowBytes(bytes), progressbar.OptionShowCount(), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true), progressbar.OptionFullWidth())
	}
	return p
}

// set says how far it is.
func (p *progress) set(done, total int64) {
	if p.bar != nil {
		if total != p.bar.GetMax64() {
			p.bar.ChangeMax64(total)
		}
		_ = p.bar.Set64(done) // what cannot be shown is not missed
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.said) < 10*time.Second || total <= 0 {
		return
	}
	p.said = time.Now()
	if p.bytes {
		fmt.Fprintf(p.out, "%s: %d of %d MB\n", p.what, done/1e6, total/1e6)
	} else {
		fmt.Fprintf(p.out, "%s: %d of %d\n", p.what, done, total)
	}
}

// close takes the bar away.
func (p *progress) close() {
	if p.bar != nil {
		_ = p.bar.Finish() // as above
	}
}
