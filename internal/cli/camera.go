package cli

import (
	"fmt"

	"github.com/sightline-cam/sightline/internal/config"
)

// Camera is the camera command: publish one or more cameras.
type Camera struct {
	URL []string `arg:"" optional:"" help:"Address of a camera: rtsp://…, rtsps://…, or a device of this machine, /dev/video0; several may follow." placeholder:"rtsp://…"`

	List    bool     `help:"List the cameras of this machine and what they can do." env:"-"`
	JSON    bool     `name:"json" help:"With --list: print it for programs." env:"-"`
	Name    []string `help:"Name of the camera, which gives its id too; in the order of the addresses." sep:"none" placeholder:"NAME"`
	Sub     []string `help:"Second stream of the camera at a lower rate; in the order of the addresses." sep:"none" placeholder:"URL"`
	Address Address  `embed:""`
	Network Network  `embed:""`
	Login   Login    `embed:""`
	Video   Video    `embed:""`
	Viewers Viewers  `embed:""`
	Keep    Keep     `embed:""`
	Log     Log      `embed:""`
	Config  string   `help:"Read settings and further cameras from a YAML file; flags take precedence." placeholder:"FILE"`

	password config.Secret // from stdin or the prompt
}

// Address says where things are.
type Address struct {
	Listen       string   `help:"TCP address of the page, the API and WHEP. Default :8788 with TLS; 127.0.0.1:8788 with --open or --signal." placeholder:"HOST:PORT"`
	TLSCert      string   `name:"tls-cert" help:"Certificate of the page, PEM. Default beyond loopback: one that the agent makes for itself." placeholder:"FILE"`
	TLSKey       string   `name:"tls-key" help:"Key of the certificate, PEM." placeholder:"FILE"`
	UDP          string   `name:"udp" help:"UDP address for all viewers. Default: any free port." placeholder:"HOST:PORT"`
	Signal       string   `help:"Register at this signaling server instead of running one." placeholder:"wss://HOST"`
	InsecureHTTP bool     `name:"insecure-http" help:"Serve plain HTTP beyond loopback, for a reverse proxy that adds TLS."`
	AllowedHost  []string `help:"Further host name by which the listener may be reached." sep:"none" placeholder:"NAME"`
	StateDir     string   `help:"Folder of what the agent keeps: its key, owners, log. Default ~/.local/state/sightline." placeholder:"DIR"`
}

// Network is how viewers reach the agent through routers.
type Network struct {
	STUN      []string `name:"stun" help:"STUN server beside those of the signaling server." sep:"none" placeholder:"stun:HOST:PORT"`
	NoPortMap bool     `help:"Do not ask the router to let viewers in."`
	NoTCP     bool     `name:"no-tcp" help:"Do not listen at the TCP port of the UDP port's number, for viewers whose network blocks UDP."`
	NoMDNS    bool     `name:"no-mdns" help:"Say and ask nothing in this network by multicast DNS: without a signaling server viewers do not find the agent."`
	External  []string `help:"Address that a router forwards to the UDP port." sep:"none" placeholder:"IP:PORT"`
	Interface []string `help:"Offer only the addresses of these interfaces: eth0, wl*." sep:"none" placeholder:"NAME"`
}

// lay lays the flags over the settings.
func (n *Network) lay(over *config.Network) {
	over.STUN = append(over.STUN, n.STUN...)
	over.NoPortMap = over.NoPortMap || n.NoPortMap
	over.NoTCP = over.NoTCP || n.NoTCP
	over.NoMDNS = over.NoMDNS || n.NoMDNS
	over.External = append(over.External, n.External...)
	over.Interfaces = append(over.Interfaces, n.Interface...)
}

