package config

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/sightline-cam/sightline/signaling"
)

// Limits of a camera's settings.
const (
	maxCameraName = 100  // characters
	maxPassword   = 1024 // bytes
)

// cameras completes all cameras.
func (k *check) cameras() {
	cameras := k.c.Cameras
	switch {
	case len(cameras) == 0 && len(k.c.Remotes) == 0:
		k.bad("cameras", "no camera; add one with its url")
	case len(cameras) > maxCameras:
		k.bad("cameras", "more than %d cameras; run a second agent for the others", maxCameras)
		return
	}
	ids := map[string]int{}
	for i := range cameras {
		cam := &cameras[i]
		at := fmt.Sprintf("cameras[%d]", i)
		k.camera(cam, at, i)
		if first, taken := ids[cam.ID]; taken {
			k.bad(at+".id", "%q is also the id of cameras[%d]; choose another", cam.ID, first)
		} else {
			ids[cam.ID] = i
		}
	}
	k.devicesOnce()
}

// camera completes one camera, which stands at the path at.
func (k *check) camera(cam *Camera, at string, i int) {
	cam.Name = strings.TrimSpace(cam.Name)
	if cam.ID == "" {
		cam.ID = slug(cam.Name)
	}
	if cam.ID == "" {
		cam.ID = fmt.Sprintf("cam%d", i+1)
	}
	if cam.Name == "" {
		cam.Name = cam.ID
	}
	if signaling.ValidateCameraID(cam.ID) != nil {
		k.bad(at+".id", "must be 1 to %d of a-z, 0-9, \"-\" and \"_\", the first a letter or digit", signaling.MaxCameraID)
	}
	if len([]rune(cam.Name)) > maxCameraName || strings.ContainsFunc(cam.Name, unprintable) {
		k.bad(at+".name", "must be at most %d printable characters", maxCameraName)
	}
	if cam.URL.IsZero() {
		// Without a line of its own the key takes the camera's.
		if line, ok := k.c.lines[at]; ok {
			if _, ok := k.c.lines[at+".url"]; !ok {
				k.c.lines[at+".url"] = line
			}
		}
		k.bad(at+".url", "is missing; write the camera's address, for example rtsp://192.0.2.7/stream1, or /dev/video0 for a camera of this machine")
	}
	k.video(cam, at)
	if cam.URL.IsDevice() && (cam.Sub.IsZero() || cam.Sub.IsDevice()) {
		k.device(cam, at)
		return
	}
	k.transport(cam, at)
	k.credentials(cam, at)
	k.tls(cam, at)
}

// transport fills in how RTP comes. A value that did not come through UnmarshalText is
// checked here.
func (k *check) transport(cam *Camera, at string) {
	if cam.Transport == "" {
		cam.Transport = TransportAuto
	} else if err := cam.Transport.UnmarshalText([]byte(cam.Transport)); err != nil {
		k.bad(at+".transport", "%v", err)
	}
}

// credentials finds the camera's user name and password.
func (k *check) credentials(cam *Camera, at string) {
	name, secret := cam.URL.Username(), cam.URL.Password()
	if name == "" && secret.IsZero() {
		name, secret = cam.Sub.Username(), cam.Sub.Password()
	}
	switch {
	case cam.Username == "":
		cam.Username = name
	case name != "" && name != cam.Username:
		k.bad(at+".username", "differs from the user name in the URL; remove one")
	}

	given := 0
	for _, set := range []bool{!cam.Password.IsZero(), cam.PasswordFile != "", cam.PasswordEnv != "", !secret.IsZero()} {
		if set {
			given++
		}
	}
	switch {
	case given > 1:
		k.bad(at+".passwordFile", "the password is given more than once; give it by prompt or stdin, by passwordFile, by passwordEnv or in the URL")
	case cam.PasswordFile != "":
		k.passwordFile(cam, at+".passwordFile")
	case cam.PasswordEnv != "":
		value, ok := os.LookupEnv(cam.PasswordEnv)
		switch {
		case !ok || value == "":
			k.bad(at+".passwordEnv", "the environment variable it names is not set")
		case len(value) > maxPassword:
			k.bad(at+".passwordEnv", "the password is longer than %d bytes", maxPassword)
		default:
			cam.Password = NewSecret(value)
		}
	case !secret.IsZero():
		cam.Password = secret
		k.warn(at+".url", "the password in the URL works, but whoever sees this file or the list of processes can read it; use passwordFile or passwordEnv")
	}
	if !cam.Password.IsZero() && cam.Username == "" {
		k.bad(at+".username", "there is a password and no user name; add it")
	}
}

// passwordFile reads a password from a file.
func (k *check) passwordFile(cam *Camera, key string) {
	f, err := os.Open(cam.PasswordFile)
	if err != nil {
		k.bad(key, "%v; create it with the password in it", err)
		return
	}
	defer f.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(io.LimitReader(f, maxPassword+2))
	if err != nil {
		k.bad(key, "%v", err)
		return
	}
	text = bytes.TrimRight(text, "\r\n")
	switch {
	case len(text) == 0:
		k.bad(key, "%s is empty; write the password into it", cam.PasswordFile)
	case len(text) > maxPassword || bytes.ContainsAny(text, "\r\n\x00"):
		k.bad(key, "%s must hold one line of at most %d bytes", cam.PasswordFile, maxPassword)
	default:
		cam.Password = NewSecret(string(text))
	}
	if info, err := f.Stat(); err == nil && info.Mode().Perm()&0o077 != 0 {
		k.warn(key, "other users can read %s; run: chmod 600 %s", cam.PasswordFile, cam.PasswordFile)
	}
}

// tls checks how the camera's certificate is trusted.
func (k *check) tls(cam *Camera, at string) {
	if cam.TLS == (TLS{}) {
		return
	}
	if !cam.URL.IsZero() && cam.URL.Scheme() != "rtsps" && cam.Sub.Scheme() != "rtsps" {
		k.bad(at+".tls", "is for rtsps:// cameras; use an rtsps:// URL or remove it")
	}
	if cam.TLS.Fingerprint != "" {
		const sha256Bytes = 32
		plain := strings.ToLower(strings.ReplaceAll(cam.TLS.Fingerprint, ":", ""))
		if sum, err := hex.DecodeString(plain); err != nil || len(sum) != sha256Bytes {
			k.bad(at+".tls.fingerprint", "must be the SHA-256 of the certificate, 64 hex digits, as printed by: openssl x509 -noout -fingerprint -sha256")
		}
		cam.TLS.Fingerprint = plain
		if cam.TLS.Insecure {
			k.bad(at+".tls.insecure", "makes no sense together with fingerprint; remove it")
		}
		return
	}
	if cam.TLS.Insecure {
		k.warn(at+".tls.insecure", "anyone between here and the camera can read its password and video; use fingerprint")
	}
}

// idRune reports what a camera's id may hold; signaling.ValidateCameraID has the
// whole rule.
func idRune(r rune) bool {
	return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '-' || r == '_'
}

// unprintable reports control characters, which have no place in a name.
func unprintable(r rune) bool { return r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' }

// slug makes an id of a name: "Front door" -> "front-door". It may be empty.
func slug(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !idRune(r) })
	id := strings.TrimLeft(strings.Join(words, "-"), "-_")
	return id[:min(len(id), signaling.MaxCameraID)]
}
