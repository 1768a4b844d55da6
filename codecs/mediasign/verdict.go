package mediasign

// Verdict is what became of a GOP.
type Verdict uint8

// The verdicts on a GOP, or a part of one that was signed for itself.
const (
	// Authentic: every picture is as it was signed, complete and in order.
	Authentic Verdict = iota
	// Modified: pictures, or what is needed to decode them, were changed, or some
	// were put in.
	Modified
	// FramesMissing: pictures are missing; those there are authentic.
	FramesMissing
	// Reordered: pictures, or the whole GOP or its signature, are in a wrong place.
	Reordered
	// Repeated: it is there a second time.
	Repeated
	// Missing: the whole GOP is.
	Missing
	// Inserted: it does not belong here; it was not signed.
	Inserted
	// Unsigned: its signature is missing.
	Unsigned
	// BadSignature: its signature is wrong.
	BadSignature
	// OtherKey: another key signed than that expected, or than that before.
	OtherKey
)

// String returns the verdict as a word.
func (v Verdict) String() string {
	words := [...]string{"authentic", "changed", "frames-missing", "reordered", "repeated", "missing", "inserted", "unsigned", "bad-signature", "other-key"}
	if int(v) >= len(words) {
		return "unknown"
	}
	return words[v]
}
