package access

// Right is one thing a grant may allow.
type Right string

// The rights, each on the cameras of the scope it stands in.
const (
	// Live is to watch what a camera shows now.
	Live Right = "live"
	// Playback is to watch, and to fetch, what was recorded.
	Playback Right = "playback"
	// Talk is to speak through the camera's loudspeaker.
	Talk Right = "talk"
	// PTZ is to turn the camera and to zoom.
	PTZ Right = "ptz"
	// Events is to learn what happens in front of and inside a camera.
	Events Right = "events"
	// Admin is to change settings, and to see who else has access. It makes no
	// owner: only owners sign access lists.
	Admin Right = "admin"
)

// AllRights returns all rights, in the order in which people are shown them.
func AllRights() []Right { return []Right{Live, Playback, Talk, PTZ, Events, Admin} }
