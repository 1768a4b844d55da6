package config

import "fmt"

// device completes a camera of which no stream comes through the network: what is about
// a network camera alone has no meaning.
func (k *check) device(cam *Camera, at string) {
	for _, o := range []struct {
		key string
		set bool
	}{
		{"transport", cam.Transport != ""},
		{"username", cam.Username != "" || !cam.Password.IsZero()},
		{"passwordFile", cam.PasswordFile != ""},
		{"passwordEnv", cam.PasswordEnv != ""},
		{"tls", cam.TLS != TLS{}},
	} {
		if o.set {
			k.bad(at+"."+o.key, "is for cameras in the network (rtsp://…), and %s is one of this machine; remove it", cam.URL)
		}
	}
}

// video checks that what is said about the pictures is said of cameras of this machine.
func (k *check) video(cam *Camera, at string) {
	const network = "is for a camera of this machine (/dev/video0); what a camera in the network sends is set in the camera: remove it"
	if cam.Video != (Video{}) && !cam.URL.IsZero() && !cam.URL.IsDevice() {
		k.bad(at+".video", network)
	}
	switch {
	case cam.SubVideo == (Video{}):
	case cam.Sub.IsZero():
		k.bad(at+".subVideo", "there is no second stream; give its address in sub, or remove it")
	case !cam.Sub.IsDevice():
		k.bad(at+".subVideo", network)
	}
}

// devicesOnce checks that no device stands twice: it gives its pictures to one reader.
func (k *check) devicesOnce() {
	first := map[string]string{}
	for i := range k.c.Cameras {
		for _, s := range []struct {
			key     string
			address Address
		}{{"url", k.c.Cameras[i].URL}, {"sub", k.c.Cameras[i].Sub}} {
			if !s.address.IsDevice() {
				continue
			}
			at := fmt.Sprintf("cameras[%d].%s", i, s.key)
			if other, twice := first[s.address.Target()]; twice {
				k.bad(at, "%s is also cameras%s, and a device gives its pictures once; one camera serves all its viewers: remove this one", s.address, other)
				continue
			}
			first[s.address.Target()] = at[len("cameras"):]
		}
	}
}
