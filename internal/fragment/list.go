package fragment

// List is what a spool has of one rendition: the answer to GET
// /v1/cameras/{id}/fragments.
type List struct {
	// Epoch names the run of sequence numbers: under another one the same number
	// is another fragment.
	Epoch string `json:"epoch"`
	// First is the number of the oldest fragment there is, Next that of the one
	// that will come next. Numbers between may be missing.
	First uint64 `json:"first"`
	Next  uint64 `json:"next"`
	// Fragments are in order. More says that there are more than fit into one
	// answer.
	Fragments []Entry `json:"fragments"`
	More      bool    `json:"more,omitempty"`
}

// Entry is a fragment in a List.
type Entry struct {
	Seq uint64 `json:"seq"`
	// StartUs is in microseconds since the Unix epoch.
	StartUs    int64 `json:"startUs"`
	DurationUs int64 `json:"durationUs"`
	// Frames is the number of pictures, Bytes how many all of the fragment has.
	Frames int `json:"frames"`
	Bytes  int `json:"bytes"`
	// Digest is of the video, Sound of the sound.
	Digest Digest `json:"digest"`
	Sound  *Sound `json:"sound,omitempty"`
	// After is the word of a Joint.
	After string `json:"after,omitempty"`
	// Cut says that the GOP went on, and was too long for a fragment.
	Cut bool `json:"cut,omitempty"`
	// Head is Head's bytes, where the list was asked for them.
	Head []byte `json:"head,omitempty"`
}

// Sound is the part of a fragment that is sound, the last Bytes of it.
type Sound struct {
	Frames int    `json:"frames"`
	Bytes  int    `json:"bytes"`
	Digest Digest `json:"digest"`
}

// EndUs is when the entry's last picture ends.
func (e *Entry) EndUs() int64 { return e.StartUs + e.DurationUs }

// The limits of an answer.
const (
	// MaxEntries is how many entries it has at most, and MaxHeads where their heads
	// are asked for.
	MaxEntries = 1024
	MaxHeads   = 64
)

// EntryOf describes a fragment that is encoded.
func EntryOf(seq uint64, f *Fragment, encoded []byte) Entry {
	e := Entry{
		Seq: seq, StartUs: f.Start(), DurationUs: f.Duration.Microseconds(), Frames: len(f.Video), Bytes: len(encoded),
		Digest: DigestOf(f.Video), After: f.Joint.String(), Cut: f.Cut,
	}
	if len(f.Audio) > 0 {
		e.Sound = &Sound{Frames: len(f.Audio), Bytes: size(f.Audio), Digest: DigestOf(f.Audio)}
	}
	return e
}
