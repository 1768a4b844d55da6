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
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/sightline-cam/sightline/internal/addressbook"
	"github.com/sightline-cam/sightline/internal/cli"
	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/viewer"
)

// viewCommand watches one camera.
type viewCommand struct {
	Peer     string        `arg:"" optional:"" help:"The agent's id, or the link it printed." placeholder:"ID"`
	PeerFlag string        `name:"peer" help:"The same, as a flag." placeholder:"ID"`
	Signal   string        `help:"Signaling server; not needed with a link, for an agent watched before, or in its own network." placeholder:"wss://HOST"`
	NoMDNS   bool          `name:"no-mdns" help:"Do not look for the agent in this network by multicast DNS when the signaling server does not answer."`
	Camera   string        `help:"Id of the camera. Default: the agent's first." placeholder:"ID"`
	Output   string        `short:"o" help:"File for the video (H.264 or H.265 with start codes); - is stdout." default:"-" placeholder:"FILE"`
	Record   string        `help:"Record into this MP4 file, with the sound, instead of writing the bare video." placeholder:"FILE" env:"-"`
	Duration time.Duration `help:"Stop after this time. Default: never." placeholder:"10s"`
	Name     string        `help:"Your name, for a link that makes you an owner or a guest." placeholder:"NAME"`
	StateDir string        `help:"Folder of this viewer's key. Default ~/.local/state/sightline." placeholder:"DIR"`
	LogLevel string        `help:"Least severe message logged: debug, info, warn or error." default:"warn"`
}

// Run implements the command.
func (c *viewCommand) Run(ctx context.Context, p *cli.Process) (err error) {
	o, book, err := c.options(ctx, p)
	if err != nil {
		return err
	}
	var recording *viewRecorder
	if c.Record != "" {
		if recording, err = newViewRecorder(c.Record, c.Camera, p.Version); err != nil {
			return err
		}
		o.NoAudio = false
	}
	s, err := viewer.Dial(ctx, o)
	if err != nil {
		return explain(err, o.Identity.PeerID())
	}
	defer s.Close() //nolint:errcheck,contextcheck // it has nothing to tell at the end, and says goodbye after ctx
	out := p.Stdout
	if c.Record == "" && c.Output != "-" {
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
	ctx, stop := context.WithCancel(ctx)
	var beside sync.WaitGroup
	beside.Go(func() { logPath(ctx, s, o.Logger) })
	if !o.Loopback {
		beside.Go(func() { remember(ctx, book, o, s) })
	}
	defer beside.Wait()
	defer stop()
	if recording != nil {
		return recording.run(ctx, s)
	}
	return copyVideo(ctx, s, out)
}

// options reads whom to watch. A link that comes with a secret is claimed first.
func (c *viewCommand) options(ctx context.Context, p *cli.Process) (o viewer.Options, book *addressbook.Book, err error) {
	var level config.LogLevel
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return o, nil, fmt.Errorf("--log-level: %w", err)
	}
	link, err := c.link()
	if err != nil {
		return o, nil, err
	}
	dir := c.StateDir
	if dir == "" {
		if dir, err = config.DefaultStateDir(); err != nil {
			return o, nil, err
		}
	}
	id, err := cli.LoadIdentity(dir, cli.ViewerKeyFile)
	if err != nil {
		return o, nil, err
	}
	grants, err := viewer.OpenGrantFile(filepath.Join(dir, grantFile))
	if err != nil {
		return o, nil, err
	}
	if book, err = openAddresses(filepath.Join(dir, addressFile), p); err != nil {
		return o, nil, err
	}
	o = viewer.Options{
		SignalURL: link.SignalURL, Identity: id, Peer: link.Peer, Grants: grants.Grants(link.Peer),
		NoAudio: true, LAN: !c.NoMDNS && !onLoopbackURL(link.SignalURL), Loopback: onLoopbackURL(link.SignalURL), Logger: p.Logger(level, config.LogText),
	}
	recall(book, &o, time.Now())
	if o.SignalURL == "" && !o.LAN && o.Ticket == nil {
		return o, nil, errors.New("no signaling server: give its address with --signal, or the link that the agent printed")
	}
	if link.Claim != nil {
		if err := c.claim(ctx, p, &o, *link.Claim, grants); err != nil {
			return o, nil, err
		}
	}
	if c.Camera != "" {
		o.Cameras = []string{c.Camera}
	}
	return o, book, nil
}

// grantFile is the name of the file of grants in the state folder.
const grantFile = "viewer-grants.json"

// claim shows the secret of the link and keeps the grant that comes of it.
func (c *viewCommand) claim(ctx context.Context, p *cli.Process, o *viewer.Options, claim viewer.Claim, grants *viewer.GrantFile) error {
	claim.Name = c.Name
	if host, err := os.Hostname(); err == nil {
		claim.Device = "sightline on " + host
	}
	first := *o
	first.Ticket = nil // it was for another time, and a claim is bound to an introduction
	claimed, err := viewer.ClaimAccess(ctx, first, claim)
	if err != nil {
		return err
	}
	if claimed.Grant != "" {
		if err := grants.Keep(o.Peer, claimed.Grant); err != nil {
			return err
		}
		o.Grants = grants.Grants(o.Peer)
	}
	fmt.Fprintf(p.Stderr, "%s: this device is now known to the agent as %s\n", p.Name, claimed.Role)
	return nil
}

// link reads whom to watch: a link, or an id and a signaling server, which an
// agent that was watched before, or is in this network, needs none of.
func (c *viewCommand) link() (viewer.Link, error) {
	text := c.Peer
	if text == "" {
		text = c.PeerFlag
	}
	if text == "" {
		return viewer.Link{}, errors.New("whom to watch? give the agent's id, or the link it printed")
	}
	if strings.Contains(text, "://") {
		link, err := viewer.ParseLink(text)
		if c.Signal != "" {
			link.SignalURL = c.Signal
		}
		return link, err
	}
	peer, err := viewer.ParsePeerID(text)
	if err != nil {
		return viewer.Link{}, fmt.Errorf("the agent's id: %w", err)
	}
	return viewer.Link{SignalURL: c.Signal, Peer: peer}, nil
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
