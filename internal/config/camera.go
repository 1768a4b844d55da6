package config

// Camera is one camera of the agent.
type Camera struct {
	// ID is the camera's name in URLs and messages: a-z, 0-9, "-" and
	// "_", at most 64, different for each camera. Default: made from Name, or
	// "cam1", "cam2", … by position.
	ID string `yaml:"id"`
	// Name is what people see. Default: ID.
	Name string `yaml:"name"`
	// URL is the camera's main stream: rtsp://, rtsps:// or a device of this machine.
	// Required.
	URL Address `yaml:"url"`
	// Sub is a second stream of the same camera at a lower rate, used for
	// viewers with a slow link. Default: none.
	Sub Address `yaml:"sub"`
	// Video says what the device at URL is to deliver, SubVideo that at Sub. For cameras
	// of this machine only.
	Video    Video `yaml:"video"`
	SubVideo Video `yaml:"subVideo"`
	// Transport is how RTP comes from the camera. Default: TransportAuto. This, and all
	// that is about passwords and TLS, is for cameras in the network.
	Transport Transport `yaml:"transport"`
	// Username is for a camera that wants one; it may stand in the URL instead.
	Username string `yaml:"username"`
	// PasswordFile is a file that holds the password and nothing else.
	PasswordFile string `yaml:"passwordFile"`
	// PasswordEnv is the name of an environment variable that holds the password.
	PasswordEnv string `yaml:"passwordEnv"`
	// TLS says how to trust an rtsps:// camera.
	TLS TLS `yaml:"tls"`
	// Recording says how the command nvr records it.
	Recording CameraRecording `yaml:"recording"`

	// Password is what Complete found in PasswordFile, PasswordEnv or the
	// URL. A caller that has it from a prompt or from stdin sets it before
	// Complete. It is no key of the file.
	Password Secret `yaml:"-"`
}

// TLS says how to trust a camera's certificate. The zero value verifies it
// against the system's roots and the host name.
type TLS struct {
	// Fingerprint is the SHA-256 of the camera's certificate in hex, with or
	// without colons; that certificate alone is then trusted. Complete brings
	// it into lower case without colons.
	Fingerprint string `yaml:"fingerprint"`
	// Insecure accepts any certificate. Anyone on the way can then read the
	// password and the video.
	Insecure bool `yaml:"insecure"`
}
