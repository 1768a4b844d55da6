package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/cli"
	"github.com/sightline-cam/sightline/internal/nat/netcheck"
	"github.com/sightline-cam/sightline/signaling"
)

const (
	// agentTime is how long the agent of this device has to answer.
	agentTime = 4 * time.Second
	// maxPairs and maxSessions bound what is printed.
	maxPairs    = 48
	maxSessions = 64
)

// agentReport is what the agent that runs on this device says.
type agentReport struct {
	Running bool          `json:"running"`
	Network *agentNetwork `json:"network"`
	Cameras []agentCamera `json:"cameras"`
	// Problem is why a running agent said nothing.
	Problem string `json:"problem,omitempty"`

	servers []signaling.ICEServer
}

// agentNetwork is the answer to GET /v1/network, as far as it is used here.
type agentNetwork struct {
	UDP        string           `json:"udp"`
	Mapping    string           `json:"mapping"`
	Candidates []agentCandidate `json:"candidates"`
	Sessions   []agentSession   `json:"sessions"`
}

// agentCamera is one of GET /v1/cameras.
type agentCamera struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	State   string `json:"state"` // live, connecting or offline
	Reason  string `json:"reason"`
	Warning string `json:"warning"`
	Codec   string `json:"codec"`
	Width   int    `json:"width"`
	Height  int    `json:"height"`
	Audio   string `json:"audio"`
}

// agentCandidate is an address at which the agent can be reached.
type agentCandidate struct {
	Kind     string `json:"kind"` // host, srflx, mapped or relay
	Address  string `json:"address"`
	Protocol string `json:"protocol"`
	By       string `json:"by"`
}

// agentSession is a viewer, and the way to it.
type agentSession struct {
	Peer       string      `json:"peer"`
	Name       string      `json:"name"`
	Path       string      `json:"path"` // direct or relayed; empty while connecting
	Local      string      `json:"local"`
	Remote     string      `json:"remote"`
	LocalKind  string      `json:"localKind"`
	RemoteKind string      `json:"remoteKind"`
	RTTms      float64     `json:"rttMs"`
	Why        string      `json:"why"`
	Pairs      []agentPair `json:"pairs"`
}

// agentPair is a way that was tried.
type agentPair struct {
	Local     string  `json:"local"`
	Remote    string  `json:"remote"`
	State     string  `json:"state"`
	RTTms     float64 `json:"rttMs"`
	Nominated bool    `json:"nominated"`
}

// askAgent asks the agent that runs with a state folder.
func askAgent(ctx context.Context, stateDir string) agentReport {
	ctx, cancel := context.WithTimeout(ctx, agentTime)
	defer cancel()
	r := agentReport{Running: true, Cameras: []agentCamera{}}
	var (
		wg      sync.WaitGroup
		network agentNetwork
		failed  error
		ice     struct {
			Servers []signaling.ICEServer `json:"servers"`
		}
		list struct {
			Cameras []agentCamera `json:"cameras"`
		}
	)
	wg.Go(func() { failed = cli.AskAgent(ctx, stateDir, "/v1/network", &network) })
	wg.Go(func() {
		if cli.AskAgent(ctx, stateDir, "/v1/ice", &ice) == nil {
			r.servers = ice.Servers
		}
	})
	wg.Go(func() {
		if cli.AskAgent(ctx, stateDir, "/v1/cameras", &list) == nil {
			r.Cameras = list.Cameras
		}
	})
	wg.Wait()
	if failed != nil {
		r.Problem = failed.Error()
		return r
	}
	r.Network = &network
	return r
}

// explain says how the agent can be reached.
func (r *agentReport) explain() []netcheck.Finding {
	switch {
	case !r.Running:
		return nil
	case r.Network == nil:
		return []netcheck.Finding{{Level: netcheck.Note, Topic: "Running", Text: "It runs, but says nothing of its network: " + r.Problem + "."}}
	}
	f := netcheck.Finding{Level: netcheck.OK, Topic: "Running"}
	var rows [][]string
	for _, c := range r.Network.Candidates {
		how := kindName(c.Kind)
		if c.By != "" {
			how += ", by " + strings.ToUpper(c.By)
		}
		rows = append(rows, []string{c.Address, strings.ToUpper(c.Protocol), how})
	}
	f.Text = "It runs. Viewers are told to try these addresses:"
	if len(rows) == 0 {
		f.Level, f.Text = netcheck.Note, "It runs, and has no address yet at which it could be reached."
	}
	f.Details = table(rows)
	return []netcheck.Finding{f}
}

// shows reports whether the agent has a live camera of that name.
func (r *agentReport) shows(name string) bool {
	return slices.ContainsFunc(r.Cameras, func(c agentCamera) bool { return c.Name == name && c.State == "live" })
}

