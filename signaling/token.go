package signaling

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// Token is random or hashed bytes in canonical unpadded base64url: a session's
// name, a nonce, a hash.
type Token string

// Sizes of tokens, in bytes before base64url.
const (
	// SessionSize is the size of a session's name and of a message's nonce.
	SessionSize = 16
	// ChallengeSize is the size of the server's registration challenge.
	ChallengeSize = 32
	// ResumeSize is the size of the server's resume token.
	ResumeSize = 16
	// HashSize is the size of a SHA-256.
	HashSize = sha256.Size
)

// NewToken returns a fresh random token of size bytes.
func NewToken(size int) Token {
	raw := make([]byte, size)
	_, _ = rand.Read(raw) // never fails: crypto/rand ends the process instead
	return Token(base64.RawURLEncoding.EncodeToString(raw))
}

// HashOf returns the token of the SHA-256 of s.
func HashOf(s string) Token {
	sum := sha256.Sum256([]byte(s))
	return Token(base64.RawURLEncoding.EncodeToString(sum[:]))
}

// Transcript names a completed handshake: the SHA-256 of the offer's JWS, a
// full stop, and the answer's JWS. Every later message of the session carries
// it.
func Transcript(offerJWS, answerJWS string) Token {
	return HashOf(offerJWS + "." + answerJWS)
}

// check reports whether t is the canonical spelling of size bytes.
func (t Token) check(name string, size int) error {
	if len(t) != base64.RawURLEncoding.EncodedLen(size) {
		return fmt.Errorf("%w: %s has the wrong length", ErrMessage, name)
	}
	// Without line breaks the length already fixes the number of bytes, and
	// with them the decoder returns fewer.
	raw, err := base64.RawURLEncoding.Strict().DecodeString(string(t))
	if err != nil || len(raw) != size {
		return fmt.Errorf("%w: %s is not canonical base64url", ErrMessage, name)
	}
	return nil
}
