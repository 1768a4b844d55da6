package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait; a busy machine may need some of it.
const patience = time.Minute

// process is the program, running.
type process struct {
	cmd    *exec.Cmd
	link   string // http://host:port/#peer=…
	base   string // http://host:port
	output *lockedBuffer
	read   sync.WaitGroup // whoever reads its stdout
}

// lockedBuffer is a bytes.Buffer for several goroutines.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// launch starts the program and waits for its link. It runs until it is stopped, or
// the test ends.
func launch(t *testing.T, stdin string, env []string, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p := &process{cmd: exec.CommandContext(ctx, "sightline", args...), output: &lockedBuffer{}}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdin = strings.NewReader(stdin)
	p.cmd.Stderr = p.output
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		p.read.Wait()
		_ = p.cmd.Wait()
	})
	late := time.AfterFunc(patience, cancel)
	defer late.Stop()
	link := regexp.MustCompile(`(http://[0-9.:]+)/#peer=[a-z2-7]{52}`)
	for lines := bufio.NewScanner(io.TeeReader(stdout, p.output)); lines.Scan(); {
		if m := link.FindStringSubmatch(lines.Text()); m != nil {
			p.link, p.base = m[0], m[1]
			p.read.Go(func() { _, _ = io.Copy(p.output, stdout) })
			return p
		}
	}
	t.Fatalf("no link:\n%s", p.output)
	return nil
}

// stop ends the program by a signal. If it does not end it says where it hangs.
func (p *process) stop(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	hangs := time.AfterFunc(patience, func() {
		t.Errorf("it did not end within %v of %v; its goroutines follow", patience, s)
		_ = p.cmd.Process.Signal(syscall.SIGQUIT) // prints them
	})
	defer hangs.Stop()
	p.read.Wait()
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("ended with %v:\n%s", err, p.output)
	}
}

func (p *process) get(t *testing.T, path string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v", path, res.Status, err)
	}
	return string(body)
}

// lockedCamera is an RTSP server that lets nobody in. asked is closed once
// somebody came with credentials.
func lockedCamera(t *testing.T) (address string, asked <-chan struct{}) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	came := make(chan struct{})
	once := sync.OnceFunc(func() { close(came) })
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(patience))
				refuse(c, once)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
	})
	return l.Addr().String(), came
}

func refuse(c net.Conn, came func()) {
	cseq := ""
	for lines := bufio.NewScanner(c); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		switch strings.ToLower(name) {
		case "cseq":
			cseq = strings.TrimSpace(value)
		case "authorization":
			came()
		case "":
			fmt.Fprintf(c, "RTSP/1.0 401 Unauthorized\r\nCSeq: %s\r\nWWW-Authenticate: Basic realm=\"camera\"\r\n\r\n", cseq)
		}
	}
}

func TestCamera_PasswordIsPrintedNowhere(t *testing.T) {
	const secret, escaped = "s3cr3t!wörd", "s3cr3t%21w%C3%B6rd"
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		stdin, user string
		env, args   []string
	}{
		"URL":      {user: "admin:" + escaped},
		"file":     {user: "admin", args: []string{"--password-file", file}},
		"named":    {user: "admin", env: []string{"CAM_PW=" + secret}, args: []string{"--password-env", "CAM_PW"}},
		"variable": {user: "admin", env: []string{"SIGHTLINE_PASSWORD=" + secret}},
		"stdin":    {user: "admin", stdin: secret + "\n", args: []string{"--password-stdin"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			address, asked := lockedCamera(t)
			args := append([]string{"camera", "--state-dir", t.TempDir(), "--listen", "127.0.0.1:0", "--open", "--name", "cam",
				"--log-level", "debug", "rtsp://" + tt.user + "@" + address + "/s"}, tt.args...)
			p := launch(t, tt.stdin, tt.env, args...)
			select {
			case <-asked:
			case <-time.After(patience):
				t.Fatalf("the camera was not asked:\n%s", p.output)
			}
			shown := p.get(t, "/v1/cameras") + p.get(t, "/metrics")
			if runtime.GOOS == "linux" {
				line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.cmd.Process.Pid))
				if err != nil || !bytes.Contains(line, []byte("rtsp://admin")) {
					t.Fatalf("%q %v", line, err)
				}
				shown += string(line)
			}
			p.stop(t, syscall.SIGTERM)
			shown += p.output.String()
			for _, s := range []string{secret, escaped, "s3cr3t", "YWRtaW46"} {
				if strings.Contains(shown, s) {
					t.Errorf("%q shows in:\n%s", s, shown)
				}
			}
		})
	}
}

func TestDemo_SaysTwoLinesAndLeavesNothing(t *testing.T) {
	temp := t.TempDir()
	p := launch(t, "", []string{"TMPDIR=" + temp}, "demo", "--listen", "127.0.0.1:0")
	if body := p.get(t, "/"); !strings.Contains(body, "<html") {
		t.Errorf("no page: %.200s", body)
	}
	if body := p.get(t, "/v1/cameras"); !strings.Contains(body, `"testPattern":true`) {
		t.Errorf("cameras: %s", body)
	}
	out := filepath.Join(temp, "out.h264")
	view := &process{output: &lockedBuffer{}}
	view.cmd = exec.CommandContext(t.Context(), "sightline", "view", p.link, "--state-dir", filepath.Join(temp, "viewer"), "-o", out)
	view.cmd.Stdout, view.cmd.Stderr = view.output, view.output
	if err := view.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		info, err := os.Stat(out)
		if err == nil && info.Size() == 0 {
			err = fmt.Errorf("no video yet: %s", view.output)
		}
		return err
	})
	view.stop(t, os.Interrupt)
	video, err := os.ReadFile(out)
	if err != nil || !bytes.HasPrefix(video, []byte{0, 0, 0, 1, 0x67}) {
		t.Errorf("%d bytes of video that do not begin with a parameter set: %v", len(video), err)
	}
	p.stop(t, os.Interrupt)
	if n := strings.Count(p.output.String(), "\n"); n != 2 {
		t.Errorf("%d lines:\n%s", n, p.output)
	}
	left, err := filepath.Glob(filepath.Join(temp, "sightline-demo-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestDemo_TakesAFreePortWhenTheUsualOneIsTaken(t *testing.T) {
	for {
		l, err := net.Listen("tcp", demoListen) // else somebody else has it: as good
		p := launch(t, "", nil, "demo")
		p.stop(t, syscall.SIGTERM)
		if err == nil {
			_ = l.Close()
		}
		switch took := p.base == "http://"+demoListen; {
		case !took:
			return
		case err == nil:
			t.Fatalf("it says %s", p.base)
		}
		// Whoever had it has given it back in between.
	}
}

func TestSignal_ServesThePageAndEnds(t *testing.T) {
	c := exec.CommandContext(t.Context(), "sightline", "signal", "--listen", "127.0.0.1:0")
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() {
		t.Fatal("it says nothing")
	}
	_, base, _ := strings.Cut(lines.Text(), " at ")
	p := &process{cmd: c, base: base, output: &lockedBuffer{}}
	if body := p.get(t, "/"); !strings.Contains(body, "<html") {
		t.Errorf("no page: %.200s", body)
	}
	p.get(t, "/healthz")
	p.stop(t, syscall.SIGTERM)
}
