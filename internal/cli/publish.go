package cli

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"syscall"

	"github.com/sightline-cam/sightline/camera/agent"
	"github.com/sightline-cam/sightline/internal/tlsfile"
)

// Publication is an agent to run, and what belongs around it.
type Publication struct {
	// Options are the agent's; Listener is required.
	Options agent.Options
	// Embed is used when Options.Signal is empty. May be nil.
	Embed Embed
	// Certificate makes the listener speak TLS. Nil: plain HTTP.
	Certificate tlsfile.Source
	// StateDir is the folder with the socket of Options.Console.
	StateDir string
	// Pair says that the device needs an owner: who starts it at a terminal gets
	// the link for that.
	Pair bool
	// NoMDNS neither tells this network of the agent nor asks it for the addresses
	// behind the names in browsers' candidates.
	NoMDNS bool
	// Intro is printed before the link, if set.
	Intro string
}

// Publish runs an agent until ctx ends and prints how to watch as soon as
// somebody can. It closes the listeners.
func Publish(ctx context.Context, p *Process, pub Publication) (err error) {
	o := pub.Options
	own := baseURL(ctx, o.Listener.Addr(), pub.Certificate)
	o.Page, o.ListenerURL = pageOf(o.Signal), own
	address, given := o.Listener.Addr(), slices.Clone(o.AllowedHosts)
	if pub.Certificate != nil {
		// A page of another name cannot be rebound to us: it would have to show
		// our certificate.
		given = append(given, pub.Certificate.Names()...)
		o.AllowedHosts = given
		o.Listener = tlsfile.NewListener(o.Listener, tlsfile.Config(pub.Certificate))
	}
	if o.Signal == "" && pub.Embed != nil {
		handler, stop, err := pub.Embed(o.Logger, given)
		if err != nil {
			return errors.Join(err, closeBoth(o))
		}
		defer func() { _ = stop() }()
		o.Fallback, o.Page, o.Signal, o.SignalPlaintext = handler, own, "ws://"+dialable(address), true
		if pub.Certificate != nil {
			client := tlsfile.Client(pub.Certificate)
			defer client.CloseIdleConnections()
			o.Signal, o.SignalHTTP, o.SignalPlaintext = "wss://"+dialable(address), client, false
		}
	}
	ready := make(chan struct{})
	announce := sync.OnceFunc(func() { close(ready) })
	o.OnSignal = func(online bool) {
		if online {
			announce()
		}
	}
	beOnLAN, leaveLAN := pub.joinLAN(&o)
	a, err := agent.New(o)
	if err != nil {
		return errors.Join(err, closeBoth(o))
	}
	if o.Signal == "" {
		announce()
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { reloadOnHangup(ctx, a) })
	wg.Go(func() {
		select {
		case <-ready:
			pub.say(ctx, p, o, own)
		case <-ctx.Done():
		}
	})
	wg.Go(func() { beOnLAN(ctx) })
	err = a.Run(ctx)
	cancel()
	wg.Wait()
	return errors.Join(err, leaveLAN())
}

func closeBoth(o agent.Options) error {
	err := o.Listener.Close()
	if o.Console != nil {
		err = errors.Join(err, o.Console.Close())
	}
	return err
}

// say tells how to watch, and pairs when there is somebody at the terminal and
// no owner.
func (pub *Publication) say(ctx context.Context, p *Process, o agent.Options, own string) {
	// Starting leaves a few megabytes of garbage that a quiet agent would keep
	// for minutes, on devices that have little.
	defer debug.FreeOSMemory()
	if pub.Intro != "" {
		p.Say("%s", pub.Intro)
	}
	if pub.Certificate != nil {
		if _, made := pub.Certificate.(*tlsfile.Own); made {
			p.Say("Browsers ask once about the certificate, which this device made for itself. Its SHA-256 is %s", pub.Certificate.Fingerprint())
		}
	}
	unowned := pub.Pair && o.Page != "" && o.Console != nil && !o.Trust.Owned()
	if unowned && p.ToTerminal() {
		con, err := openConsole(pub.StateDir)
		if err == nil {
			err = pairAt(ctx, p, con, false)
		}
		if err != nil && ctx.Err() == nil {
			p.complain("%v", err)
		}
		unowned = false
	}
	if ctx.Err() != nil {
		return
	}
	for _, line := range links(o, own) {
		p.Say("%s", line)
	}
	if unowned {
		p.Say("This device has no owner yet; to become it run: %s pair --state-dir %s", p.Name, absolute(pub.StateDir))
	}
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

func reloadOnHangup(ctx context.Context, a *agent.Agent) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	for {
		select {
		case <-hangup:
			a.ReloadAccess()
		case <-ctx.Done():
			return
		}
	}
}

// links says how to watch; own is the address of the agent's listener.
func links(o agent.Options, own string) []string {
	if o.Page != "" {
		return []string{o.Page + "/#peer=" + string(o.Identity.PeerID())}
	}
	lines := []string{"This agent's id: " + o.Identity.PeerID().Grouped()}
	for _, c := range o.Cameras {
		lines = append(lines, "WHEP: "+own+"/whep/"+c.ID())
	}
	return lines
}

// pageOf returns where a signaling server's page is; empty without one.
func pageOf(signal string) string {
	u, err := url.Parse(signal)
	if err != nil || u.Host == "" {
		return ""
	}
	scheme := "https://"
	if u.Scheme == "ws" || u.Scheme == "http" {
		scheme = "http://"
	}
	return scheme + u.Host
}

// dialable returns a listener's address as this machine can dial it.
func dialable(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
