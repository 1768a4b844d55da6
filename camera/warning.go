package camera

// maxWarnings bounds the kinds of warnings a Status holds; more are dropped.
const maxWarnings = 16

// Warning is a defect of a camera that does not end the connection.
type Warning struct {
	// Kind names the defect for programs ("b-frames"); one warning per kind.
	Kind string `json:"kind"`
	// Text is a sentence for a person that says what to change.
	Text string `json:"text"`
}
