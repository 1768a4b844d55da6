package cli

import (
	"context"
	"net/http"
	"time"
)

// Token is the token command: lets a WHEP player watch for some minutes.
type Token struct {
	Camera   string `arg:"" help:"Id of the camera."`
	StateDir string `help:"Folder of the running agent. Default ~/.local/state/sightline." placeholder:"DIR"`
}

// Run prints the address and the token.
func (c *Token) Run(ctx context.Context, p *Process) error {
	con, err := openConsole(c.StateDir)
	if err != nil {
		return err
	}
	var made struct {
		Token   string `json:"token"`
		URL     string `json:"url"`
		Expires string `json:"expires"`
	}
	if err := con.call(ctx, http.MethodPost, "/v1/whep-tokens", struct {
		Camera string `json:"camera"`
	}{c.Camera}, &made); err != nil {
		return err
	}
	p.Say("URL: %s", made.URL)
	p.Say("Token: %s", made.Token)
	if t, err := time.Parse(time.RFC3339, made.Expires); err == nil && p.ToTerminal() {
		p.Say("It opens sessions until %s; whoever has it may watch.", t.Local().Format("15:04"))
	}
	return nil
}
