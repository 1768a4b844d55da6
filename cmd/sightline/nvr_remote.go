package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/sightline-cam/sightline/internal/addressbook"
	"github.com/sightline-cam/sightline/internal/cli"
	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/internal/nvr"
	"github.com/sightline-cam/sightline/recordings/remote"
	"github.com/sightline-cam/sightline/viewer"
)

// withRemotes adds to a recorder's options the agents elsewhere that the settings
// name. The recorder dials them as the viewer that this device is, `sightline id
// --viewer`, and keeps what it learns of them where `sightline view` does.
func withRemotes(p *cli.Process, ready *cli.Prepared, o *nvr.Options) error {
	cfg := ready.Config
	if len(cfg.Remotes) == 0 {
		return nil
	}
	links, err := remoteLinks(cfg.Remotes, ready.Options.Identity.PeerID())
	if err != nil {
		return err
	}
	me, err := cli.LoadIdentity(cfg.StateDir, cli.ViewerKeyFile)
	if err != nil {
		return err
	}
	book, err := openAddresses(filepath.Join(cfg.StateDir, addressFile), p)
	if err != nil {
		return err
	}
	memory, err := nvr.OpenRemoteMemory(filepath.Join(cfg.StateDir, nvr.RemotesFile))
	if damaged, ok := errors.AsType[*nvr.DamagedRemotesError](err); ok {
		ready.Options.Logger.Warn("the cameras of other agents may get other ids", "error", damaged)
	} else if err != nil {
		return err
	}
	o.Memory, o.OnCamera = memory, ready.AddCamera
	switchboard := &viewer.Switchboard{}
	for i, link := range links {
		r := &cfg.Remotes[i]
		log := ready.Options.Logger.With("part", "remote", "agent", remoteTitle(r, link))
		loopback := onLoopbackURL(link.SignalURL)
		d := &remoteDialer{
			link: link, grants: filepath.Join(cfg.StateDir, grantFile), book: book, memory: memory, log: log,
			options: viewer.Options{
				SignalURL: link.SignalURL, Identity: me, Peer: link.Peer, LAN: !cfg.Network.NoMDNS && !loopback, Loopback: loopback,
				Switchboard: switchboard, Logger: nvr.Quiet(log),
			},
		}
		o.Remotes = append(o.Remotes, nvr.Remote{
			Peer: link.Peer, Name: r.Name, Prefix: r.Prefix, Cameras: r.Cameras, Settings: r.Recording, Dial: d.dial,
		})
	}
	return nil
}

// remoteTitle names an agent in log lines.
func remoteTitle(r *config.Remote, link viewer.Link) string {
	if r.Name != "" {
		return r.Name
	}
	return link.Peer.Short()
}

// remoteLinks reads the links. own is this agent's id.
func remoteLinks(remotes []config.Remote, own viewer.PeerID) ([]viewer.Link, error) {
	links := make([]viewer.Link, 0, len(remotes))
	first := make(map[viewer.PeerID]int)
	for i := range remotes {
		link, err := viewer.ParseLink(remotes[i].Link)
		if err != nil {
			return nil, fmt.Errorf("the link of remote agent %d: %w; copy the whole link that `sightline camera` printed, or an invitation", i+1, err)
		}
		if link.Peer == own {
			return nil, fmt.Errorf("the link of remote agent %d leads to this recorder itself; its own cameras it records by --camera", i+1)
		}
		if other, twice := first[link.Peer]; twice {
			return nil, fmt.Errorf("the remote agents %d and %d are the same; name it once, with all its cameras", other+1, i+1)
		}
		first[link.Peer] = i
		links = append(links, link)
	}
	return links, nil
}

// remoteDialer dials one agent. Its dial is called by one goroutine at a time, or by
// several where the agent has more than 16 cameras.
type remoteDialer struct {
	// Constant.
	options viewer.Options
	link    viewer.Link
	grants  string // a file
	book    *addressbook.Book
	memory  *nvr.RemoteMemory
	log     *slog.Logger

	claiming claiming
}

// dial is nvr.Remote.Dial.
func (d *remoteDialer) dial(ctx context.Context, w remote.Want) (remote.Session, error) {
	notAccepted, err := d.claim(ctx)
	if err != nil {
		return nil, err
	}
	o, err := d.current()
	if err != nil {
		return nil, err
	}
	s, err := remote.DialViewer(func() viewer.Options { return o }, d.keepTicket)(ctx, w)
	if _, refused := errors.AsType[*viewer.RejectedError](err); refused && notAccepted != nil {
		return nil, fmt.Errorf("%w; %w", err, notAccepted)
	}
	return s, err
}

// current returns how to dial now.
func (d *remoteDialer) current() (viewer.Options, error) {
	o := d.options
	grants, err := viewer.OpenGrantFile(d.grants)
	if err != nil {
		return o, err
	}
	o.Grants = grants.Grants(o.Peer)
	recall(d.book, &o, time.Now())
	return o, nil
}

const (
	// ticketEvery is how often a new ticket is asked for: it is good for a month, and
	// the agent's addresses may change any day.
	ticketEvery = 6 * time.Hour
	// ticketAgain is how soon that is tried again.
	ticketAgain = 30 * time.Second
	// ticketFresh is how long a ticket just given out is good for at least.
	ticketFresh = 24 * time.Hour
)

// keepTicket learns how the agent is dialled without a server, as long as a session
// lives.
func (d *remoteDialer) keepTicket(ctx context.Context, s *viewer.Session) {
	for {
		remember(ctx, d.book, d.options, s)
		wait := ticketEvery
		if e, ok := d.book.Get(d.options.Peer, time.Now()); !ok || e.Secret == "" || time.Until(e.Expires) < ticketFresh {
			wait = ticketAgain
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}
