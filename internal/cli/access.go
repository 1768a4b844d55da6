package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/accesslog"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/trust"
)

// Access is the access command: who may do what at the agent of this device.
type Access struct {
	List   AccessList   `cmd:"" help:"List owners, guests and invites that wait."`
	Revoke AccessRevoke `cmd:"" help:"Take access back on this device."`
	Log    AccessLog    `cmd:"" help:"Print who came and what was changed."`
}

// accessState is the answer of GET /v1/access.
type accessState struct {
	trust.AccessState
	Publisher string         `json:"publisher"`
	Log       accesslog.Head `json:"log"`
}

// access asks the agent who may do what.
func (c *console) access(ctx context.Context) (accessState, error) {
	var state accessState
	err := c.call(ctx, http.MethodGet, "/v1/access", nil, &state)
	return state, err
}

// AccessList is the access list command.
type AccessList struct {
	JSON     bool   `name:"json" help:"As the agent's API has it." env:"-"`
	StateDir string `help:"Folder of the running agent. Default ~/.local/state/sightline." placeholder:"DIR"`
}

// Run prints who may do what.
func (c *AccessList) Run(ctx context.Context, p *Process) error {
	con, err := openConsole(c.StateDir)
	if err != nil {
		return err
	}
	if c.JSON {
		var answer json.RawMessage
		if err := con.call(ctx, http.MethodGet, "/v1/access", nil, &answer); err != nil {
			return err
		}
		p.Say("%s", answer)
		return nil
	}
	state, err := con.access(ctx)
	if err != nil {
		return err
	}
	for _, line := range describeAccess(state, time.Now(), p.Name) {
		p.Say("%s", line)
	}
	return nil
}

// describeAccess says who may do what, line by line.
func describeAccess(s accessState, now time.Time, program string) []string {
	var lines []string
	section := func(title string) { lines = append(lines, title) }
	add := func(parts ...string) {
		var some []string
		for _, part := range parts {
			if part != "" {
				some = append(some, part)
			}
		}
		lines = append(lines, "  "+strings.Join(some, " · "))
	}
	if len(s.Owners) == 0 {
		section("There is no owner yet; run " + program + " pair.")
	} else {
		section("Owners:")
	}
	for _, o := range s.Owners {
		add(person(o.Name, o.Device, o.ID), string(o.ID))
	}
	for _, o := range s.Pending {
		add(person(o.Name, o.Device, o.ID), "not on the list of the other owners yet", string(o.ID))
	}
	if len(s.Grants) > 0 {
		section("Guests:")
	}
	for _, g := range s.Grants {
		add(person(g.Name, g.Device, g.Peer), rightsText(g.Rights, g.Pass), camerasText(g.Cameras, s.Publisher), untilText(g.Expires, g.Revoked, now), seenText(g.LastSeen), g.ID)
	}
	if len(s.Invites) > 0 {
		section("Invites that wait:")
	}
	for _, i := range s.Invites {
		what := rightsText(i.Rights, i.Pass)
		if i.Owner {
			what = "makes an owner"
		}
		add(person(i.Name, "", ""), what, camerasText(i.Cameras, s.Publisher), "to be opened before "+localTime(i.Expires), i.ID)
	}
	if n := len(s.RevokedHere); n > 0 {
		section("Revoked on this device only:")
	}
	for _, r := range s.RevokedHere {
		add(r.ID)
	}
	if s.Conflict {
		section("Two owners have changed the list without seeing each other's change. What either took away stays away until one of them opens the camera's page.")
	}
	return lines
}

// person names somebody for people to read.
func person(name, device string, id identity.PeerID) string {
	switch {
	case name == "" && device == "" && id == "":
		return "somebody"
	case name == "" && device == "":
		return string(id)
	case name == "":
		return printable(device)
	case device == "":
		return printable(name)
	}
	return printable(name) + " (" + printable(device) + ")"
}

func rightsText(rights []access.Right, pass bool) string {
	var words []string
	for _, r := range rights {
		words = append(words, string(r))
	}
	text := strings.Join(words, ", ")
	if pass {
		text += ", may pass it on"
	}
	return text
}

func camerasText(cameras []string, publisher string) string {
	var words []string
	for _, c := range cameras {
		switch own, ok := strings.CutPrefix(c, publisher+"/"); {
		case c == "*":
			return "all cameras of the home"
		case ok && own == "*":
			words = append(words, "all cameras here")
		case ok:
			words = append(words, own)
		default:
			words = append(words, c)
		}
	}
	return strings.Join(words, ", ")
}

func untilText(expires int64, revoked bool, now time.Time) string {
	switch {
	case revoked:
		return "revoked"
	case expires == 0:
		return "until revoked"
	case now.Unix() >= expires:
		return "expired " + localTime(expires)
	}
	return "until " + localTime(expires)
}

func seenText(last string) string {
	t, err := time.Parse(time.RFC3339, last)
	if err != nil {
		return "never seen"
	}
	return "seen " + t.Local().Format(timeLayout)
}

const timeLayout = "2006-01-02 15:04"

func localTime(unix int64) string { return time.Unix(unix, 0).Local().Format(timeLayout) }

// AccessRevoke is the access revoke command.
type AccessRevoke struct {
	Who      string `arg:"" help:"The name or the id of whoever is to lose access, or the id of a grant or invite."`
	StateDir string `help:"Folder of the running agent. Default ~/.local/state/sightline." placeholder:"DIR"`
}

// Run takes access back on this device. Other devices of the home learn of it
// from an owner only.
func (c *AccessRevoke) Run(ctx context.Context, p *Process) error {
	who := strings.TrimSpace(c.Who)
	if who == "" {
		return errors.New("who is to lose access? give a name or an id; access list shows them")
	}
	con, err := openConsole(c.StateDir)
	if err != nil {
		return err
	}
	if err := con.call(ctx, http.MethodPost, "/v1/console/revoke", struct {
		ID string `json:"id"`
	}{who}, nil); err != nil {
		return fmt.Errorf("%s: %w", printable(who), err)
	}
	p.Say("%s has no access to this device any more. To take it back on all devices, an owner does so in the page.", printable(who))
	return nil
}
