package nvr

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sightline-cam/sightline/internal/atomicfile"
)

// tokenFile is the name of the file, in the state folder, with the secret by which
// sensors and scripts report events.
const tokenFile = "event-token"

// shortestToken is how long a secret of one's own must be at least, in characters.
const shortestToken = 16

// eventToken reads the secret, and makes one where there is none.
func eventToken(stateDir string) (string, error) {
	path := filepath.Join(stateDir, tokenFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		token := rand.Text()
		return token, atomicfile.Write(path, []byte(token+"\n"))
	}
	if err != nil {
		return "", fmt.Errorf("read the token for events: %w", err)
	}
	token := strings.TrimSpace(string(data))
	if len(token) < shortestToken {
		return "", fmt.Errorf("%s must hold at least %d characters; delete it, and a new one is made", path, shortestToken)
	}
	return token, nil
}
