package cli

import (
	"fmt"
	"log/slog"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/codecs/mediasign"
	"github.com/sightline-cam/sightline/internal/identity"
)

// Signers returns what makes a signer for each rendition of a camera, with the
// device's key. What it signs names the camera and the rendition.
func Signers(id *identity.Identity, cameraID, version string, log *slog.Logger) (func(rendition int) camera.Signer, error) {
	leaf, _, err := signingCertificates(id)
	if err != nil {
		return nil, err
	}
	o := mediasign.Options{
		Key: id.Signer(), Chain: [][]byte{leaf}, Serial: string(id.PeerID()), Version: version,
		Changed: func(s mediasign.Status) {
			switch s.State {
			case mediasign.SteppedBack:
				log.Info("the camera signs its picture itself", "camera", cameraID)
			case mediasign.Failing:
				log.Warn("the picture is not signed", "camera", cameraID, "reason", s.Reason)
			default:
				log.Debug("signing of the picture", "camera", cameraID, "state", s.State.String())
			}
		},
	}
	if _, err := mediasign.New(o); err != nil { // once, so that the others cannot fail
		return nil, err
	}
	return func(rendition int) camera.Signer {
		o := o
		o.Camera = cameraID + "/" + "main"
		if rendition > 0 {
			o.Camera = cameraID + "/" + "sub"
		}
		s, err := mediasign.New(o)
		if err != nil {
			return nil
		}
		return s
	}, nil
}

// signingCertificates returns the certificate that goes into the video, and the one
// that others trust. They are the same each time.
func signingCertificates(id *identity.Identity) (leaf, root []byte, err error) {
	leaf, root, err = mediasign.Certify(id.Signer(), "sightline "+string(id.PeerID())[:16])
	if err != nil {
		return nil, nil, fmt.Errorf("make the certificate for signing pictures: %w", err)
	}
	return leaf, root, nil
}
