package playback

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/trust"
)

// Bounds of the tokens in HLS paths.
const (
	hlsTokenSize   = 16 // random bytes
	hlsTokenLength = 22 // base64url of those
	hlsTokenIdle   = 10 * time.Minute
	hlsTokenLife   = 12 * time.Hour
	maxHLSTokens   = 64
	maxHLSOfOne    = 8 // of one holder
)

var errTooManyTokens = errors.New("as many HLS paths are out as there may be")

// hlsToken lets a player that has no key fetch one time of one camera, with the
// access of whoever asked for it. Constant.
type hlsToken struct {
	holder *trust.Principal
	stream *hlsStream
	made   time.Time
	hash   [sha256.Size]byte // of its text
}

// hlsTokens are those that have not expired, in memory only. Safe for concurrent
// use.
type hlsTokens struct {
	mu   sync.Mutex // guards what follows
	all  map[[sha256.Size]byte]*hlsToken
	used map[[sha256.Size]byte]time.Time // when each was used last
}

func newHLSTokens() *hlsTokens {
	return &hlsTokens{all: make(map[[sha256.Size]byte]*hlsToken), used: make(map[[sha256.Size]byte]time.Time)}
}

// expires is when a token ends that is not used again.
func (t *hlsToken) expires(used time.Time) time.Time {
	idle, life := used.Add(hlsTokenIdle), t.made.Add(hlsTokenLife)
	if life.Before(idle) {
		return life
	}
	return idle
}

// add makes a token. When its holder has as many as one may have, that one's oldest
// is given up for it.
func (t *hlsTokens) add(now time.Time, holder *trust.Principal, stream *hlsStream) (text string, expires time.Time, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var oldest *hlsToken
	own := 0
	for hash, old := range t.all {
		switch {
		case !now.Before(old.expires(t.used[hash])):
			t.removeLocked(hash)
		case old.holder.Peer == holder.Peer && old.holder.Role == holder.Role:
			own++
			if oldest == nil || old.made.Before(oldest.made) {
				oldest = old
			}
		}
	}
	if own >= maxHLSOfOne {
		t.removeLocked(oldest.hash)
	}
	if len(t.all) >= maxHLSTokens {
		return "", time.Time{}, errTooManyTokens
	}
	var secret [hlsTokenSize]byte
	_, _ = rand.Read(secret[:]) // never fails
	text = base64.RawURLEncoding.EncodeToString(secret[:])
	made := &hlsToken{holder: holder, stream: stream, made: now, hash: sha256.Sum256([]byte(text))}
	t.all[made.hash], t.used[made.hash] = made, now
	return text, made.expires(now), nil
}

// find returns the token of that text, which lives on for being used. Tokens are
// found by their hash, so that the time it takes says nothing about their text.
func (t *hlsTokens) find(now time.Time, text string) (*hlsToken, bool) {
	if len(text) != hlsTokenLength {
		return nil, false
	}
	hash := sha256.Sum256([]byte(text))
	t.mu.Lock()
	defer t.mu.Unlock()
	token, ok := t.all[hash]
	if !ok {
		return nil, false
	}
	if !now.Before(token.expires(t.used[hash])) {
		t.removeLocked(hash)
		return nil, false
	}
	t.used[hash] = now
	return token, true
}

// remove ends a token.
func (t *hlsTokens) remove(token *hlsToken) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.removeLocked(token.hash)
}

func (t *hlsTokens) removeLocked(hash [sha256.Size]byte) {
	delete(t.all, hash)
	delete(t.used, hash)
}
