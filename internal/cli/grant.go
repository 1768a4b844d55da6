package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Grant is the grant command: an invite for somebody who is to watch.
type Grant struct {
	Name     string   `help:"Who it is for, as the owners will see it." placeholder:"NAME" env:"-"`
	Right    []string `help:"What they may do: live, playback, talk, ptz, events or admin; several may be given. Default live." sep:"none" placeholder:"RIGHT" env:"-"`
	Camera   []string `help:"Id of a camera they may use; several may be given. Default: all of this device." sep:"none" placeholder:"ID" env:"-"`
	For      string   `help:"How long they may, for example 12h, 30d or 2w. Default: until it is taken back." placeholder:"TIME" env:"-"`
	Pass     bool     `help:"They may pass it on to others, narrowed or as it is." env:"-"`
	StateDir string   `help:"Folder of the running agent. Default ~/.local/state/sightline." placeholder:"DIR"`
}

// Run prints the invite's link.
func (c *Grant) Run(ctx context.Context, p *Process) error {
	if strings.TrimSpace(c.Name) == "" {
		return errors.New("whom is it for? give a --name, for example --name Bob")
	}
	lasts, err := parsePeriod(c.For)
	if err != nil {
		return fmt.Errorf("--for: %w", err)
	}
	con, err := openConsole(c.StateDir)
	if err != nil {
		return err
	}
	state, err := con.access(ctx)
	if err != nil {
		return err
	}
	rights, cameras := listed(c.Right), listed(c.Camera)
	if len(rights) == 0 {
		rights = []string{"live"}
	}
	scope := []string{state.Publisher + "/*"}
	if len(cameras) > 0 {
		scope = nil
		for _, id := range cameras {
			scope = append(scope, state.Publisher+"/"+id)
		}
	}
	var made struct {
		Peer    string `json:"peer"`
		Page    string `json:"page"`
		Invite  string `json:"invite"`
		Expires string `json:"expires"`
	}
	err = con.call(ctx, http.MethodPost, "/v1/console/invites", struct {
		Name    string   `json:"name"`
		Rights  []string `json:"rights"`
		Cameras []string `json:"cameras"`
		Expires int64    `json:"expires"`
		Pass    bool     `json:"pass"`
	}{c.Name, rights, scope, int64(lasts / time.Second), c.Pass}, &made)
	if err != nil {
		return err
	}
	if made.Page == "" {
		return errNoPage
	}
	if t, err := time.Parse(time.RFC3339, made.Expires); err == nil && t.Year() < earliestYear {
		p.complain("warning: the clock of this device cannot be right, it says that the link ends on %s: link and access will be over as soon as the clock is set. Set it, and run this again", t.Format(time.DateOnly))
	}
	p.sayLink(c.what(rights, cameras, made.Expires), secretLink(made.Page, made.Peer, "invite", made.Invite))
	return nil
}

// earliestYear is one that has begun: a clock in an earlier one is wrong.
const earliestYear = 2026

// what says in words what the link is worth.
func (c *Grant) what(rights, cameras []string, expires string) string {
	where, until := "all cameras of this device", "until you take it back"
	if len(cameras) > 0 {
		where = strings.Join(cameras, ", ")
	}
	if c.For != "" {
		until = "for " + c.For
	}
	text := fmt.Sprintf("This link gives %s: %s, at %s, %s.", printable(c.Name), strings.Join(rights, ", "), where, until)
	if t, err := time.Parse(time.RFC3339, expires); err == nil {
		text += " It works once and must be opened before " + t.Local().Format("2006-01-02 15:04") + "."
	}
	return text
}

// listed splits what was given in one flag with commas, or in several.
func listed(values []string) []string {
	var out []string
	for _, v := range values {
		for word := range strings.SplitSeq(v, ",") {
			if word = strings.TrimSpace(word); word != "" && !slices.Contains(out, word) {
				out = append(out, word)
			}
		}
	}
	return out
}

const (
	day = 24 * time.Hour
	// maxPeriod is longer than anything that is meant.
	maxPeriod = 50 * 365 * day
)

// parsePeriod reads "90m", "12h", "30d" or "2w"; "" is 0.
func parsePeriod(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	units := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': day, 'w': 7 * day}
	unit := units[text[len(text)-1]]
	n, err := strconv.ParseUint(text[:len(text)-1], 10, 32)
	if err != nil || unit == 0 || n == 0 || time.Duration(n) > maxPeriod/unit {
		return 0, errors.New("must be a number and a unit of m, h, d or w, at most 50 years, for example 30d")
	}
	return time.Duration(n) * unit, nil
}
