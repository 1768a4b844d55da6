package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/sightline-cam/sightline/internal/accesslog"
	"github.com/sightline-cam/sightline/internal/identity"
)

// AccessLog is the access log command.
type AccessLog struct {
	JSON     bool   `name:"json" help:"The lines as they are kept." env:"-"`
	Verify   bool   `help:"Check that no line was changed or taken out, and print the number and hash of the last one." env:"-"`
	StateDir string `help:"Folder of the running agent. Default ~/.local/state/sightline." placeholder:"DIR"`
}

// logPage is the most lines that the agent sends at once.
const logPage = 500

// logAnswer is the answer of GET /v1/access/log.
type logAnswer struct {
	Lines []string       `json:"lines"`
	Head  accesslog.Head `json:"head"`
	Floor int64          `json:"floor"`
}

// Run prints the log, oldest first.
func (c *AccessLog) Run(ctx context.Context, p *Process) error {
	con, err := openConsole(c.StateDir)
	if err != nil {
		return err
	}
	var at accesslog.Head
	first, idle := true, 0
	for {
		var answer logAnswer
		path := fmt.Sprintf("/v1/access/log?after=%d&limit=%d", at.Seq, logPage)
		if err := con.call(ctx, http.MethodGet, path, nil, &answer); err != nil {
			return err
		}
		if len(answer.Lines) == 0 {
			// A line may have been added between the lines and the head.
			if idle++; at.Seq < answer.Head.Seq && idle < 3 {
				continue
			}
			return c.finish(p, at, answer.Head)
		}
		if first && c.Verify {
			if at, err = beforeFirst(answer.Lines[0]); err != nil {
				return err
			}
			first = false
		}
		if at, err = c.take(p, answer.Lines, at); err != nil {
			return err
		}
	}
}

// beforeFirst returns what the oldest line says came before it: older lines
// have been dropped to make room.
func beforeFirst(line string) (accesslog.Head, error) {
	e, err := logEntry(line)
	return accesslog.Head{Seq: e.Seq - 1, Hash: e.Prev}, err
}

func logEntry(line string) (e accesslog.Entry, err error) {
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		return e, fmt.Errorf("a line of the access log cannot be read; it was damaged or changed: %w", err)
	}
	return e, nil
}

// take prints or checks lines and returns where they end.
func (c *AccessLog) take(p *Process, lines []string, at accesslog.Head) (accesslog.Head, error) {
	if c.Verify {
		next, err := accesslog.Verify(lines, at)
		if err != nil {
			return at, fmt.Errorf("the access log is not what it was: %w", err)
		}
		at = next
	}
	for _, line := range lines {
		e, err := logEntry(line)
		if err != nil {
			return at, err
		}
		if !c.Verify {
			if e.Seq <= at.Seq {
				return at, fmt.Errorf("the access log goes back from line %d to line %d; it was changed", at.Seq, e.Seq)
			}
			at.Seq = e.Seq
		}
		if c.JSON {
			p.Say("%s", line)
		} else if !c.Verify {
			p.Say("%s", describeEntry(e))
		}
	}
	return at, nil
}

func describeEntry(e accesslog.Entry) string {
	parts := []string{e.Time.Local().Format("2006-01-02 15:04:05"), string(e.Kind)}
	if e.Peer != "" || e.Name != "" {
		parts = append(parts, person(e.Name, "", identity.PeerID(e.Peer)))
	}
	for _, part := range []string{e.What, e.From} {
		if part != "" {
			parts = append(parts, printable(part))
		}
	}
	return strings.Join(parts, "  ")
}

// finish compares where the lines end with what the agent says.
func (c *AccessLog) finish(p *Process, at, head accesslog.Head) error {
	if !c.Verify {
		return nil
	}
	if at != head {
		return fmt.Errorf("the access log ends with line %d, and the agent says that it is line %d: lines were cut off", at.Seq, head.Seq)
	}
	if !c.JSON {
		p.Say("The log is whole: line %d, %s", at.Seq, at.Hash)
	}
	return nil
}
