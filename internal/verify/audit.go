package verify

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// auditor looks at which boxes are where. Programs differ in what they do with a
// box that is there twice, or in an unusual place: what is verified would not be
// what is shown. So it knows what may be where, how often, and names all else.
type auditor struct {
	rules  map[string]map[string]int
	said   map[string]bool
	faults []string
}

// many is any number of a box.
const many = 1 << 30

func newAuditor() *auditor {
	entry := map[string]int{"avcC": 1, "hvcC": 1, "pasp": 1, "colr": 1, "btrt": 1, "free": many}
	rules := map[string]map[string]int{
		"file": {"ftyp": 1, "styp": many, "moov": 1, "moof": many, "mdat": many, "sidx": many, "ssix": many, "prft": many, "emsg": many, "mfra": 1, "pdin": 1, "uuid": many},
		"moov": {"mvhd": 1, "trak": many, "mvex": 1, "udta": 1, "iods": 1},
		"trak": {"tkhd": 1, "mdia": 1, "edts": 1, "tref": 1, "udta": 1},
		"mdia": {"mdhd": 1, "hdlr": 1, "minf": 1, "elng": 1},
		"minf": {"vmhd": 1, "smhd": 1, "nmhd": 1, "hdlr": 1, "dinf": 1, "stbl": 1},
		"dinf": {"dref": 1},
		"edts": {"elst": 1},
		"stbl": {
			"stsd": 1, "stts": 1, "ctts": 1, "stsc": 1, "stsz": 1, "stco": 1, "co64": 1, "stss": 1, "cslg": 1,
			"sdtp": 1, "sbgp": many, "sgpd": many,
		},
		"mvex": {"mehd": 1, "trex": many},
		"moof": {"mfhd": 1, "traf": many},
		"traf": {"tfhd": 1, "tfdt": 1, "trun": many, "sdtp": 1, "sbgp": many, "sgpd": many, "uuid": many},
		"avc1": entry, "avc3": entry, "hvc1": entry, "hev1": entry,
	}
	for _, r := range rules {
		r["free"], r["skip"], r["wide"] = many, many, many
	}
	return &auditor{rules: rules, said: map[string]bool{}}
}

// fault notes what players may do otherwise, once.
func (a *auditor) fault(format string, args ...any) {
	const most = 100
	text := fmt.Sprintf(format, args...)
	if a.said[text] || len(a.faults) == most {
		return
	}
	a.said[text] = true
	a.faults = append(a.faults, text)
}

// box notes one box of a parent; seen counts those of the parent so far.
func (a *auditor) box(parent, kind string, seen map[string]int) {
	most, known := a.rules[parent][kind]
	seen[kind]++
	switch {
	case !known:
		a.fault("The file has a box %q inside %q; players may show something else because of it.", kind, parent)
	case seen["stco"] > 0 && seen["co64"] > 0:
		a.fault("The file has both boxes of places, \"stco\" and \"co64\"; players differ in which they take.")
	case seen[kind] > most:
		a.fault("The file has the box %q inside %q twice; players differ in which they take.", kind, parent)
	}
}

// walk looks at all the boxes inside a parent. They were checked to end where they
// should.
func (a *auditor) walk(parent string, body []byte) {
	seen := map[string]int{}
	for rest := body; len(rest) >= 8; {
		size := binary.BigEndian.Uint32(rest)
		if size < 8 || int64(size) > int64(len(rest)) {
			return
		}
		kind, inner := string(rest[4:8]), rest[8:size]
		a.box(parent, kind, seen)
		switch kind {
		case "uuid":
			a.name(parent, inner)
		case "dref":
			a.external(inner)
		case "trex":
			if len(inner) >= 8 {
				if id := fmt.Sprint("trex of track ", binary.BigEndian.Uint32(inner[4:])); seen[id] > 0 {
					a.fault("The file has the box %q twice; players differ in which they take.", id)
				} else {
					seen[id]++
				}
			}
		case "udta":
			if bytes.Contains(inner, []byte("covr")) {
				a.fault("The file brings a picture of its own (cover), which no signature covers.")
			}
		default:
			if container(kind) {
				a.walk(kind, inner)
			}
		}
		rest = rest[size:]
	}
}

// name looks at a box of somebody's own: those of our recordings are known, and
// that of Adobe's descriptions; others tell players that a picture is a sphere.
func (a *auditor) name(parent string, body []byte) {
	known := map[string]string{
		"\xa2\x83\xd4\xf2\xbb\x4e\x46\xc8\xb2\x0d\x1c\xdf\x73\x9c\xf1\x5d": "file",
		"\xfb\xf0\xf7\xf8\xb1\x09\x4e\x0a\xb3\x86\x06\xec\xb1\xe3\xb9\xf8": "file",
		"\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac": "file",
		"\x97\xaa\x58\x4f\xf8\xaf\x46\x5f\xa8\x5c\x8f\x01\x4d\x8a\x52\xa0": "traf",
	}
	if known[string(body[:min(16, len(body))])] != parent {
		a.fault("The file has a box of somebody's own (uuid) inside %q; players may show something else because of it.", parent)
	}
}

// external looks for data references to other files (ISO/IEC 14496-12 §8.7.2).
func (a *auditor) external(dref []byte) {
	const head, entry = 8, 12
	ok := len(dref) >= head+entry && binary.BigEndian.Uint32(dref[4:]) == 1 &&
		int(binary.BigEndian.Uint32(dref[head:])) == len(dref)-head && dref[head+11]&1 == 1
	if !ok {
		a.fault("The file tells players to take pictures from another file.")
	}
}

// entries looks at the sample entries of the video (§8.5.2).
func (a *auditor) entries(stsd []byte) {
	const head, fixed = 8, 86
	for rest := stsd[min(head, len(stsd)):]; len(rest) >= 8; {
		size := binary.BigEndian.Uint32(rest)
		if size < 8 || int64(size) > int64(len(rest)) {
			return
		}
		kind := string(rest[4:8])
		if a.rules[kind] == nil || kind == "file" || size < fixed || container(kind) {
			a.fault("The video is coded as %q too, which was not checked.", kind)
		} else {
			a.walk(kind, rest[fixed:size])
		}
		rest = rest[size:]
	}
}
