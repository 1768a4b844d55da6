package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/camera"
	"github.com/sightline-cam/sightline/camera/rtsp"
	"github.com/sightline-cam/sightline/camera/v4l2"
	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/codecs/h264"
	"github.com/sightline-cam/sightline/codecs/h265"
	"github.com/sightline-cam/sightline/internal/config"
)

const (
	// maxLookers bounds the cameras that are looked at at the same time.
	maxLookers = 64
	// answerPatience is how long a camera has to answer.
	answerPatience = 8 * time.Second
)

// Look is what a stream of a camera showed in a few seconds.
type Look struct {
	Camera string `json:"camera"` // its name
	// Address is the stream's, without credentials.
	Address string `json:"address"`
	// Second says that it is the camera's second stream.
	Second bool   `json:"second"`
	Codec  string `json:"codec"`
	// Width and Height are in pixels, 0 if the camera did not say.
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Audio  string `json:"audio"` // empty for none
	// PictureMs is how long the first picture that a viewer can begin with took, in
	// milliseconds; 0 if none came in time.
	PictureMs int64 `json:"pictureMs"`
	// Warnings are defects, and what to change.
	Warnings []string `json:"warnings"`
	// Problem is why nothing can be seen, and what to do. Empty if all is well.
	Problem string `json:"problem,omitempty"`
	// Busy says that the problem is another program, or the agent, using the camera of
	// this machine.
	Busy bool `json:"-"`
}

// Settings returns what the flags and the configuration file say, as Run uses it,
// after it has asked for the password that the flags want asked for.
func (c *Camera) Settings(ctx context.Context, p *Process) (*config.Config, error) {
	if err := c.askFirst(ctx, p); err != nil {
		return nil, err
	}
	cfg, _, err := c.settings(nil)
	return cfg, err
}

// LookAt connects to each camera once, and then to its second stream, many at the
// same time, until ctx ends. A camera that refuses the password is asked once:
// some lock out who keeps on trying.
func LookAt(ctx context.Context, cameras []config.Camera) []Look {
	looks := make([][]Look, len(cameras))
	slots := make(chan struct{}, maxLookers)
	var wg sync.WaitGroup
	for i := range cameras {
		wg.Go(func() {
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
			case <-ctx.Done():
				looks[i] = []Look{{Camera: cameras[i].Name, Address: cameras[i].URL.String(), Warnings: []string{},
					Problem: "there was no time left to look at it; look at fewer cameras at once"}}
				return
			}
			c := &cameras[i]
			main := lookAtStream(ctx, mainOf(c))
			looks[i] = append(looks[i], main)
			if !c.Sub.IsZero() && main.Problem == "" {
				sub := lookAtStream(ctx, subOf(c))
				sub.Second = true
				looks[i] = append(looks[i], sub)
			}
		})
	}
	wg.Wait()
	all := []Look{}
	for _, l := range looks {
		all = append(all, l...)
	}
	return all
}

func lookAtStream(ctx context.Context, s stream) Look {
	l := Look{Camera: s.camera.Name, Address: s.address.String(), Warnings: []string{}}
	source, err := s.brief()
	if err != nil {
		l.Problem = err.Error()
		return l
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := &looker{look: &l, start: time.Now(), done: cancel, warnings: map[string]string{}}
	err = source.Run(ctx, out)
	for _, kind := range slices.Sorted(maps.Keys(out.warnings)) {
		l.Warnings = append(l.Warnings, out.warnings[kind])
	}
	if !out.seen {
		l.Problem, l.Busy = s.problem(err, l.Codec != "")
	}
	return l
}

// brief returns a source that has a few seconds to answer.
func (s stream) brief() (camera.Source, error) {
	if s.address.IsDevice() {
		return s.source(nil)
	}
	o := s.networkOptions(nil)
	o.SetupTimeout = answerPatience
	source, err := rtsp.New(o)
	if err != nil {
		return nil, err
	}
	return source, nil
}

// problem says why a stream showed nothing until err; answered says that it told at least
// what it would show.
func (s stream) problem(err error, answered bool) (text string, busy bool) {
	if refused, ok := errors.AsType[*rtsp.Error](err); ok {
		return refused.Error(), false
	}
	if refused, ok := errors.AsType[*v4l2.Error](err); ok {
		return refused.Error(), refused.Reason == v4l2.Busy
	}
	device := s.address.IsDevice()
	switch {
	case answered && device:
		return "the camera is set up, but no picture that one can begin with came in time; unplug it and plug it in again", false
	case answered:
		return "the camera answers, but no picture came in time; shorten its key frame interval, and check its network", false
	case device:
		return fmt.Sprintf("%s did not answer in time; unplug it and plug it in again", s.address), false
	}
	return fmt.Sprintf("%s did not answer in time; check that it has power and network", s.address.Host()), false
}

// looker writes down what a camera sends, until the first key frame. It is used
// by one goroutine, and read when that has ended.
type looker struct {
	look     *Look
	start    time.Time
	done     func()
	tracks   []codecs.Track
	seen     bool
	warnings map[string]string
}

var _ camera.Output = (*looker)(nil)

// SetTracks implements camera.Output.
func (l *looker) SetTracks(tracks []codecs.Track) {
	l.tracks = tracks
	for _, t := range tracks {
		if !t.Codec.Video() {
			l.look.Audio = t.Codec.String()
			continue
		}
		l.look.Codec = t.Codec.String()
		l.size(t.Codec, t.SPS)
	}
}

// WriteUnit implements camera.Output.
func (l *looker) WriteUnit(u *codecs.Unit) {
	if u.Track >= len(l.tracks) || !l.tracks[u.Track].Codec.Video() || !u.Key || l.seen {
		return
	}
	l.seen = true
	l.look.PictureMs = max(1, time.Since(l.start).Milliseconds())
	l.done()
}

// Warn implements camera.Output.
func (l *looker) Warn(kind, text string) {
	delete(l.warnings, kind)
	if text != "" {
		l.warnings[kind] = text
	}
}

// size reads the picture's size from its parameter set.
func (l *looker) size(codec codecs.Codec, sps []byte) {
	switch {
	case sps == nil:
	case codec == codecs.H264:
		if info, err := h264.ParseSPS(sps); err == nil {
			l.look.Width, l.look.Height = info.Width, info.Height
		}
	case codec == codecs.H265:
		if info, err := h265.ParseSPS(sps); err == nil {
			l.look.Width, l.look.Height = info.Width, info.Height
		}
	}
}
