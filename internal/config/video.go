package config

// Video is what a camera of this machine is to deliver. The zero value of each field
// means that it is chosen.
type Video struct {
	// Format is the camera's format, by the four letters of Video for Linux.
	Format PixelFormat `yaml:"format"`
	// Size is in pixels.
	Size Resolution `yaml:"size"`
	// Rate is in pictures a second; the nearest that the camera has is taken.
	Rate Rate `yaml:"rate"`
	// Bitrate is in bit/s, of the video that leaves here.
	Bitrate Bitrate `yaml:"bitrate"`
	// KeyInterval is the time from one key frame to the next. Default 2 s.
	KeyInterval KeyInterval `yaml:"keyInterval"`
}
