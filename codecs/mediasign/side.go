package mediasign

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"strconv"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/codecs"
)

// The specification leaves parameter sets and other messages (SEI) unsigned. Both
// can change what is shown, so our signer covers them too: it puts a digest of
// each into the vendor information, which is signed and which others pass over.

// manufacturer is what our signer says it is.
const manufacturer = "Sightline"

// ours reports whether our signer made the document.
func (d *Document) ours() bool { return d.Vendor.Manufacturer == manufacturer }

// sideUnit is a parameter set or a message that precedes a picture.
type sideUnit struct {
	kind kind
	set  byte
	sum  [hashSize]byte
}

// sideTracker notes the parameter sets and messages before each picture. It leaves
// out a parameter set that repeats the one of its type noted last in the GOP: a
// file may repeat them, or have them in its header.
type sideTracker struct {
	pending []sideUnit
	noted   map[byte][hashSize]byte // by type, in this GOP
}

// note takes in a unit that is no picture.
func (t *sideTracker) note(codec codecs.Codec, u unit) {
	switch u.kind {
	case parameterSet:
	case message:
		if carries(codec, u.data, UUID()) {
			return
		}
	default:
		return
	}
	t.pending = append(t.pending, sideUnit{u.kind, u.set, sha256.Sum256(u.data)})
}

// before returns what precedes a picture. start says that a GOP begins with it;
// sets are the parameter sets to take where it brings none itself.
func (t *sideTracker) before(start bool, sets []unit) []sideUnit {
	pending := t.pending
	t.pending = nil
	if start {
		t.noted = map[byte][hashSize]byte{}
		if !hasSets(pending) {
			for _, u := range sets {
				pending = append(pending, sideUnit{parameterSet, u.set, sha256.Sum256(u.data)})
			}
		}
	}
	out := pending[:0]
	for _, s := range pending {
		if s.kind == parameterSet {
			if last, ok := t.noted[s.set]; ok && last == s.sum {
				continue
			}
			if t.noted != nil {
				t.noted[s.set] = s.sum
			}
		}
		out = append(out, s)
	}
	return out
}

func hasSets(units []sideUnit) bool {
	for _, s := range units {
		if s.kind == parameterSet {
			return true
		}
	}
	return false
}

// sideDigest is the digest of the parameter sets, and of the messages, of the
// pictures of a document.
type sideDigest struct{ sets, messages hash.Hash }

func newSideDigest() sideDigest { return sideDigest{sha256.New(), sha256.New()} }

// add takes in what precedes the n-th NAL unit that the document covers, from 0.
func (d sideDigest) add(n int, units []sideUnit) {
	for _, s := range units {
		to := d.messages
		if s.kind == parameterSet {
			to = d.sets
		}
		var place [4]byte
		binary.BigEndian.PutUint32(place[:], uint32(n))
		to.Write(place[:])
		to.Write(s.sum[:])
	}
}

const (
	setsLabel     = "sets="
	messagesLabel = "sei="
)

// firmware returns the vendor information's text: our version, the digests, the name
// of the camera and the longest step between two pictures.
func (d sideDigest) firmware(o Options, step time.Duration) string {
	code := base64.RawURLEncoding.EncodeToString
	version := word(o.Version, 32)
	if strings.ContainsRune(version, '=') {
		version = strings.ReplaceAll(version, "=", "-") // no label of ours
	}
	out := version + " " + setsLabel + code(d.sets.Sum(nil)) + " " + messagesLabel + code(d.messages.Sum(nil))
	out += " " + stepLabel + strconv.FormatInt(min(step, 24*time.Hour).Milliseconds()+1, 10)
	if name := word(o.Camera, maxCamera); name != "" {
		out += " " + cameraLabel + name
	}
	return out
}

// check compares the digests with those in a document of ours.
func (d sideDigest) check(doc *Document) (setsChanged, messagesChanged bool) {
	if !doc.ours() {
		return false, false
	}
	fields := strings.Fields(doc.Vendor.Firmware)
	has := func(label string, sum []byte) bool {
		for _, f := range fields {
			if f == label+base64.RawURLEncoding.EncodeToString(sum) {
				return true
			}
		}
		return false
	}
	return !has(setsLabel, d.sets.Sum(nil)), !has(messagesLabel, d.messages.Sum(nil))
}
