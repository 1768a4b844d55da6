package mediasign

// record is a hashed NAL unit of the stream: one of a picture, or a message
// without a signature, which a later document covers.
type record struct {
	// hash is what the list of a document has of it; plain is without the key frame.
	hash, plain [hashSize]byte
	side        []sideUnit
	place       Place
	gop         int // key frames so far
	start       bool
	message     bool
}

// claim is a document found in the stream.
type claim struct {
	doc    *Document // nil if it cannot be read
	origin *Origin
	// seq counts the documents of the stream.
	seq int
	// after is how many records of the stream came before it, own which record it
	// is itself, -1 if none.
	after, own int
	place      Place
	gop        int
	// bad says why it proves nothing; empty if it does.
	bad string
	// session counts the times that the signer began; joined says that what was
	// before is not known, although it had begun before.
	session int
	joined  bool
	// earlier says that it was signed before what was judged already.
	earlier bool
	// sub says that the GOP began in the document before.
	sub bool
}

// starts reports whether the document's first picture is a key frame.
func (c *claim) starts() bool { return !c.sub }

// first returns the hash of the first picture covered; ok is false if it is not known.
func (c *claim) first() (h [hashSize]byte, ok bool) {
	if len(c.doc.Hashes) == 0 {
		return h, false
	}
	return c.doc.Hashes[0], true
}

// follows reports whether the document continues the chain after before.
func (c *claim) follows(before *claim) bool {
	if c.doc.Counter != before.doc.Counter+1 || c.doc.first() || !c.origin.sameKey(before.origin) {
		return false
	}
	h, ok := before.first()
	return !ok || h == c.doc.Link
}
