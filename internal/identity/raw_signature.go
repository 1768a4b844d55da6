package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
)

// RawSignatureSize is how many bytes SignRaw returns: r and s, 32 each (RFC 7518
// §3.4, without any encoding around them).
const RawSignatureSize = 64

// PointSize is the length of a compressed P-256 point (SEC 1 §2.3.3).
const PointSize = 33

// SignRaw signs bytes by ECDSA with SHA-256, for messages too short for a JWS.
// They must begin with what no other message of a peer begins with.
func (i *Identity) SignRaw(message []byte) ([]byte, error) {
	digest := sha256.Sum256(message)
	der, err := i.signer.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	var sig struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &sig); err != nil || len(rest) > 0 || sig.R.BitLen() > 256 || sig.S.BitLen() > 256 {
		return nil, errors.New("sign: the key's signature cannot be read")
	}
	out := make([]byte, RawSignatureSize)
	sig.R.FillBytes(out[:32])
	sig.S.FillBytes(out[32:])
	return out, nil
}

// Point returns the public key as a compressed point.
func (i *Identity) Point() ([]byte, error) {
	full, err := uncompressed(i.public)
	if err != nil {
		return nil, err
	}
	return append([]byte{2 + full[64]&1}, full[1:33]...), nil
}

// parsePoint reads a compressed point.
func parsePoint(point []byte) (*ecdsa.PublicKey, error) {
	x, y := elliptic.UnmarshalCompressed(elliptic.P256(), point)
	if x == nil {
		return nil, errors.New("not a P-256 key")
	}
	full := make([]byte, 65)
	full[0] = 4
	x.FillBytes(full[1:33])
	y.FillBytes(full[33:])
	return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), full)
}

// VerifyRaw checks a SignRaw signature by the key of a compressed point, and
// returns whose it is.
func VerifyRaw(point, message, signature []byte) (PeerID, error) {
	public, err := parsePoint(point)
	if err != nil {
		return "", err
	}
	if len(signature) != RawSignatureSize {
		return "", errors.New("the signature has another length")
	}
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	digest := sha256.Sum256(message)
	if !ecdsa.Verify(public, digest[:], r, s) {
		return "", errors.New("the signature is not that key's")
	}
	return PeerIDOf(public)
}

// PointPeer returns whose key a compressed point is.
func PointPeer(point []byte) (PeerID, error) {
	public, err := parsePoint(point)
	if err != nil {
		return "", err
	}
	return PeerIDOf(public)
}
