package testsrc

import (
	"log/slog"

	"github.com/sightline-cam/sightline/codecs/testpattern"
)

// Options says what a Source makes. The zero value is the test picture's
// default without sound.
type Options struct {
	// Picture says what the picture is like.
	Picture testpattern.Options
	// Audio adds a second track: G.711 µ-law, 8 kHz, mono, 20 ms a unit, with
	// a soft tick at the start of each second (UTC). Default none.
	Audio bool
	// Logger is told of frames missed and of a clock that was set. Default
	// none.
	Logger *slog.Logger
}