// explainCameras says how the cameras are that the agent publishes.
func (r *agentReport) explainCameras() []netcheck.Finding {
	var out []netcheck.Finding
	for _, c := range r.Cameras {
		f := netcheck.Finding{Level: netcheck.OK, Topic: c.Name}
		switch c.State {
		case "live":
			f.Text = "Live"
			if c.Codec != "" {
				f.Text += ", " + picture(c.Codec, c.Width, c.Height, c.Audio)
			}
			f.Text += "."
		case "connecting":
			f.Level, f.Text = netcheck.Note, "The agent is connecting to it."
		default:
			f.Level, f.Text = netcheck.Problem, sentence(c.Reason)
		}
		if c.Warning != "" {
			if f.Level == netcheck.OK {
				f.Level = netcheck.Note
			}
			f.Text += " " + sentence(c.Warning)
		}
		out = append(out, f)
	}
	return out
}

// kindName is what a kind of candidate means.
func kindName(kind string) string {
	switch kind {
	case "host":
		return "its own"
	case "srflx":
		return "as the internet sees it"
	case "prflx":
		return "found while connecting"
	case "mapped":
		return "a port that the router opened"
	case "relay":
		return "the relay's"
	}
	return kind
}

// explainSessions says for each viewer which way it is reached, what was tried,
// and why this way won.
func (r *agentReport) explainSessions() []netcheck.Finding {
	if r.Network == nil {
		return nil
	}
	var out []netcheck.Finding
	for i := range r.Network.Sessions {
		if i == maxSessions {
			out = append(out, netcheck.Finding{Level: netcheck.Note, Topic: "More",
				Text: fmt.Sprintf("%d more sessions; --json has them all.", len(r.Network.Sessions)-maxSessions)})
			break
		}
		out = append(out, r.Network.Sessions[i].explain())
	}
	return out
}

func (s *agentSession) explain() netcheck.Finding {
	f := netcheck.Finding{Level: netcheck.OK, Topic: s.Name}
	if f.Topic == "" {
		f.Topic = short(s.Peer)
	}
	switch s.Path {
	case "direct":
		f.Text = "Direct."
	case "relayed":
		f.Level, f.Text = netcheck.Note, "Through the relay."
	default:
		f.Level, f.Text = netcheck.Note, "Not connected."
	}
	if s.Why != "" {
		f.Text = sentence(s.Why)
	}
	if s.RTTms > 0 {
		f.Text += fmt.Sprintf(" %.0f ms there and back.", s.RTTms)
	}
	pairs := s.Pairs
	if len(pairs) == 0 && s.Local != "" {
		pairs = []agentPair{{Local: s.LocalKind + " " + s.Local, Remote: s.RemoteKind + " " + s.Remote, State: "answered", RTTms: s.RTTms, Nominated: true}}
	}
	var rows [][]string
	for i, p := range pairs {
		if i == maxPairs {
			rows = append(rows, []string{"", fmt.Sprintf("and %d more", len(pairs)-maxPairs)})
			break
		}
		rows = append(rows, p.row())
	}
	f.Details = table(rows)
	return f
}

// row is what a table shows of a pair.
func (p *agentPair) row() []string {
	mark, state, took := "", p.State, ""
	switch p.State {
	case "answered":
		state = "works"
	case "checking":
		state = "being tried"
	case "waiting":
		state = "not tried yet"
	}
	if p.Nominated {
		mark, state = "*", "chosen"
	}
	if p.RTTms > 0 {
		took = fmt.Sprintf("%.0f ms", p.RTTms)
	}
	return []string{mark, inWords(p.Local), "to", inWords(p.Remote), state, took}
}

// inWords replaces the kind of a candidate in front of its address.
func inWords(candidate string) string {
	kind, address, ok := strings.Cut(candidate, " ")
	if !ok {
		return candidate
	}
	words := map[string]string{"host": "own", "srflx": "public", "prflx": "public", "mapped": "opened", "relay": "relay"}
	if word := words[kind]; word != "" {
		kind = word
	}
	return kind + " " + address
}

// short returns the beginning of a peer's id.
func short(peer string) string {
	const enough = 8
	if len(peer) > enough {
		return peer[:enough] + "…"
	}
	return peer
}

// table aligns rows in columns.
func table(rows [][]string) []string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	lines := make([]string, len(rows))
	for i, row := range rows {
		var b strings.Builder
		for j, cell := range row {
			if widths[j] > 0 {
				fmt.Fprintf(&b, "%-*s  ", widths[j], cell)
			}
		}
		lines[i] = strings.TrimRight(b.String(), " ")
	}
	return lines
}
