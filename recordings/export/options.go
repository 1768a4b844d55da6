package export

// Options says how to export. The zero value keeps the sound and leaves gaps out.
type Options struct {
	// KeepGaps leaves the time of a gap empty, so that the player's time is that on
	// the wall; otherwise what follows a gap is shown directly after what precedes it.
	KeepGaps bool
	// NoSound leaves the sound out.
	NoSound bool
	// Writer names the program in the file.
	Writer string
}
