package nvr

import (
	"time"

	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/recordings/recorder"
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
