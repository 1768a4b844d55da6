package verify

import (
	"time"

	"github.com/sightline-cam/sightline/internal/identity"
)

// Report says what a file is worth.
type Report struct {
	// AllWell says that all that could be checked was as signed: the exit decision.
	AllWell bool `json:"allWell"`
	// Signed says that there is any signature.
	Signed bool `json:"signed"`
	// Summary is the result in one sentence.
	Summary string `json:"summary"`
	// Camera is the id of the key that signed; empty if there is none, or it is no
	// P-256 key.
	Camera identity.PeerID `json:"camera,omitempty"`
	// CameraName is what the signer calls the camera and its rendition, signed:
	// "front/main". Empty if it says nothing.
	CameraName string `json:"cameraName,omitempty"`
	// Key is the SHA-256 of the public key (DER), in hexadecimal digits.
	Key string `json:"key,omitempty"`
	// Subject is what the signer's certificate says of it. It is worth something
	// only if the certificate is trusted.
	Subject string `json:"subject,omitempty"`
	// Codec, Pictures and GOPs say what the file holds.
	Codec    string `json:"codec"`
	Pictures int    `json:"pictures"`
	GOPs     int    `json:"gops"`
	// Periods are the times that are authentic.
	Periods []Period `json:"periods"`
	// Problems are what is not as it was signed, in the file's order.
	Problems []Problem `json:"problems"`
	// Tail is the end of the file that no signature covers; nil if there is none.
	Tail *Problem `json:"tail,omitempty"`
	// Notes are facts worth knowing that are no faults.
	Notes []string `json:"notes,omitempty"`

	unsigned string // what the summary says of the tail
}

// Period is a time that is authentic, by the signer's clock.
type Period struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// First and Last are the numbers of the GOPs, from 1.
	First int `json:"firstGOP"`
	Last  int `json:"lastGOP"`
}

// Problem is something that is not as it was signed.
type Problem struct {
	// Kind is a word: changed, frames-missing, reordered, repeated, missing,
	// inserted, unsigned, bad-signature, other-key, other-camera, restarted, time, container,
	// damaged.
	Kind string `json:"kind"`
	// GOP is the number of the GOP in the file, from 1; 0 if it is not about one.
	GOP int `json:"gop,omitempty"`
	// Part counts the parts of a long GOP, from 1; 0 if it was signed whole.
	Part int `json:"part,omitempty"`
	// From and To are the times by the signer's clock; zero if not known.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
	// At is the time in the file, from its beginning.
	At time.Duration `json:"atNanoseconds"`
	// Text is a sentence for people.
	Text string `json:"text"`
}
