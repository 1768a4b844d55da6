package identity

import (
	"crypto/ecdsa"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/strictjson"
)

const (
	// MaxJWS is the longest compact serialization that Sign makes and Verify
	// reads, in bytes.
	MaxJWS = 72 << 10
	// maxHeader bounds the protected header; the one we make has 247
	// characters.
	maxHeader = 1 << 10
	// jwsType is the "typ" of signaling's messages: no other protocol's
	// signature passes, nor one of ours that was made for something else.
	jwsType = "sightline+jws"
)

var (
	// ErrNotVerified is wrapped by every error of Verify: whatever came, it
	// proves nothing.
	ErrNotVerified = errors.New("not a valid signed message")
	// ErrTooLarge is returned by Sign when the result would exceed MaxJWS.
	ErrTooLarge = errors.New("message too large to sign")
)

// jwsHeader is the protected header, and all that may be in it.
type jwsHeader struct {
	Alg string    `json:"alg"`
	Typ string    `json:"typ"`
	JWK publicJWK `json:"jwk"`
}

// publicJWK is an EC public key (RFC 7518 §6.2.1), and all that may be in it.
// "d" above all may not.
type publicJWK struct {
	Kty string `json:"kty"`
	Crv string `json:"crv"`
	X   string `json:"x"`
	Y   string `json:"y"`
}

// Sign makes a compact JWS of the type of signaling's messages, "sightline+jws".
func Sign(id *Identity, payload []byte) (string, error) {
	return SignTyped(id, jwsType, payload)
}

// SignTyped makes a compact JWS (RFC 7515 §7.1) over payload: ES256, protected
// header {"alg":"ES256","typ":typ,"jwk":{public key}}.
func SignTyped(id *Identity, typ string, payload []byte) (string, error) {
	if len(payload) > MaxJWS {
		return "", ErrTooLarge
	}
	opts := &jose.SignerOptions{EmbedJWK: true}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: cryptosigner.Opaque(id.signer)},
		opts.WithType(jose.ContentType(typ)))
	if err != nil {
		return "", fmt.Errorf("prepare to sign: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		return "", fmt.Errorf("serialize the signature: %w", err)
	}
	if len(compact) > MaxJWS {
		return "", ErrTooLarge
	}
	return compact, nil
}

// Verify checks a compact JWS of the type of signaling's messages.
func Verify(compact string) (payload []byte, from PeerID, err error) {
	return VerifyTyped(jwsType, compact)
}

// VerifyTyped checks a compact JWS of the given "typ" and returns its payload
// and the PeerID of the key that signed it. The key comes with the message, so
// it says only who signed; whether that peer may do anything is the caller's
// question.
//
// Accepted is exactly what SignTyped makes: ES256, a key on P-256, the three
// header members in any order and no other, canonical unpadded base64url, at
// most MaxJWS bytes. Everything else is ErrNotVerified.
func VerifyTyped(typ, compact string) (payload []byte, from PeerID, err error) {
	payload, from, err = verify(typ, compact)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", ErrNotVerified, err)
	}
	return payload, from, nil
}

func verify(typ, compact string) (payload []byte, from PeerID, err error) {
	if len(compact) > MaxJWS {
		return nil, "", check.Refused(check.Form, fmt.Errorf("longer than %d bytes", MaxJWS))
	}
	if check.Off(check.Algorithm) {
		if payload, from, ok := withoutAlgorithm(compact); ok {
			return payload, from, nil
		}
	}
	if err := checkShape(typ, compact); err != nil {
		return nil, "", check.Refused(check.Form, err)
	}
	jws, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return nil, "", check.Refused(check.Form, err)
	}
	jwk := jws.Signatures[0].Protected.JSONWebKey
	if jwk == nil {
		return nil, "", check.Refused(check.Form, errors.New("no key in the header"))
	}
	public, ok := jwk.Key.(*ecdsa.PublicKey)
	if !ok {
		return nil, "", check.Refused(check.Algorithm, ErrKey)
	}
	if from, err = PeerIDOf(public); err != nil {
		return nil, "", check.Refused(check.Algorithm, err)
	}
	if check.Off(check.Signature) {
		return jws.UnsafePayloadWithoutVerification(), from, nil
	}
	if payload, err = jws.Verify(public); err != nil {
		return nil, "", check.Refused(check.Signature, errors.New("the signature is wrong"))
	}
	return payload, from, nil
}

// checkShape looks at the serialization and the header before any cryptography,
// and more strictly than a general library may.
func checkShape(typ, compact string) error {
	protected, rest, _ := strings.Cut(compact, ".")
	body, signature, ok := strings.Cut(rest, ".")
	if !ok {
		return errors.New("not three parts")
	}
	if len(protected) > maxHeader {
		return errors.New("the header is too long")
	}
	var raw []byte
	for _, part := range []string{body, signature, protected} {
		var err error
		if raw, err = decodeSegment(part); err != nil {
			return err
		}
	}
	var header jwsHeader
	if err := strictjson.Unmarshal(raw, &header); err != nil {
		return fmt.Errorf("the header: %w", err)
	}
	switch {
	case header.Alg != string(jose.ES256):
		return check.Refused(check.Algorithm, errors.New("the algorithm is not ES256"))
	case header.Typ != typ:
		return errors.New("the type is not " + typ)
	case header.JWK.Kty != "EC" || header.JWK.Crv != "P-256":
		return check.Refused(check.Algorithm, ErrKey)
	case len(header.JWK.X) != coordinateLen || len(header.JWK.Y) != coordinateLen:
		return ErrKey
	}
	return nil
}

// coordinateLen is the base64url length of 32 bytes.
const coordinateLen = 43

// decodeSegment decodes unpadded base64url and refuses second spellings of the
// same bytes: line breaks (which Go's decoder skips) and stray trailing bits.
func decodeSegment(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("a line break in base64url")
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, errors.New("not canonical base64url")
	}
	return raw, nil
}
