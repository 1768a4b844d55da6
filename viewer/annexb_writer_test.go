package viewer

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sightline-cam/sightline/codecs"
)

type brokenPipe struct{ err error }

func (b brokenPipe) Write([]byte) (int, error) { return 0, b.err }

func TestAnnexBWriter_BeginsAtAKeyFrame(t *testing.T) {
	var out bytes.Buffer
	w := NewAnnexBWriter(&out)
	for _, u := range []*codecs.Unit{
		{Payload: [][]byte{{0x41, 9}}},
		{Key: true, Payload: [][]byte{{0x67, 1}, {0x68, 2}, {0x65, 3}}},
		{},
		{Payload: [][]byte{{0x41, 4}}},
	} {
		if err := w.WriteUnit(u); err != nil {
			t.Fatal(err)
		}
	}
	want := []byte{0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2, 0, 0, 0, 1, 0x65, 3, 0, 0, 0, 1, 0x41, 4}
	if diff := cmp.Diff(want, out.Bytes()); diff != "" || w.Skipped() != 1 {
		t.Errorf("%d skipped, %s", w.Skipped(), diff)
	}
}

func TestAnnexBWriter_ReturnsTheWritersError(t *testing.T) {
	full := errors.New("disk full")
	if err := NewAnnexBWriter(brokenPipe{full}).WriteUnit(&codecs.Unit{Key: true, Payload: [][]byte{{0x65}}}); !errors.Is(err, full) {
		t.Errorf("write: %v", err)
	}
}
