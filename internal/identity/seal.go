package identity

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/strictjson"
)

const (
	// MaxSealed is the longest sealed message that Seal makes of a JWS and
	// Unseal reads, in bytes.
	MaxSealed = 98 << 10
	// sealedType is the header's "typ".
	sealedType = "sightline+jwe"

	ivLen  = 16 // characters: 12 bytes
	tagLen = 22 // characters: 16 bytes
)

// ErrNotSealed is wrapped by every error of Unseal: whatever came, it is not
// encrypted to this peer's key, or was changed on the way.
var ErrNotSealed = errors.New("not a message sealed for this peer")

// sealedHeader is the protected header, and all that may be in it. No "zip":
// nothing is ever inflated.
type sealedHeader struct {
	Alg string    `json:"alg"`
	Enc string    `json:"enc"`
	Typ string    `json:"typ"`
	EPK publicJWK `json:"epk"`
}

// Seal encrypts a message to a peer's agreement key: a compact JWE (RFC 7516
// §7.1), ECDH-ES (RFC 7518 §4.6, a fresh key for every message, no party info)
// with A256GCM. It hides and protects, and says nothing about who wrote: what is
// inside is signed and names its receiver.
func Seal(to AgreementKey, plaintext []byte) (string, error) {
	if len(plaintext) > MaxJWS {
		return "", ErrTooLarge
	}
	public, err := to.public()
	if err != nil {
		return "", fmt.Errorf("seal a message: %w", err)
	}
	opts := &jose.EncrypterOptions{}
	enc, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.ECDH_ES, Key: public}, opts.WithType(sealedType))
	if err != nil {
		return "", fmt.Errorf("prepare to seal a message: %w", err)
	}
	sealed, err := enc.Encrypt(plaintext)
	if err != nil {
		return "", fmt.Errorf("seal a message: %w", err)
	}
	compact, err := sealed.CompactSerialize()
	if err != nil {
		return "", fmt.Errorf("serialize a sealed message: %w", err)
	}
	return compact, nil
}

// Unseal decrypts what was sealed to this identity's AgreementKey. Accepted is
// exactly the form that Seal makes. Errors wrap ErrNotSealed.
func (i *Identity) Unseal(compact string) ([]byte, error) {
	plaintext, err := i.unseal(compact)
	if err != nil {
		return nil, check.Refused(check.Sealed, fmt.Errorf("%w: %w", ErrNotSealed, err))
	}
	return plaintext, nil
}

func (i *Identity) unseal(compact string) ([]byte, error) {
	if len(compact) > MaxSealed {
		return nil, fmt.Errorf("longer than %d bytes", MaxSealed)
	}
	if err := checkSealedShape(compact); err != nil {
		return nil, err
	}
	sealed, err := jose.ParseEncryptedCompact(compact, []jose.KeyAlgorithm{jose.ECDH_ES}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil {
		return nil, err
	}
	plaintext, err := sealed.Decrypt(i.agreement)
	if err != nil {
		return nil, errors.New("it cannot be opened with this peer's key")
	}
	return plaintext, nil
}

// checkSealedShape looks at the serialization and the header before any
// cryptography.
func checkSealedShape(compact string) error {
	parts := strings.Split(compact, ".")
	if len(parts) != 5 || parts[1] != "" {
		return errors.New("not the five parts of a message encrypted directly")
	}
	if len(parts[0]) > maxHeader {
		return errors.New("the header is too long")
	}
	for _, part := range parts[2:] {
		if _, err := decodeSegment(part); err != nil {
			return err
		}
	}
	// A general library takes a longer tag, so that one message has several forms.
	if len(parts[2]) != ivLen || len(parts[4]) != tagLen {
		return errors.New("the iv has not 12 bytes, or the tag not 16")
	}
	raw, err := decodeSegment(parts[0])
	if err != nil {
		return err
	}
	var h sealedHeader
	if err := strictjson.Unmarshal(raw, &h); err != nil {
		return fmt.Errorf("the header: %w", err)
	}
	switch {
	case h.Alg != string(jose.ECDH_ES) || h.Enc != string(jose.A256GCM):
		return errors.New("the algorithms are not ECDH-ES and A256GCM")
	case h.Typ != sealedType:
		return errors.New("the type is not " + sealedType)
	case h.EPK.Kty != "EC" || h.EPK.Crv != "P-256":
		return ErrKey
	}
	_, err = joinPoint(h.EPK.X, h.EPK.Y)
	return err
}
