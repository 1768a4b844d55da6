package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"syscall"
	"time"

	"github.com/sightline-cam/sightline/internal/cli"
	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/viewer"
)

// viewCommand watches one camera.
type viewCommand struct {
	Peer     string        `arg:"" optional:"" help:"The agent's id, or the link it printed." placeholder:"ID"`
	PeerFlag string        `name:"peer" help:"The same, as a flag." placeholder:"ID"`
	Signal   string        `help:"Signaling server; not needed with a link." placeholder:"wss://HOST"`
	Camera   string        `help:"Id of the camera. Default: the agent's first." placeholder:"ID"`
	Output   string        `short:"o" help:"File for the video (H.264 or H.265 with start codes); - is stdout." default:"-" placeholder:"FILE"`
	Duration time.Duration `help:"Stop after this time. Default: never." placeholder:"10s"`
	StateDir string        `help:"Folder of this viewer's key. Default ~/.local/state/sightline." placeholder:"DIR"`
	LogLevel string        `help:"Least severe message logged: debug, info, warn or error." default:"warn"`
}

// Run implements the command.
func (c *viewCommand) Run(ctx context.Context, p *cli.Process) (err error) {
	o, err := c.options(p)
	if err != nil {
		return err
	}
	s, err := viewer.Dial(ctx, o)
	if err != nil {
		return explain(err, o.Identity.PeerID())
	}
	defer s.Close() //nolint:errcheck,contextcheck // it has nothing to tell at the end, and says goodbye after ctx
	out := p.Stdout
	if c.Output != "-" {
		f, err := os.Create(c.Output)
		if err != nil {
			return fmt.Errorf("write the video: %w", err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		out = f
	}
	if c.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Duration)
		defer cancel()
	}
	return copyVideo(ctx, s, out)
}

func (c *viewCommand) options(p *cli.Process) (o viewer.Options, err error) {
	var level config.LogLevel
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return o, fmt.Errorf("--log-level: %w", err)
	}
	text, signal := c.Peer, c.Signal
	if text == "" {
		text = c.PeerFlag
	}
	if text == "" {
		return o, errors.New("whom to watch? give the agent's id, or the link it printed")
	}
	if link, err := url.Parse(text); err == nil && link.Host != "" {
		fragment, err := url.ParseQuery(link.Fragment)
		if err != nil || fragment.Get("peer") == "" {
			return o, errors.New("the link names no agent; it ends in #peer= and the agent's id")
		}
		text = fragment.Get("peer")
		if signal == "" {
			signal = signalURL(link)
		}
	}
	if signal == "" {
		return o, errors.New("no signaling server: give its address with --signal, or the link that the agent printed")
	}
	peer, err := viewer.ParsePeerID(text)
	if err != nil {
		return o, fmt.Errorf("the agent's id: %w", err)
	}
	id, err := cli.LoadIdentity(c.StateDir, cli.ViewerKeyFile)
	if err != nil {
		return o, err
	}
	o = viewer.Options{
		SignalURL: signal, Identity: id, Peer: peer, NoAudio: true, Loopback: onLoopbackURL(signal),
		Logger: p.Logger(level, config.LogText),
	}
	if c.Camera != "" {
		o.Cameras = []string{c.Camera}
	}
	return o, nil
}

// signalURL is the signaling server that serves the page of a link.
func signalURL(link *url.URL) string {
	if link.Scheme == "https" {
		return "wss://" + link.Host
	}
	return "ws://" + link.Host
}

func onLoopbackURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && onLoopback(net.JoinHostPort(u.Hostname(), "0"))
}

// explain adds what to do next.
func explain(err error, me viewer.PeerID) error {
	if refused, ok := errors.AsType[*viewer.RejectedError](err); ok && refused.Code == "forbidden" {
		return fmt.Errorf("%w; this device's id, for the owner's list: %s", err, me)
	}
	return err
}

// copyVideo writes video until the session or ctx ends, or the reader of the
// output goes away.
func copyVideo(ctx context.Context, s *viewer.Session, out io.Writer) error {
	w := bufio.NewWriterSize(out, 256<<10)
	stream := viewer.NewAnnexBWriter(w)
	for {
		f, err := s.ReadFrame(ctx)
		switch {
		case ctx.Err() != nil || errors.Is(err, io.EOF):
			return w.Flush()
		case err != nil:
			return errors.Join(err, w.Flush())
		case !f.Codec.Video():
			continue
		}
		if err = stream.WriteUnit(f.Unit); err == nil {
			err = w.Flush() // a player at the other end shows it at once
		}
		if errors.Is(err, syscall.EPIPE) {
			return nil // the player was closed
		}
		if err != nil {
			return err
		}
	}
}
