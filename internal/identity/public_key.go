package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"math/big"
	"slices"
)

const base58Alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// ErrKey is returned for a key that is not a valid ECDSA P-256 key.
var ErrKey = errors.New("not an ECDSA P-256 key")

// DIDKey returns the did:key form of a public key (did:key Method v0.7 §3.1:
// multicodec p256-pub 0x1200, compressed point, base58btc), always beginning
// with "did:key:zDn". It takes the key, because a PeerID is only its hash.
func DIDKey(pub *ecdsa.PublicKey) (string, error) {
	point, err := uncompressed(pub)
	if err != nil {
		return "", err
	}
	// 0x1200 as an unsigned varint, then SEC 1 §2.3.3 with compression.
	coded := append([]byte{0x80, 0x24, 2 + point[64]&1}, point[1:33]...)
	return "did:key:z" + base58(coded), nil
}

// uncompressed returns the key as 0x04, X, Y (65 bytes).
func uncompressed(pub *ecdsa.PublicKey) ([]byte, error) {
	if pub == nil || pub.Curve != elliptic.P256() {
		return nil, ErrKey
	}
	point, err := pub.Bytes() // checks that the point is on the curve
	if err != nil {
		return nil, ErrKey
	}
	return point, nil
}

// base58 encodes data whose first byte is not zero.
func base58(data []byte) string {
	n := new(big.Int).SetBytes(data)
	radix, digit := big.NewInt(58), new(big.Int)
	var out []byte
	for n.Sign() > 0 {
		n.DivMod(n, radix, digit)
		out = append(out, base58Alphabet[digit.Int64()])
	}
	slices.Reverse(out)
	return string(out)
}
