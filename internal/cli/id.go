package cli

import (
	"encoding/pem"
	"path/filepath"

	"github.com/sightline-cam/sightline/internal/identity"
)

// ViewerKeyFile is the name of the viewer's key in the state folder. A device
// that publishes and watches has two keys: registered twice at one server, one
// key would throw itself out.
const ViewerKeyFile = "viewer.pem"

// ID is the id command.
type ID struct {
	StateDir string `help:"Folder of the keys. Default ~/.local/state/sightline." placeholder:"DIR"`
	Viewer   bool   `help:"The id that this device watches with, for an agent's list of viewers."`
	Grouped  bool   `help:"In groups of four, for people to compare."`
	// Certificate prints another thing than the id, of the same key.
	Certificate bool `help:"Instead of the id the certificate, PEM, that others trust to check this device's signed pictures."`
}

// Run prints the id. A key that does not exist yet is made.
func (c *ID) Run(p *Process) error {
	name := KeyFile
	if c.Viewer {
		name = ViewerKeyFile
	}
	id, err := LoadIdentity(c.StateDir, name)
	if err != nil {
		return err
	}
	if c.Certificate {
		_, root, err := signingCertificates(id)
		if err != nil {
			return err
		}
		return pem.Encode(p.Stdout, &pem.Block{Type: "CERTIFICATE", Bytes: root})
	}
	if c.Grouped {
		p.Say("%s", id.PeerID().Grouped())
		return nil
	}
	p.Say("%s", id.PeerID())
	return nil
}

// LoadIdentity reads or makes a key in the state folder; "" is the default one.
func LoadIdentity(stateDir, name string) (*identity.Identity, error) {
	stateDir, err := StateFolder(stateDir)
	if err != nil {
		return nil, err
	}
	return identity.LoadOrCreate(filepath.Join(stateDir, name))
}
