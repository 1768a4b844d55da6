package index

import (
	"errors"
	"fmt"
	"sync"

	"github.com/sightline-cam/sightline/recordings"
)

// maxNames bounds each map of names; beyond, it begins anew.
const maxNames = 4096

var errNoName = errors.New("a row names what is not there")

// names remembers what small numbers stand for in rows. A name never changes and is
// never deleted.
type names struct {
	mu sync.Mutex
	// Guarded by mu.
	streams    map[recordings.Stream]int64
	dirs       map[int64]string
	dirKeys    map[string]int64
	formats    map[int64]recordings.Format
	formatKeys map[recordings.Format]int64
}

func newNames() *names {
	n := &names{}
	n.forget()
	return n
}

// forget makes everything be read again.
func (n *names) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.streams = map[recordings.Stream]int64{}
	n.dirs, n.dirKeys = map[int64]string{}, map[string]int64{}
	n.formats, n.formatKeys = map[int64]recordings.Format{}, map[recordings.Format]int64{}
}

// remembered returns m[k], and asks find if it is not there.
func remembered[K comparable, V any](n *names, m func(n *names) map[K]V, k K, find func(k K) (V, error)) (V, error) {
	n.mu.Lock()
	v, ok := m(n)[k]
	n.mu.Unlock()
	if ok {
		return v, nil
	}
	v, err := find(k)
	if err != nil {
		return v, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(m(n)) >= maxNames {
		clear(m(n))
	}
	m(n)[k] = v
	return v, nil
}

// streamKey returns the stream's key, made if there is none.
func (t *update) streamKey(n *names, s recordings.Stream) (int64, error) {
	return remembered(n, func(n *names) map[recordings.Stream]int64 { return n.streams }, s, func(s recordings.Stream) (int64, error) {
		return t.key(`SELECT key FROM streams WHERE camera = ? AND rendition = ?`,
			`INSERT INTO streams (camera, rendition) VALUES (?, ?)`, s.Camera, s.Rendition)
	})
}

// dirKey returns the directory's key, made if there is none.
func (t *update) dirKey(n *names, id string) (int64, error) {
	return remembered(n, func(n *names) map[string]int64 { return n.dirKeys }, id, func(id string) (int64, error) {
		return t.key(`SELECT key FROM directories WHERE id = ?`, `INSERT INTO directories (id, path) VALUES (?, '')`, id)
	})
}

// formatKey returns the format's key, made if there is none.
func (t *update) formatKey(n *names, f recordings.Format) (int64, error) {
	return remembered(n, func(n *names) map[recordings.Format]int64 { return n.formatKeys }, f, func(f recordings.Format) (int64, error) {
		return t.key(`SELECT key FROM formats WHERE video = ? AND width = ? AND height = ? AND audio = ? AND rate = ? AND channels = ? AND signed = ?`,
			`INSERT INTO formats (video, width, height, audio, rate, channels, signed) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			f.Video, f.Width, f.Height, f.Audio, f.SampleRate, f.Channels, f.Signed)
	})
}

// key returns what the query finds, else the key of the row that insert makes.
func (t *update) key(query, insert string, args ...any) (int64, error) {
	key := int64(-1)
	err := t.each(query, args, func(scan scan) error { return scan(&key) })
	if err != nil || key >= 0 {
		return key, err
	}
	return t.insert(insert, args...)
}

// dir returns the id of the directory.
func (v *view) dir(n *names, key int64) (string, error) {
	return remembered(n, func(n *names) map[int64]string { return n.dirs }, key, func(key int64) (string, error) {
		id, found := "", false
		err := v.each(`SELECT id FROM directories WHERE key = ?`, []any{key}, func(scan scan) error {
			found = true
			return scan(&id)
		})
		if err == nil && !found {
			err = fmt.Errorf("directory %d: %w", key, errNoName)
		}
		return id, err
	})
}

// format returns the format.
func (v *view) format(n *names, key int64) (recordings.Format, error) {
	return remembered(n, func(n *names) map[int64]recordings.Format { return n.formats }, key, func(key int64) (f recordings.Format, err error) {
		found := false
		err = v.each(`SELECT video, width, height, audio, rate, channels, signed FROM formats WHERE key = ?`, []any{key}, func(scan scan) error {
			found = true
			return scan(&f.Video, &f.Width, &f.Height, &f.Audio, &f.SampleRate, &f.Channels, &f.Signed)
		})
		if err == nil && !found {
			err = fmt.Errorf("format %d: %w", key, errNoName)
		}
		return f, err
	})
}
