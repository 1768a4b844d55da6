package recorder

import (
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

// Policy says what of a camera is recorded. The zero value records the main
// rendition all the time, without sound.
type Policy struct {
	// Renditions are recordings.Main, recordings.Sub or both. Default: Main.
	Renditions []string
	// Audio records the sound, too.
	Audio bool
	// Schedule is when the camera is recorded. Default: always.
	Schedule Schedule
	// OnEvent records only when something happens: PreRoll before it until
	// PostRoll after its end. Defaults 5 s and 30 s.
	OnEvent           bool
	PreRoll, PostRoll time.Duration
}

// setDefaults fills in what was not said.
func (p *Policy) setDefaults() {
	if len(p.Renditions) == 0 {
		p.Renditions = []string{recordings.Main}
	}
	if p.PreRoll <= 0 {
		p.PreRoll = 5 * time.Second
	}
	if p.PostRoll <= 0 {
		p.PostRoll = 30 * time.Second
	}
}