// Login is how cameras in the network let us in.
type Login struct {
	Transport     string `help:"How video comes from the camera: auto, tcp or udp." placeholder:"auto"`
	Username      string `help:"User name at the camera." placeholder:"NAME"`
	Password      bool   `help:"Ask for the camera's password. Without asking it may come from the environment variable SIGHTLINE_PASSWORD." env:"-"`
	PasswordStdin bool   `help:"Read the camera's password from stdin."`
	PasswordFile  string `help:"Read the camera's password from a file." placeholder:"FILE"`
	PasswordEnv   string `help:"Name of an environment variable with the camera's password." placeholder:"VARIABLE"`
	Fingerprint   string `help:"SHA-256 of the rtsps:// camera's certificate." placeholder:"HEX"`
	Insecure      bool   `help:"Accept any certificate of an rtsps:// camera."`
}

// Viewers says who may watch.
type Viewers struct {
	Open  bool   `help:"Let everyone on this machine watch; refused unless everything listens on loopback."`
	Allow string `help:"File with the ids of viewers who may watch beside the owners and their guests, one a line." placeholder:"FILE"`
}

// Keep says what becomes of pictures beside being shown.
type Keep struct {
	NoSign    bool   `help:"Do not sign the pictures with this device's key (ONVIF media signing)."`
	NoSpool   bool   `help:"Keep nothing for recorders that were away."`
	SpoolDir  string `help:"Folder to keep more in for recorders that were away, beside 8 MiB of memory for each stream." placeholder:"DIR"`
	SpoolSize string `help:"How much of each camera is kept there. Default 1GiB." placeholder:"SIZE"`
}

// lay lays the flags over the settings.
func (k *Keep) lay(cfg *config.Config) error {
	cfg.NoSign = cfg.NoSign || k.NoSign
	cfg.Spool.Off = cfg.Spool.Off || k.NoSpool
	if k.SpoolDir != "" {
		cfg.Spool.Dir = k.SpoolDir
	}
	if k.SpoolSize == "" {
		return nil
	}
	if err := cfg.Spool.Disk.UnmarshalText([]byte(k.SpoolSize)); err != nil {
		return fmt.Errorf("--spool-size %w", err)
	}
	return nil
}

// Log says what is logged, to stderr.
type Log struct {
	LogLevel  string `help:"Least severe message logged: debug, info, warn or error." placeholder:"info"`
	LogFormat string `help:"text or json." placeholder:"text"`
}

// passwordVariable is the environment variable that holds the password if
// nothing else says where it is.
const passwordVariable = "SIGHTLINE_PASSWORD"

// settings lays the flags over the configuration file, then what adjust says, and
// completes it all.
func (c *Camera) settings(adjust func(*config.Config) error) (cfg *config.Config, warnings []config.Problem, err error) {
	cfg = &config.Config{}
	if c.Config != "" {
		if cfg, err = config.Load(c.Config); err != nil {
			return nil, nil, err
		}
	}
	set := func(to *string, flag string) {
		if flag != "" {
			*to = flag
		}
	}
	set(&cfg.Listen, c.Address.Listen)
	set(&cfg.TLSCert, c.Address.TLSCert)
	set(&cfg.TLSKey, c.Address.TLSKey)
	cfg.InsecureHTTP = cfg.InsecureHTTP || c.Address.InsecureHTTP
	set(&cfg.UDP, c.Address.UDP)
	set(&cfg.Signal, c.Address.Signal)
	set(&cfg.StateDir, c.Address.StateDir)
	set(&cfg.Allow, c.Viewers.Allow)
	c.Network.lay(&cfg.Network)
	cfg.Open = cfg.Open || c.Viewers.Open
	if err := c.Keep.lay(cfg); err != nil {
		return nil, nil, err
	}
	set((*string)(&cfg.LogLevel), c.Log.LogLevel)
	set((*string)(&cfg.LogFormat), c.Log.LogFormat)
	cameras, err := c.cameras(adjust != nil)
	if err != nil {
		return nil, nil, err
	}
	cfg.Cameras = append(cfg.Cameras, cameras...)
	if adjust != nil {
		if err := adjust(cfg); err != nil {
			return nil, nil, err
		}
	}
	warnings, err = cfg.Complete()
	return cfg, warnings, err
}
