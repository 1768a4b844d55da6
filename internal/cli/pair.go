package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Pair is the pair command: the link that makes its opener the owner.
type Pair struct {
	Reset    bool   `help:"Forget all owners, guests and invites first. The device must be paired anew; its access log stays." env:"-"`
	StateDir string `help:"Folder of the running agent. Default ~/.local/state/sightline." placeholder:"DIR"`
}

// watchEvery is how often the agent is asked whether somebody paired.
const watchEvery = time.Second

// pairing is what the agent says about a pairing that it opened.
type pairing struct {
	Peer    string `json:"peer"`
	Page    string `json:"page"`
	Secret  string `json:"secret"`
	Expires string `json:"expires"`
}

// Run prints the link. At a terminal it waits until the link was used.
func (c *Pair) Run(ctx context.Context, p *Process) error {
	con, err := openConsole(c.StateDir)
	if err != nil {
		return err
	}
	return pairAt(ctx, p, con, c.Reset)
}

// errNoPage says that there is nothing to open a link with.
var errNoPage = errors.New("this agent has no page of its own and no signaling server, so no link leads to it; start it with --signal, or use the program sightline")

// pairAt opens the pairing and says how to use it.
func pairAt(ctx context.Context, p *Process, con *console, reset bool) error {
	var opened pairing
	err := con.call(ctx, http.MethodPost, "/v1/console/pair", struct {
		Reset bool `json:"reset"`
	}{reset}, &opened)
	if err != nil {
		return err
	}
	if opened.Page == "" {
		return errNoPage
	}
	expires, err := time.Parse(time.RFC3339, opened.Expires)
	if err != nil {
		return fmt.Errorf("the agent's answer makes no sense; is it of another version? %w", err)
	}
	p.sayLink("Open this link on the device that is to own the camera. It works once, for 10 minutes.",
		secretLink(opened.Page, opened.Peer, "pair", opened.Secret))
	if !p.ToTerminal() {
		return nil
	}
	return awaitOwner(ctx, p, con, time.Until(expires))
}

// secretLink is a link to a peer with a secret. The secret stands behind the #,
// where no server sees it.
func secretLink(page, peer, kind, secret string) string {
	return page + "/#peer=" + peer + "&" + kind + "=" + secret
}

// awaitOwner waits until there is an owner and says who it is.
func awaitOwner(ctx context.Context, p *Process, con *console, patience time.Duration) error {
	end := time.NewTimer(patience)
	defer end.Stop()
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end.C:
			return fmt.Errorf("nobody opened the link in time; run %s pair for a new one", p.Name)
		case <-tick.C:
		}
		state, err := con.access(ctx)
		if err != nil {
			return err
		}
		if len(state.Owners) > 0 {
			p.Say("\nThe owner is now %s.", person(state.Owners[0].Name, state.Owners[0].Device, state.Owners[0].ID))
			return nil
		}
	}
}
