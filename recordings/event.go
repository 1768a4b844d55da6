package recordings

// Event is something that happened, as a sensor or a script said.
type Event struct {
	// ID is 16 random bytes in base32, made by the recorder.
	ID     string
	Camera string
	// Type is a word: "door", "motion"; a-z, 0-9, - and _, at most 32.
	Type string
	Range
	// Text is for people, at most 200 characters.
	Text string
}

// Lock keeps a time of a camera from being deleted.
type Lock struct {
	ID     string
	Camera string
	Range
	// Name is for people, at most 64 characters.
	Name string
}

// Pause is a time in which a camera is not recorded because somebody wants that.
type Pause struct {
	Camera string
	// To is 0 while it has no end.
	Range
	// By is who asked for it.
	By string
}
