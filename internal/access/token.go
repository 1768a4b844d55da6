package access

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/strictjson"
)

// The "typ" of each kind of token.
const (
	GrantType  = "sightline-grant+jwt"
	InviteType = "sightline-invite+jwt"
	ListType   = "sightline-access+jws"
)

const (
	// TokenSize is the size of a home's id, of a jti and of a secret, in bytes
	// before base64url: 22 characters after it.
	TokenSize = 16
	// HashSize is the size of hashes and proofs, in bytes before base64url: 43
	// characters after it.
	HashSize = sha256.Size
	// MaxName is the longest name of a person or a device, in code points.
	MaxName = 64

	maxInt = 1<<53 - 1 // what a browser's numbers hold exactly
)

var (
	// ErrToken is wrapped by every error about a token that is malformed, too
	// long, or not signed by whoever it says.
	ErrToken = errors.New("not a valid access token")
	// ErrScope is wrapped when more would be passed on than there is.
	ErrScope = errors.New("this gives more than its giver has")
	// ErrTooLong is wrapped when a token cannot be made because it, or what is
	// made of it later, would be too long.
	ErrTooLong = errors.New("too long: name fewer cameras, or all of a device")
)

// NewToken returns a fresh random token of TokenSize bytes: the id of a home, a
// jti, or a secret.
func NewToken() string {
	raw := make([]byte, TokenSize)
	_, _ = rand.Read(raw) // never fails: crypto/rand ends the process instead
	return encode(raw)
}

// HashOf returns the token of the SHA-256 of s.
func HashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return encode(sum[:])
}

// ValidateToken reports whether s is the canonical unpadded base64url of size
// bytes. The error wraps ErrToken.
func ValidateToken(s string, size int) error {
	_, err := decode(s, size)
	return err
}

func encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func decode(s string, size int) ([]byte, error) {
	if len(s) != base64.RawURLEncoding.EncodedLen(size) {
		return nil, fmt.Errorf("%w: %d characters where %d bytes of base64url belong", ErrToken, len(s), size)
	}
	// A line break, which the decoder skips, leaves too few bytes.
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(raw) != size {
		return nil, fmt.Errorf("%w: not canonical base64url", ErrToken)
	}
	return raw, nil
}

// open verifies a token's signature and decodes its payload into v, a pointer
// to a struct of which every name must be there.
func open(typ, compact string, limit int, v any) (from identity.PeerID, err error) {
	if len(compact) > limit {
		return "", check.Refused(check.Form, fmt.Errorf("%w: longer than %d bytes", ErrToken, limit))
	}
	payload, from, err := identity.VerifyTyped(typ, compact)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrToken, err)
	}
	if err := strictjson.Unmarshal(payload, v); err != nil {
		return "", check.Refused(check.Form, fmt.Errorf("%w: %w", ErrToken, err))
	}
	if err := complete(payload, reflect.TypeOf(v)); err != nil {
		return "", check.Refused(check.Form, err)
	}
	return from, nil
}

// signedBy makes sure that whoever a token says it is from signed it.
func signedBy(from, issuer identity.PeerID) error {
	if !check.Off(check.Sender) && from != issuer {
		return check.Refused(check.Sender, fmt.Errorf("%w: signed by somebody else", ErrToken))
	}
	return nil
}

// complete reports whether a JSON value that fits t leaves none of its names
// out and has no null: a reader that has other defaults would understand it
// differently.
func complete(data []byte, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	data = bytes.TrimSpace(data)
	if string(data) == "null" {
		return fmt.Errorf("%w: null in it", ErrToken)
	}
	switch t.Kind() { //nolint:exhaustive // the others hold nothing that could be missing
	case reflect.Struct:
		var members map[string]json.RawMessage
		if err := json.Unmarshal(data, &members); err != nil {
			return fmt.Errorf("%w: %w", ErrToken, err)
		}
		for f := range t.Fields() {
			name := f.Tag.Get("json")
			if name == "" {
				continue
			}
			if _, ok := members[name]; !ok {
				return fmt.Errorf("%w: %q is missing", ErrToken, name)
			}
			if err := complete(members[name], f.Type); err != nil {
				return err
			}
		}
	case reflect.Slice:
		var items []json.RawMessage
		if err := json.Unmarshal(data, &items); err != nil {
			return fmt.Errorf("%w: %w", ErrToken, err)
		}
		for _, item := range items {
			if err := complete(item, t.Elem()); err != nil {
				return err
			}
		}
	}
	return nil
}

// sign makes a token.
func sign(id *identity.Identity, typ string, limit int, v any) (string, error) {
	var payload bytes.Buffer
	enc := json.NewEncoder(&payload)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", fmt.Errorf("encode a token: %w", err)
	}
	compact, err := identity.SignTyped(id, typ, bytes.TrimRight(payload.Bytes(), "\n"))
	if errors.Is(err, identity.ErrTooLarge) || err == nil && len(compact) > limit {
		return "", ErrTooLong
	}
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return compact, nil
}

// ValidateName reports whether s may be the name of a person or a device; what is
// the word for it in the error. The error wraps ErrToken.
func ValidateName(what, s string) error { return validateName(what, s) }

// validateName checks what is shown to people: no control characters, and none
// that turn the direction of what follows.
func validateName(what, s string) error {
	if utf8.RuneCountInString(s) > MaxName {
		return fmt.Errorf("%w: the %s is longer than %d characters", ErrToken, what, MaxName)
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, unprintable) {
		return fmt.Errorf("%w: the %s has characters that cannot be shown", ErrToken, what)
	}
	return nil
}

func unprintable(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// validateTime checks seconds since 1970.
func validateTime(what string, s, least int64) error {
	if s < least || s > maxInt {
		return fmt.Errorf("%w: %s is no time in seconds", ErrToken, what)
	}
	return nil
}

// validateAudience checks the id of a home or of a publisher.
func validateAudience(aud string) error {
	if identity.PeerID(aud).Validate() != nil && ValidateToken(aud, TokenSize) != nil {
		return fmt.Errorf("%w: aud is neither a home nor a publisher", ErrToken)
	}
	return nil
}
