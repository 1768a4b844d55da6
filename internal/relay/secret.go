package relay

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // the TURN REST scheme's hash; HMAC does not need more
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/internal/atomicfile"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/signaling"
)

const (
	// minSecret and maxSecret bound a secret, in bytes.
	minSecret, maxSecret = 16, 512
	// tokenSize is the size of the random part of a username, before base64url.
	tokenSize = 12
)

// errUsername says that a username is none of this package's.
var errUsername = errors.New("not a username of this relay")

// Secret makes and checks the credentials of a TURN server that shares it: the
// TURN REST scheme (draft-uberti-behave-turn-rest-00), which coturn calls
// use-auth-secret and static-auth-secret. Usernames are
//
//	<expiry, Unix seconds>:<PeerID of the agent>:<random>
//
// and the password is base64(HMAC-SHA1(secret, username)).
type Secret struct{ text string }

// ParseSecret checks a secret: one line of 16 to 512 printable ASCII characters.
// White space around it is left out.
func ParseSecret(text string) (Secret, error) {
	text = strings.TrimSpace(text)
	if len(text) < minSecret || len(text) > maxSecret {
		return Secret{}, fmt.Errorf("the relay's secret has %d to %d characters; `openssl rand -hex 32` makes a good one", minSecret, maxSecret)
	}
	for _, b := range []byte(text) {
		if b <= ' ' || b > '~' {
			return Secret{}, errors.New("the relay's secret is one line of printable ASCII without spaces")
		}
	}
	return Secret{text}, nil
}

// NewSecret makes a secret of 32 random bytes.
func NewSecret() Secret {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails: crypto/rand ends the process instead
	return Secret{base64.RawURLEncoding.EncodeToString(raw[:])}
}

// ReadSecret reads a secret from a file.
func ReadSecret(path string) (Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return Secret{}, fmt.Errorf("read the relay's secret: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+64))
	if err != nil {
		return Secret{}, fmt.Errorf("read the relay's secret: %w", err)
	}
	s, err := ParseSecret(string(data))
	if err != nil {
		return Secret{}, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// OpenSecret reads a secret from a file, and makes one, mode 0600, if there is
// no such file.
func OpenSecret(path string) (Secret, error) {
	s, err := ReadSecret(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	s = NewSecret()
	switch err := s.keep(path); {
	case errors.Is(err, fs.ErrExist):
		return ReadSecret(path) // another process was first
	case err != nil:
		return Secret{}, fmt.Errorf("keep the relay's secret: %w", err)
	}
	return s, nil
}

// keep writes a secret to a file that must not be there yet. It is whole when it
// appears: a process that starts at the same time reads it then.
func (s Secret) keep(path string) error {
	own := path + "." + rand.Text()
	if err := atomicfile.Write(own, []byte(s.text+"\n")); err != nil {
		return err
	}
	err := os.Link(own, path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		// A file system without links. The race is lost there.
		return errors.Join(os.Rename(own, path), atomicfile.SyncDir(filepath.Dir(path)))
	}
	if err := errors.Join(err, os.Remove(own)); err != nil {
		return err
	}
	return atomicfile.SyncDir(filepath.Dir(path))
}

// String hides the secret from logs.
func (s Secret) String() string { return "secret" }

// GoString hides the secret from logs.
func (s Secret) GoString() string { return "secret" }

// Credential makes a credential for one session of an agent. urls are the
// server's.
func (s Secret) Credential(urls []string, agent identity.PeerID, expires time.Time) signaling.ICEServer {
	var token [tokenSize]byte
	_, _ = rand.Read(token[:]) // never fails
	username := fmt.Sprintf("%d:%s:%s", expires.Unix(), agent, base64.RawURLEncoding.EncodeToString(token[:]))
	return signaling.ICEServer{URLs: urls, Username: username, Credential: s.password(username), Expires: expires.Unix()}
}

func (s Secret) password(username string) string {
	mac := hmac.New(sha1.New, []byte(s.text))
	_, _ = mac.Write([]byte(username)) // never fails
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// parseUsername reads a username. It proves nothing.
func parseUsername(username string) (agent identity.PeerID, expires time.Time, err error) {
	expiry, rest, _ := strings.Cut(username, ":")
	id, token, _ := strings.Cut(rest, ":")
	seconds, err := strconv.ParseInt(expiry, 10, 64)
	if err != nil || seconds < 0 || seconds > signaling.MaxInt || strconv.FormatInt(seconds, 10) != expiry {
		return "", time.Time{}, errUsername
	}
	if raw, err := base64.RawURLEncoding.DecodeString(token); err != nil || len(raw) != tokenSize {
		return "", time.Time{}, errUsername
	}
	agent = identity.PeerID(id)
	if agent.Validate() != nil {
		return "", time.Time{}, errUsername
	}
	return agent, time.Unix(seconds, 0), nil
}
