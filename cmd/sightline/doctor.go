package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/sightline-cam/sightline/internal/cli"
	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/internal/nat/netcheck"
	"github.com/sightline-cam/sightline/internal/nat/portmap"
	"github.com/sightline-cam/sightline/signaling"
)

// Together these bound a run: servers are asked for first, then the network is
// examined with them; cameras and the router meanwhile. The network takes 4 s when
// everything is blocked. It takes longer only where somebody answers and then goes
// silent, which may be this machine being busy: that is no reason to say that
// something does not work.
const (
	introduceTime = 4 * time.Second
	examineTime   = 15 * time.Second
	doctorTime    = introduceTime + examineTime
	lookTime      = 10 * time.Second
)

// doctorCommand says what works and what does not, and what to do.
type doctorCommand struct {
	URL       []string  `arg:"" optional:"" help:"Address of a camera to look at: rtsp://…, rtsps://…, or a device of this machine, /dev/video0; several may follow." placeholder:"rtsp://…"`
	Config    string    `help:"Look at the cameras of this YAML file, and use its settings." placeholder:"FILE"`
	Signal    string    `help:"Signaling server to examine, and to get STUN servers and relays from." placeholder:"wss://HOST"`
	STUN      []string  `name:"stun" help:"STUN server to ask; may be repeated." sep:"none" placeholder:"HOST:PORT"`
	StateDir  string    `help:"Folder of the agent whose sessions to explain. Default ~/.local/state/sightline." placeholder:"DIR"`
	NoPortMap bool      `help:"Do not ask the router to open a port."`
	JSON      bool      `name:"json" help:"Print a report for programs."`
	Login     cli.Login `embed:""`
}

// Run implements the command. The error says that something does not work.
func (c *doctorCommand) Run(ctx context.Context, p *cli.Process) error {
	cfg, err := c.settings(ctx, p)
	if err != nil {
		return err
	}
	if p.ToTerminal() && !c.JSON {
		fmt.Fprintln(p.Stderr, "Looking; this takes a few seconds.")
	}
	r := examine(ctx, cfg)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return r.print(p.Stdout, c.JSON)
}

// settings returns what is to be examined: cameras, servers, the state folder.
func (c *doctorCommand) settings(ctx context.Context, p *cli.Process) (*config.Config, error) {
	stun, err := c.stunURLs()
	if err != nil {
		return nil, err
	}
	cfg := &config.Config{Signal: c.Signal, Network: config.Network{STUN: stun, NoPortMap: c.NoPortMap}}
	if len(c.URL) > 0 || c.Config != "" {
		camera := cli.Camera{URL: c.URL, Config: c.Config, Login: c.Login, Network: cli.Network{STUN: stun, NoPortMap: c.NoPortMap}}
		camera.Address.Signal, camera.Address.StateDir = c.Signal, c.StateDir
		if cfg, err = camera.Settings(ctx, p); err != nil {
			return nil, err
		}
	}
	if c.StateDir != "" || cfg.StateDir == "" {
		if cfg.StateDir, err = cli.StateFolder(c.StateDir); err != nil {
			return nil, err
		}
	}
	return cfg, nil
}

// stunURLs returns the STUN servers of the command line.
func (c *doctorCommand) stunURLs() (urls []string, err error) {
	for _, text := range c.STUN {
		url := text
		if !strings.HasPrefix(url, "stun:") {
			url = "stun:" + url
		}
		if err := netcheck.ValidateURL(url); err != nil {
			return nil, fmt.Errorf("--stun %s: %w", netcheck.Printable(text), err)
		}
		urls = append(urls, url)
	}
	return urls, nil
}

// doctorReport is all that was found out.
type doctorReport struct {
	OK      bool            `json:"ok"`
	Verdict string          `json:"verdict"`
	Network netcheck.Report `json:"network"`
	// Registration is nil without a signaling service.
	Registration *registration `json:"registration"`
	Cameras      []cli.Look    `json:"cameras"`
	Agent        agentReport   `json:"agent"`
	// Findings are the same in sentences.
	Findings []sectionFindings `json:"findings"`
}

// sectionFindings is a netcheck.Section for programs.
type sectionFindings struct {
	Section  string             `json:"section"`
	Findings []netcheck.Finding `json:"findings"`
}

