package config

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The defaults of Config.Listen: a phone must be able to open the page of an
// agent that introduces its viewers itself. One that is open, or that viewers
// find through a signaling server, needs no door to the LAN.
const (
	DefaultListen      = ":8788"
	DefaultListenLocal = "127.0.0.1:8788"
)

// maxCameras is the largest number of cameras of one agent.
const maxCameras = 256

// Complete fills in defaults, reads the files that the settings name (the
// allow-list, the passwords) and checks everything. It returns warnings, which
// the caller logs, and Problems with every mistake. Call it once, after flags
// and environment have been laid over the file.
func (c *Config) Complete() (warnings []Problem, err error) {
	k := check{c: c}
	k.addresses()
	k.network()
	k.secure()
	k.stateDir()
	k.signal()
	k.viewers()
	k.logging()
	k.cameras()
	k.recording()
	return k.warnings, k.problems.err()
}

// check collects what is wrong with a Config while it is completed.
type check struct {
	c        *Config
	problems Problems
	warnings []Problem
}

// bad notes a mistake.
func (k *check) bad(key, format string, args ...any) {
	k.problems = append(k.problems, k.c.problem(key, format, args...))
}

// warn notes something that works and is not good.
func (k *check) warn(key, format string, args ...any) {
	k.warnings = append(k.warnings, k.c.problem(key, format, args...))
}

// addresses checks the listeners.
func (k *check) addresses() {
	c := k.c
	if c.Listen == "" {
		c.Listen = DefaultListen
		if c.Open || c.Signal != "" {
			c.Listen = DefaultListenLocal
		}
	}
	if c.UDP == "" {
		c.UDP = ":0"
		if c.Open {
			c.UDP = "127.0.0.1:0"
		}
	}
	for _, a := range []struct{ key, value string }{{"listen", c.Listen}, {"udp", c.UDP}} {
		if err := checkAddress(a.value); err != nil {
			k.bad(a.key, "%v", err)
			continue
		}
		if c.Open && !LoopbackAddress(a.value) {
			k.bad(a.key, "open lets anyone watch, so every listener must be on loopback; write 127.0.0.1:PORT, or remove open, and make an owner by pairing")
		}
	}
}

// secure checks how the listener gets its TLS.
func (k *check) secure() {
	c := k.c
	if (c.TLSCert == "") != (c.TLSKey == "") {
		k.bad("tlsCert", "a certificate and its key go together; give tlsCert and tlsKey")
	}
	if c.InsecureHTTP && c.TLSCert != "" {
		k.bad("insecureHTTP", "plain HTTP needs no certificate; remove insecureHTTP, or tlsCert and tlsKey")
	}
	if c.InsecureHTTP && !LoopbackAddress(c.Listen) {
		k.warn("insecureHTTP", "the page comes without TLS: browsers give it no keys unless a reverse proxy adds TLS")
	}
}

// checkAddress checks the form host:port.
func checkAddress(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return errors.New("must be host:port or :port, for example " + DefaultListenLocal)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return errors.New("must end in a port from 0 to 65535")
	}
	if strings.ContainsAny(host, " /@") {
		return errors.New("must be host:port without a scheme or a path")
	}
	return nil
}

// LoopbackAddress reports whether host:port is on loopback. Of the names only
// localhost is: another one may change where it points to.
func LoopbackAddress(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && loopbackHost(host)
}

func loopbackHost(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// stateDir fills in the folder of the key.
func (k *check) stateDir() {
	if k.c.StateDir != "" {
		return
	}
	dir, err := DefaultStateDir()
	if err != nil {
		k.bad("stateDir", "%v", err)
	}
	k.c.StateDir = dir
}

// DefaultStateDir returns the default of Config.StateDir. The error says what
// to do where there is none.
func DefaultStateDir() (string, error) {
	// The XDG specification ignores a relative path.
	base := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(base) {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", errors.New("there is no home folder to keep the key in; name a folder")
		}
		base = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(base, "sightline"), nil
}

// signal checks the URL of the signaling service.
func (k *check) signal() {
	if k.c.Signal == "" {
		return
	}
	u, err := url.Parse(k.c.Signal)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "ws" && u.Scheme != "wss":
		k.bad("signal", "must be a wss:// URL, for example wss://signal.example.org")
		return
	case u.User != nil || u.Fragment != "" || u.RawQuery != "":
		k.bad("signal", "must have no user, query or fragment; the agent proves itself by its key")
		return
	}
	local := loopbackHost(u.Hostname())
	if k.c.Open && !local {
		k.bad("signal", "open lets anyone watch, so the signaling service must be on loopback too; remove open, and make an owner by pairing")
	}
	if u.Scheme == "ws" && !local {
		k.warn("signal", "ws:// is not encrypted: who talks to whom can be read on the way, and browsers refuse it; use wss://")
	}
}

// viewers checks who may watch.
func (k *check) viewers() {
	c := k.c
	switch {
	case c.Open && c.Allow != "":
		k.bad("allow", "open lets anyone watch, so a list of viewers makes no sense; remove open or allow")
	case c.Allow != "":
		list, err := LoadAllowList(c.Allow)
		if wrong, ok := errors.AsType[Problems](err); ok {
			k.problems = append(k.problems, wrong...)
		} else if err != nil {
			k.bad("allow", "%v; create the file with one viewer's id a line", err)
		}
		c.AllowList = list
		if err == nil && len(list) == 0 {
			k.warn("allow", "the list is empty: only owners and their guests may watch")
		}
	}
}

// logging fills in how to log. Values that did not come through UnmarshalText
// are checked here.
func (k *check) logging() {
	if k.c.LogLevel == "" {
		k.c.LogLevel = LogInfo
	} else if err := k.c.LogLevel.UnmarshalText([]byte(k.c.LogLevel)); err != nil {
		k.bad("logLevel", "%v", err)
	}
	if k.c.LogFormat == "" {
		k.c.LogFormat = LogText
	} else if err := k.c.LogFormat.UnmarshalText([]byte(k.c.LogFormat)); err != nil {
		k.bad("logFormat", "%v", err)
	}
}
