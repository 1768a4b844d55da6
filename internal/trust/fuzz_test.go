package trust

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// seeds returns the bytes of a file of a home that has something in each.
func seeds(f *testing.F) map[string][]byte {
	f.Helper()
	h, _, _ := everyFile(f)
	out := map[string][]byte{}
	err := filepath.WalkDir(h.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name := d.Name()
		if filepath.Base(filepath.Dir(path)) == grantsDir {
			name = grantsDir
		}
		out[name] = data
		return err
	})
	if err != nil {
		f.Fatal(err)
	}
	return out
}

// encoded is what would be written again.
func encoded(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func FuzzDecodeOwners(f *testing.F) {
	f.Add(seeds(f)[ownersName])
	f.Add([]byte(`{"format":1,"epoch":"AAAAAAAAAAAAAAAAAAAAAA","lists":null,"root":{"id":"","name":"","device":""},"revoked":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &state{publisher: someone(0)}
		epoch, err := decodeOwners(data, s)
		if err != nil {
			if !reflect.DeepEqual(s, &state{publisher: someone(0)}) {
				t.Fatal("an error changed something")
			}
			return
		}
		out, err := encodeOwners(s, epoch)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decodeOwners(encoded(t, out), &state{}); err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
		s.isOwner(someone(1))
		s.named("x")
	})
}

func FuzzDecodeClaims(f *testing.F) {
	f.Add(seeds(f)[claimsName])
	f.Add([]byte(`{"format":1,"epoch":"AAAAAAAAAAAAAAAAAAAAAA","invites":[],"console":[],"pending":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &state{publisher: someone(0)}
		epoch, err := decodeClaims(data, s)
		if err != nil {
			if !reflect.DeepEqual(s, &state{publisher: someone(0)}) {
				t.Fatal("an error changed something")
			}
			return
		}
		if _, err := decodeClaims(encoded(t, encodeClaims(s, epoch)), &state{}); err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
		for _, p := range s.pending {
			if s.isOwner(p.ID) {
				t.Fatal("an owner without owners")
			}
		}
	})
}

func FuzzDecodeHolder(f *testing.F) {
	data := seeds(f)[grantsDir]
	f.Add(data)
	f.Add([]byte(`{"format":1,"epoch":"AAAAAAAAAAAAAAAAAAAAAA","seen":0,"grants":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, epoch, err := decodeHolder(data, someone(0))
		if err != nil {
			return
		}
		again, _, err := decodeHolder(encoded(t, encodeHolder(h.grants, h.seen.Load(), epoch)), someone(0))
		if err != nil || len(again.grants) != len(h.grants) || len(h.grants) > maxGrantsEach {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
	})
}

func FuzzDecodeClock(f *testing.F) {
	f.Add(seeds(f)[clockName])
	f.Fuzz(func(t *testing.T, data []byte) {
		latest, _, err := decodeClock(data)
		if err == nil && !isTime(latest) {
			t.Fatalf("%d is no time", latest)
		}
	})
}
