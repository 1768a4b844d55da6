package verify

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sightline-cam/sightline/codecs"
	"github.com/sightline-cam/sightline/recordings/fmp4/fmp4test"
)

// node is a box of a file that is forged.
type node struct {
	kind string
	body []byte
	kids []*node
}

// tree parses boxes.
func tree(data []byte) (out []*node) {
	for len(data) >= 8 {
		size := binary.BigEndian.Uint32(data)
		n := &node{kind: string(data[4:8]), body: bytes.Clone(data[8:size])}
		if container(n.kind) {
			n.kids = tree(n.body)
		}
		out = append(out, n)
		data = data[size:]
	}
	return out
}

func (n *node) bytes() []byte {
	body := n.body
	if n.kids != nil {
		body = serialize(n.kids)
	}
	return pack(n.kind, body)
}

func serialize(nodes []*node) (out []byte) {
	for _, n := range nodes {
		out = append(out, n.bytes()...)
	}
	return out
}

func pack(kind string, parts ...[]byte) []byte {
	body := slices.Concat(parts...)
	return slices.Concat(numbers(uint32(8+len(body))), []byte(kind), body)
}

// numbers are 32-bit numbers.
func numbers(list ...uint32) (out []byte) {
	for _, n := range list {
		out = binary.BigEndian.AppendUint32(out, n)
	}
	return out
}

// find returns the first box at a path.
func (n *node) find(path ...string) *node {
	for _, kind := range path {
		i := slices.IndexFunc(n.kids, func(k *node) bool { return k.kind == kind })
		if i < 0 {
			return nil
		}
		n = n.kids[i]
	}
	return n
}

// put replaces a box, or adds it.
func (n *node) put(kind string, body []byte) {
	if old := n.find(kind); old != nil {
		old.body, old.kids = body, nil
		return
	}
	n.kids = append(n.kids, &node{kind: kind, body: body})
}

func (n *node) clone() *node { return tree(n.bytes())[0] }

// drop removes boxes of a kind.
func (n *node) drop(kind string) {
	n.kids = slices.DeleteFunc(n.kids, func(k *node) bool { return k.kind == kind })
}

// whole is a file as a box.
func whole(data []byte) *node { return &node{kind: "file", kids: tree(data)} }

// edited returns a copy of a file in which a function changed the moov box. Its
// fragments do not mind that they move.
func changed(data []byte, change func(moov *node)) []byte {
	f := whole(data)
	change(f.find("moov"))
	return serialize(f.kids)
}

// clip is a file of tables that is forged.
type clip struct {
	moov      *node
	before    []byte // before its first box
	samples   [][]byte
	durations []uint32
	shifts    []int32  // nil: none
	entries   []uint32 // sample entry of each; nil: the first
	after     []byte   // after its pictures
}

// newClip makes a clip of a film.
func newClip(t testing.TB, m fmp4test.Media) *clip {
	t.Helper()
	c := &clip{moov: whole(segment(t, m).Data).find("moov")}
	c.moov.drop("mvex")
	c.moov.drop("udta")
	for i, u := range m.Units {
		c.samples = append(c.samples, prefixed(u.Payload))
		d := int64(18_000)
		if i+1 < len(m.Units) {
			d = m.Units[i+1].PTS - u.PTS
		}
		c.durations = append(c.durations, uint32(d))
	}
	return c
}

func prefixed(units [][]byte) (out []byte) {
	for _, n := range units {
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(n))), n...)
	}
	return out
}

// place fills in the tables for pictures from a place on.
func (c *clip) place(stbl *node, at int) {
	n := uint32(len(c.samples))
	stts, stsz, stco, stsc := numbers(0, n), numbers(0, 0, n), numbers(0, n), []byte{}
	runs, entry := uint32(0), uint32(0)
	for i, s := range c.samples {
		stts = append(stts, numbers(1, c.durations[i])...)
		stsz = append(stsz, numbers(uint32(len(s)))...)
		stco = append(stco, numbers(uint32(at))...)
		at += len(s)
		want := uint32(1)
		if c.entries != nil {
			want = c.entries[i]
		}
		if want != entry {
			entry = want
			runs++
			stsc = append(stsc, numbers(uint32(i+1), 1, want)...)
		}
	}
	stbl.put("stts", stts)
	stbl.put("stsz", stsz)
	stbl.put("stco", stco)
	stbl.put("stsc", append(numbers(0, runs), stsc...))
	if c.shifts != nil {
		ctts := numbers(1<<24, n)
		for _, s := range c.shifts {
			ctts = append(ctts, numbers(1, uint32(s))...)
		}
		stbl.put("ctts", ctts)
	}
}

// file returns the file; change may change the finished moov box.
func (c *clip) file(change ...func(moov *node)) []byte {
	head := append(bytes.Clone(c.before), pack("ftyp", []byte("isom\x00\x00\x02\x00isomiso2avc1mp41"))...)
	media := slices.Concat(c.samples...)
	c.place(c.moov.find("trak", "mdia", "minf", "stbl"), len(head)+8)
	moov := c.moov.clone()
	for _, f := range change {
		f(moov)
	}
	return slices.Concat(head, pack("mdat", media), c.after, moov.bytes())
}

// names expects that a file is not well, for one reason at least of the kind, or not
// read at all if that is container.
func names(t *testing.T, data []byte, kind string) {
	t.Helper()
	r, err := File(t.Context(), bytes.NewReader(data), int64(len(data)), Options{})
	if err != nil {
		if kind != "container" || !errors.Is(err, ErrFormat) {
			t.Error(err)
		}
		return
	}
	found := slices.ContainsFunc(r.Problems, func(p Problem) bool { return p.Kind == kind })
	if r.AllWell || !found || strings.HasPrefix(r.Summary, "AUTHENTIC") {
		t.Errorf("no problem %q:\n%s", kind, strings.Join(r.Lines(), "\n"))
	}
}

// stripped returns units without parameter sets.
func stripped(m fmp4test.Media) fmp4test.Media {
	m.Units = slices.Clone(m.Units)
	for i, u := range m.Units {
		v := *u
		v.Payload = slices.DeleteFunc(slices.Clone(u.Payload), func(n []byte) bool { return isSet(codecs.H264, n) })
		m.Units[i] = &v
	}
	return m
}
