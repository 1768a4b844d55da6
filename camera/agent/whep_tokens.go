package agent

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/trust"
)

// Bounds of WHEP tokens.
const (
	whepTokenLife    = 10 * time.Minute
	whepTokenSize    = 24 // random bytes
	maxWHEPTokens    = 256
	maxTokensOfOne   = 32 // of one holder
	whepTokenTextLen = 32 // base64url of whepTokenSize bytes
)

var errTooManyTokens = errors.New("as many WHEP tokens are out as there may be")

// whepToken lets a player that has no key open sessions of one camera for some
// minutes, with the access of whoever asked for it. Constant.
type whepToken struct {
	holder  *trust.Principal
	camera  string
	expires time.Time
	hash    [sha256.Size]byte // of its text
}

// whepTokens are the tokens that have not expired, in memory only. Safe for
// concurrent use.
type whepTokens struct {
	mu  sync.Mutex // guards what follows
	all map[[sha256.Size]byte]*whepToken
}

func newWHEPTokens() *whepTokens {
	return &whepTokens{all: make(map[[sha256.Size]byte]*whepToken)}
}

// add makes a token. When its holder has as many as one may have, that one's
// oldest is given up for it.
func (t *whepTokens) add(now time.Time, holder *trust.Principal, camera string) (text string, made *whepToken, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var oldest *whepToken
	own := 0
	for hash, old := range t.all {
		switch {
		case !now.Before(old.expires):
			delete(t.all, hash)
		case old.holder.Peer == holder.Peer && old.holder.Role == holder.Role:
			own++
			if oldest == nil || old.expires.Before(oldest.expires) {
				oldest = old
			}
		}
	}
	if own >= maxTokensOfOne {
		delete(t.all, oldest.hash)
	}
	if len(t.all) >= maxWHEPTokens {
		return "", nil, errTooManyTokens
	}
	var secret [whepTokenSize]byte
	_, _ = rand.Read(secret[:]) // never fails
	text = base64.RawURLEncoding.EncodeToString(secret[:])
	made = &whepToken{holder: holder, camera: camera, expires: now.Add(whepTokenLife), hash: sha256.Sum256([]byte(text))}
	t.all[made.hash] = made
	return text, made, nil
}

// forget makes the tokens of all holders of a role worthless.
func (t *whepTokens) forget(role trust.Role) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for hash, token := range t.all {
		if token.holder.Role == role {
			delete(t.all, hash)
		}
	}
}

// find returns the token of that text. Tokens are found by their hash, so that
// the time it takes says nothing about their text.
func (t *whepTokens) find(now time.Time, text string) (*whepToken, bool) {
	if len(text) != whepTokenTextLen {
		return nil, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	token, ok := t.all[sha256.Sum256([]byte(text))]
	if !ok || !now.Before(token.expires) {
		return nil, false
	}
	return token, true
}
