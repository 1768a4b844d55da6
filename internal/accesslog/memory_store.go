package accesslog

import (
	"strings"
	"sync"
)

// maxMemory is how many lines are kept without a folder.
const maxMemory = 1000

// memoryStore keeps the last lines.
type memoryStore struct {
	mu    sync.Mutex // guards what follows
	floor int64      // number of the first line
	lines []string
}

func (m *memoryStore) append(seq int64, lines [][]byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.floor == 0 {
		m.floor = seq
	}
	for _, line := range lines {
		m.lines = append(m.lines, strings.TrimSuffix(string(line), "\n"))
	}
	if n := len(m.lines) - maxMemory; n > 0 {
		m.lines = append([]string{}, m.lines[n:]...)
		m.floor += int64(n)
	}
	return nil
}

func (m *memoryStore) read(after, last int64, limit int) ([]string, int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	lines := []string{}
	for i, line := range m.lines {
		if seq := m.floor + int64(i); seq > after && seq <= last && len(lines) < limit {
			lines = append(lines, line)
		}
	}
	return lines, max(m.floor, 1), nil
}

func (m *memoryStore) close() error { return nil }
