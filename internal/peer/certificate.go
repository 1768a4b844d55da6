package peer

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/pion/dtls/v3"
	"github.com/pion/webrtc/v4"
)

// srtpProfiles are the SRTP profiles in order of preference.
func srtpProfiles() []dtls.SRTPProtectionProfile {
	return []dtls.SRTPProtectionProfile{dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AEAD_AES_256_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80}
}

// dtlsCertificate turns an identity's certificate into pion's form.
func dtlsCertificate(c tls.Certificate) (webrtc.Certificate, error) {
	if len(c.Certificate) == 0 || c.PrivateKey == nil {
		return webrtc.Certificate{}, errors.New("a peer needs a certificate with its key")
	}
	leaf := c.Leaf
	if leaf == nil {
		var err error
		if leaf, err = x509.ParseCertificate(c.Certificate[0]); err != nil {
			return webrtc.Certificate{}, fmt.Errorf("parse the peer's certificate: %w", err)
		}
	}
	return webrtc.CertificateFromX509(c.PrivateKey, leaf), nil
}
