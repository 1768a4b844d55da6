package cli

import (
	"fmt"

	"github.com/sightline-cam/sightline/internal/config"
)

// Video is what cameras of this machine are to deliver.
type Video struct {
	Format      string `help:"Format that cameras of this machine deliver: H264, HEVC, MJPG, YUYV. Default: the best; --list shows it." placeholder:"H264"`
	Size        string `help:"Width and height of their pictures." placeholder:"1280x720"`
	Rate        string `help:"Their pictures a second." placeholder:"30"`
	Bitrate     string `help:"Bits a second of their video." placeholder:"3M"`
	KeyInterval string `help:"Time from one key frame of theirs to the next. Default 2s." placeholder:"2s"`
}

// settings reads the flags.
func (v *Video) settings() (out config.Video, err error) {
	for _, f := range []struct {
		flag, text string
		to         interface{ UnmarshalText(text []byte) error }
	}{
		{"--format", v.Format, &out.Format}, {"--size", v.Size, &out.Size}, {"--rate", v.Rate, &out.Rate},
		{"--bitrate", v.Bitrate, &out.Bitrate}, {"--key-interval", v.KeyInterval, &out.KeyInterval},
	} {
		if f.text == "" {
			continue
		}
		if err := f.to.UnmarshalText([]byte(f.text)); err != nil {
			return config.Video{}, fmt.Errorf("%s %w", f.flag, err)
		}
	}
	return out, nil
}
