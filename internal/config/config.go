package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// maxFile is the largest configuration file read, in bytes: room for 256
// cameras, and a bound on how deep the parser can be made to recurse.
const maxFile = 256 << 10

// Config is the settings of an agent. Each comment gives the default of the
// zero value, which Complete fills in.
type Config struct {
	// Listen is the TCP address of the agent's own page, API and WHEP.
	// Default: DefaultListen; with Open or Signal DefaultListenLocal.
	Listen string `yaml:"listen"`
	// TLSCert and TLSKey are files with the certificate of Listen and its key,
	// PEM; they are read again when they change. Default: none; beyond loopback
	// Listen then has a certificate that the agent makes for itself.
	TLSCert string `yaml:"tlsCert"`
	TLSKey  string `yaml:"tlsKey"`
	// InsecureHTTP serves plain HTTP beyond loopback, for a reverse proxy that
	// adds TLS: browsers give keys to secure pages only.
	InsecureHTTP bool `yaml:"insecureHTTP"`
	// StateDir is the folder of the agent's key, its owners and its log, created
	// with mode 0700.
	// Default: $XDG_STATE_HOME/sightline, or ~/.local/state/sightline.
	StateDir string `yaml:"stateDir"`
	// Signal is the ws:// or wss:// URL of the signaling service. Default:
	// none; the agent is then reached through its own listener only.
	Signal string `yaml:"signal"`
	// Open lets anyone watch who reaches the agent. Complete refuses it
	// unless every listener, and the signaling service, is on loopback.
	Open bool `yaml:"open"`
	// Allow is a file with the PeerIDs that may watch beside the owners and
	// their guests; see ParseAllowList. Default: none.
	Allow string `yaml:"allow"`
	// UDP is the address of the one UDP port that serves all viewers.
	// Default: any free port on all addresses (":0"); on loopback
	// ("127.0.0.1:0") if Open is set.
	UDP string `yaml:"udp"`
	// Network says how viewers reach the agent through routers.
	Network Network `yaml:"network"`
	// Cameras is the list of cameras; at least one.
	Cameras []Camera `yaml:"cameras"`
	// NoSign leaves out what proves where a picture comes from (ONVIF media signing).
	NoSign bool `yaml:"noSign"`
	// Spool is what is kept for recorders that were away.
	Spool Spool `yaml:"spool"`
	// Recording is what the command nvr keeps; the command camera passes it over.
	Recording Recording `yaml:"recording"`
	// Remotes are agents elsewhere whose cameras the command nvr records.
	Remotes []Remote `yaml:"remotes"`
	// LogLevel is the least severe message written. Default: LogInfo.
	LogLevel LogLevel `yaml:"logLevel"`
	// LogFormat is how log lines look. Default: LogText.
	LogFormat LogFormat `yaml:"logFormat"`

	// AllowList is what Complete read from the file Allow.
	AllowList AllowList `yaml:"-"`

	file  string         // where the settings came from, for messages
	lines map[string]int // the line of each key, by path
}

// Load reads a configuration file. Relative paths in it are taken from the
// folder of the file. The error is of type Problems if the file could be read.
func Load(path string) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the configuration %s: %w", path, err)
	}
	c, err := parse(path, data)
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	c.StateDir = beside(dir, c.StateDir)
	c.Allow = beside(dir, c.Allow)
	c.Spool.Dir = beside(dir, c.Spool.Dir)
	for i := range c.Recording.Dirs {
		c.Recording.Dirs[i] = beside(dir, c.Recording.Dirs[i])
	}
	c.TLSCert, c.TLSKey = beside(dir, c.TLSCert), beside(dir, c.TLSKey)
	for i := range c.Cameras {
		c.Cameras[i].PasswordFile = beside(dir, c.Cameras[i].PasswordFile)
	}
	return c, nil
}

// Parse reads the text of a configuration file. It checks keys, types and
// single values; Complete checks the whole. The error is of type Problems.
func Parse(data []byte) (*Config, error) { return parse("", data) }

// beside returns path, taken from dir if it is relative.
func beside(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// problem returns a problem of the setting key, with the line it stands on.
func (c *Config) problem(key, format string, args ...any) Problem {
	p := Problem{Key: key, Text: fmt.Sprintf(format, args...)}
	if line, ok := c.lines[key]; ok {
		p.File, p.Line = c.file, line
	}
	return p
}