// examine finds everything out, as much as possible at the same time.
func examine(ctx context.Context, cfg *config.Config) *doctorReport {
	ctx, cancel := context.WithTimeout(ctx, doctorTime)
	defer cancel()
	r := &doctorReport{Cameras: []cli.Look{}}
	var everything sync.WaitGroup
	everything.Go(func() {
		looking, cancel := context.WithTimeout(ctx, lookTime)
		defer cancel()
		r.Cameras = cli.LookAt(looking, cfg.Cameras)
	})
	o := netcheck.Options{Signal: cfg.Signal, Timeout: examineTime}
	if !cfg.Network.NoPortMap {
		answer := make(chan *portmap.Report, 1)
		everything.Go(func() { answer <- askRouter(ctx) })
		o.PortMap = func(context.Context) *portmap.Report { return <-answer }
	}
	var offers sync.WaitGroup
	running := cli.AgentRuns(ctx, cfg.StateDir)
	offers.Go(func() {
		if running {
			r.Agent = askAgent(ctx, cfg.StateDir)
		}
	})
	if cfg.Signal != "" {
		offers.Go(func() {
			key := filepath.Join(cfg.StateDir, cli.KeyFile)
			if running {
				key = "" // it is registered with it, and would be thrown out
			}
			r.Registration = introduce(ctx, cfg.Signal, key)
		})
	}
	offers.Wait()
	for _, url := range cfg.Network.STUN {
		o.Servers = append(o.Servers, signaling.ICEServer{URLs: []string{url}})
	}
	if r.Registration != nil {
		o.Servers = append(o.Servers, r.Registration.servers...)
	}
	o.Servers = append(o.Servers, r.Agent.servers...)
	r.Network = netcheck.Check(ctx, o)
	everything.Wait()
	r.conclude()
	return r
}

// askRouter asks the router for a port that leads to a socket made for that.
func askRouter(ctx context.Context) *portmap.Report {
	conn, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp4", ":0")
	if err != nil {
		return nil
	}
	defer conn.Close() //nolint:errcheck // nothing was sent
	local, ok := conn.LocalAddr().(*net.UDPAddr)
	if !ok {
		return nil
	}
	report, err := portmap.Probe(ctx, portmap.Options{Port: local.AddrPort().Port()})
	if err != nil && report.Problem == "" {
		report.Problem = "The router did not answer in time."
	}
	return &report
}

// conclude draws sentences from what was found.
func (r *doctorReport) conclude() {
	r.OK, r.Verdict = true, r.Network.Verdict()
	for _, s := range r.sections() {
		for _, f := range s.Findings {
			r.OK = r.OK && f.Level != netcheck.Problem
		}
		if len(s.Findings) > 0 {
			r.Findings = append(r.Findings, sectionFindings{s.Title, s.Findings})
		}
	}
}

// sections returns the findings in the order in which they are printed.
func (r *doctorReport) sections() []netcheck.Section {
	all := []netcheck.Section{{Title: "Network", Findings: r.Network.Explain()}}
	if s := r.Network.Signal; s != nil {
		all = append(all, netcheck.Section{Title: "Signaling", Findings: append(s.Explain(), r.Registration.explain(s)...)})
	}
	return append(all,
		netcheck.Section{Title: "Cameras", Findings: append(r.explainLooks(), r.Agent.explainCameras()...)},
		netcheck.Section{Title: "Agent", Findings: r.Agent.explain()},
		netcheck.Section{Title: "Sessions", Findings: r.Agent.explainSessions()})
}

// print writes the report. The error counts what does not work.
func (r *doctorReport) print(w io.Writer, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		if err := enc.Encode(r); err != nil {
			return fmt.Errorf("print the report: %w", err)
		}
	} else if err := netcheck.WriteText(w, r.Verdict, r.sections()); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	broken := 0
	for _, s := range r.Findings {
		for _, f := range s.Findings {
			if f.Level == netcheck.Problem {
				broken++
			}
		}
	}
	switch broken {
	case 0:
		return nil
	case 1:
		return errors.New("one thing does not work; see above")
	}
	return fmt.Errorf("%d things do not work; see above", broken)
}

// explainLooks says what the cameras showed.
func (r *doctorReport) explainLooks() []netcheck.Finding {
	var out []netcheck.Finding
	for i := range r.Cameras {
		l := &r.Cameras[i]
		if l.Busy && r.Agent.shows(l.Camera) {
			continue // by the agent, which says below how it goes
		}
		out = append(out, explainLook(l))
	}
	return out
}

func explainLook(l *cli.Look) netcheck.Finding {
	f := netcheck.Finding{Level: netcheck.OK, Topic: l.Camera}
	if l.Second {
		f.Topic += " (2nd)"
	}
	if l.Problem != "" {
		f.Level, f.Text = netcheck.Problem, sentence(l.Problem)
		return f
	}
	f.Text = fmt.Sprintf("%s from %s; the first picture came after %.1f s.", picture(l.Codec, l.Width, l.Height, l.Audio), l.Address, float64(l.PictureMs)/1000)
	if l.Codec == "H.265" {
		f.Level, f.Advice = netcheck.Note, "Set the camera, or its second stream, to H.264: few browsers show H.265 live."
	}
	for _, w := range l.Warnings {
		f.Level = netcheck.Note
		f.Text += " " + sentence(w)
	}
	return f
}

// picture names what a camera sends.
func picture(codec string, width, height int, audio string) string {
	if width > 0 {
		codec += fmt.Sprintf(" of %d×%d", width, height)
	}
	if audio != "" {
		codec += " with " + audio + " sound"
	}
	return codec
}

// sentence gives a text a capital letter and a full stop.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	_, first := utf8.DecodeRuneInString(text)
	return strings.ToUpper(text[:first]) + strings.TrimSuffix(text[first:], ".") + "."
}
