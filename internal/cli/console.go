package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/sightline-cam/sightline/internal/config"
)

// ConsoleSocket is the name of the running agent's Unix socket in the state
// folder.
const ConsoleSocket = "agent.sock"

const (
	consoleTimeout   = 30 * time.Second
	runningTimeout   = 5 * time.Second // the system answers for the agent
	maxConsoleAnswer = 4 << 20         // bytes
)

// console talks to the agent that runs on this device, through its Unix socket.
type console struct {
	path string
	http *http.Client
}

// openConsole returns the console of the agent that uses a state folder; "" is
// the default one. It does no I/O.
func openConsole(stateDir string) (*console, error) {
	dir, err := StateFolder(stateDir)
	if err != nil {
		return nil, err
	}
	c := &console{path: filepath.Join(dir, ConsoleSocket)}
	c.http = &http.Client{
		Timeout: consoleTimeout,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "unix", c.path)
			},
		},
	}
	return c, nil
}

// StateFolder returns the folder to use for a --state-dir; "" is the default one.
func StateFolder(given string) (string, error) {
	if given != "" {
		return given, nil
	}
	return config.DefaultStateDir()
}

// AgentRuns reports whether an agent runs with a state folder.
func AgentRuns(ctx context.Context, stateDir string) bool {
	c, err := openConsole(stateDir)
	if err != nil {
		return false
	}
	if c.running(ctx) {
		return true
	}
	// One without a socket has the folder locked all the same.
	f, err := os.Open(filepath.Join(filepath.Dir(c.path), KeyFile))
	if err != nil {
		return false
	}
	defer f.Close() //nolint:errcheck // only read
	return held(f)
}

// AskAgent gets a path of the API of the agent that runs with a state folder, into
// out. It is for reading only.
func AskAgent(ctx context.Context, stateDir, path string, out any) error {
	c, err := openConsole(stateDir)
	if err != nil {
		return err
	}
	return c.call(ctx, http.MethodGet, path, nil, out)
}

// running reports whether an agent answers.
func (c *console) running(ctx context.Context) bool {
	conn, err := (&net.Dialer{Timeout: runningTimeout}).DialContext(ctx, "unix", c.path)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// consoleError is a refusal of the agent.
type consoleError struct {
	// Code is the API's, for programs; Message is for people.
	Code, Message string
}

// Error implements error.
func (e *consoleError) Error() string { return e.Message }

// call sends a request to the agent; in and out may be nil. The error is a
// *consoleError if the agent refused.
func (c *console) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://localhost"+path, body)
	if err != nil {
		return err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return c.explain(ctx, err)
	}
	defer res.Body.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(io.LimitReader(res.Body, maxConsoleAnswer))
	if err != nil {
		return fmt.Errorf("read the agent's answer: %w", err)
	}
	if res.StatusCode >= http.StatusMultipleChoices {
		var refused struct {
			Error consoleError `json:"error"`
		}
		if json.Unmarshal(text, &refused) != nil || refused.Error.Message == "" {
			return fmt.Errorf("the agent answers %s; is it of another version?", res.Status)
		}
		refused.Error.Message = printable(refused.Error.Message)
		return &refused.Error
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("the agent's answer makes no sense; is it of another version? %w", err)
	}
	return nil
}

// explain says why the agent cannot be reached.
func (c *console) explain(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no agent runs with the state folder %s; start it with sightline camera, or name its folder with --state-dir", filepath.Dir(c.path))
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("the agent with the state folder %s belongs to another user; run this as that user, or as root", filepath.Dir(c.path))
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return fmt.Errorf("the agent closed the connection; run this as the user whom it runs as, or as root, and see its log")
	}
	return fmt.Errorf("talk to the agent: %w", err)
}
