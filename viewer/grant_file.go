package viewer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/sightline-cam/sightline/internal/strictjson"
	"github.com/sightline-cam/sightline/signaling"
)

const (
	// maxGrantFile bounds the file, in bytes.
	maxGrantFile = 1 << 20
	// maxGrantPeers is how many publishers are remembered; the one that was added
	// first makes room.
	maxGrantPeers = 64
)

// GrantFile keeps the grants of this viewer, by publisher. Whoever reads it gains
// nothing without the viewer's key. Not safe for concurrent use.
type GrantFile struct {
	path    string
	content grantFileContent
}

// grantFileContent is the file's JSON.
type grantFileContent struct {
	Grants []peerGrants `json:"grants"`
}

type peerGrants struct {
	Peer   PeerID   `json:"peer"`
	Grants []string `json:"grants"`
}

// OpenGrantFile reads the file at path. One that does not exist is empty.
func OpenGrantFile(path string) (*GrantFile, error) {
	f := &GrantFile{path: path}
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f, nil
	case err != nil:
		return nil, fmt.Errorf("read this viewer's grants: %w", err)
	}
	if f.content, err = parseGrantFile(data); err != nil {
		return nil, fmt.Errorf("this viewer's grants in %s are damaged (%w): restore the file from a backup, or move it away and ask for a new invite", path, err)
	}
	return f, nil
}

func parseGrantFile(data []byte) (grantFileContent, error) {
	var c grantFileContent
	if len(data) > maxGrantFile {
		return c, fmt.Errorf("longer than %d bytes", maxGrantFile)
	}
	if err := strictjson.Unmarshal(data, &c); err != nil {
		return grantFileContent{}, err
	}
	for _, p := range c.Grants {
		if err := p.Peer.Validate(); err != nil {
			return grantFileContent{}, err
		}
	}
	return c, nil
}

// Grants returns what there is for a publisher, for Options.Grants.
func (f *GrantFile) Grants(peer PeerID) []string {
	for _, p := range f.content.Grants {
		if p.Peer == peer {
			return slices.Clone(p.Grants)
		}
	}
	return nil
}

// Keep adds a grant for a publisher and writes the file (mode 0600), whole or not
// at all. Of too many the oldest are forgotten.
func (f *GrantFile) Keep(peer PeerID, grant string) error {
	grants := append(f.Grants(peer), grant)
	grants = grants[max(0, len(grants)-signaling.MaxGrants):]
	f.content.Grants = slices.DeleteFunc(f.content.Grants, func(p peerGrants) bool { return p.Peer == peer })
	f.content.Grants = append(f.content.Grants, peerGrants{Peer: peer, Grants: grants})
	f.content.Grants = f.content.Grants[max(0, len(f.content.Grants)-maxGrantPeers):]
	data, err := json.MarshalIndent(f.content, "", "  ")
	if err != nil {
		return fmt.Errorf("keep a grant: %w", err)
	}
	if err := f.replace(data); err != nil {
		return fmt.Errorf("keep a grant: %w", err)
	}
	return nil
}

func (f *GrantFile) replace(data []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(f.path), "."+filepath.Base(f.path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }() // nothing is left of it after the rename
	_, err = temp.Write(data)
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), f.path)
}
