package nvr

import (
	"time"

	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/recordings/recorder"
	"github.com/sightline-cam/sightline/recordings/retention"
)

// policyOf turns settings into what the recorder goes by.
func policyOf(s config.CameraRecording) (recorder.Policy, error) {
	p := recorder.Policy{
		Renditions: s.Renditions, Audio: !s.NoAudio, OnEvent: s.OnEvent,
		PreRoll: s.PreRoll.Std(), PostRoll: s.PostRoll.Std(),
	}
	if s.Schedule == "" {
		return p, nil
	}
	var err error
	p.Schedule, err = recorder.ParseSchedule(s.Schedule, time.Local)
	return p, err
}

// rulesOf turns settings into what retention goes by.
func rulesOf(s config.CameraRecording) retention.Rules {
	return retention.Rules{
		Keep: s.Keep.Std(), KeepEvents: s.KeepEvents.Std(), MaxBytes: int64(s.MaxBytes),
		Before: s.PreRoll.Std(), After: s.PostRoll.Std(),
	}
}

// rules returns those of a camera. One that is not recorded any more keeps to the
// settings for all.
func (n *NVR) rules(camera string) retention.Rules {
	for _, c := range n.opts.Cameras {
		if c.ID() == camera {
			return rulesOf(c.Settings)
		}
	}
	rules := rulesOf(n.opts.Recording.Defaults)
	if settings, ok := n.remoteSettings(camera); ok {
		rules = rulesOf(settings)
	}
	rules.Agent = string(n.memory.owner(camera))
	return rules
}
