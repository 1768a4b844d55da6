package viewer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/atomicfile"
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
			return slices.Clone(fitting(p.Grants))
		}
	}
	return nil
}

// Keep adds a grant for a publisher and writes the file (mode 0600), whole or not
// at all. Those that have expired are forgotten, and the oldest if there are more
// than an offer carries.
func (f *GrantFile) Keep(peer PeerID, grant string) error {
	if len(grant) > signaling.MaxGrantsTotal {
		return fmt.Errorf("keep a grant: %w", access.ErrTooLong)
	}
	grants := slices.DeleteFunc(f.Grants(peer), func(g string) bool { return g == grant || hasExpired(g, time.Now()) })
	grants = fitting(append(grants, grant))
	f.content.Grants = slices.DeleteFunc(f.content.Grants, func(p peerGrants) bool { return p.Peer == peer })
	f.content.Grants = append(f.content.Grants, peerGrants{Peer: peer, Grants: grants})
	f.content.Grants = f.content.Grants[max(0, len(f.content.Grants)-maxGrantPeers):]
	data, err := json.MarshalIndent(f.content, "", "  ")
	if err != nil {
		return fmt.Errorf("keep a grant: %w", err)
	}
	if err := atomicfile.Write(f.path, data); err != nil {
		return fmt.Errorf("keep a grant: %w", err)
	}
	return nil
}

// hasExpired reports whether a grant has ended even if this clock is a day ahead.
func hasExpired(grant string, now time.Time) bool {
	g, err := access.ParseGrant(grant)
	return err == nil && g.Scope.Expires != 0 && g.Scope.Expires < now.Add(-24*time.Hour).Unix()
}

// fitting returns the last of the grants, as many as an offer carries.
func fitting(grants []string) []string {
	total := 0
	for i, g := range slices.Backward(grants) {
		if total += len(g); total > signaling.MaxGrantsTotal || len(grants)-i > signaling.MaxGrants {
			return grants[i+1:]
		}
	}
	return grants
}
