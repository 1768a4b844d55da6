package disk

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/recordings"
)

// journal keeps what no video file says: events, locks and pauses, a line each,
// in a file a month. Lines are only ever added. Safe for concurrent use.
type journal struct {
	fs FS

	mu   sync.Mutex // guards what follows
	seq  int64      // of the newest entry of all directories
	name string     // the file added to last
	end  int64      // its size
}

// entry is a line: exactly one of its parts is there.
type entry struct {
	// Seq rises from entry to entry, whichever directory it is written to and
	// whatever the clock says.
	Seq    int64             `json:"seq"`
	Event  *recordings.Event `json:"event,omitempty"`
	Lock   *recordings.Lock  `json:"lock,omitempty"`
	Unlock string            `json:"unlock,omitempty"`
	// Pause has the end when it is over; camera and From say which one it is.
	Pause *recordings.Pause `json:"pause,omitempty"`
	// Forget drops events of a camera that ended before.
	Forget *forget `json:"forget,omitempty"`
}

type forget struct {
	Camera string          `json:"camera"`
	Before recordings.Time `json:"before"`
}

const (
	maxLine    = 4 << 10
	maxJournal = 1 << 30
	sumBytes   = 8 // hexadecimal digits of the CRC-32C of a line
)

// line returns an entry with its checksum.
func (e *entry) line() ([]byte, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	if len(text) > maxLine {
		return nil, fmt.Errorf("an entry of %d bytes is too long for the journal", len(text))
	}
	return fmt.Appendf(nil, "%08x %s\n", checksum(text), text), nil
}

func checksum(text []byte) uint32 { return crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)) }

// parseLine is the inverse of line, without the line's end.
func parseLine(line []byte) (e entry, err error) {
	if len(line) < sumBytes+1 || line[sumBytes] != ' ' {
		return e, errors.New("it is no line of a journal")
	}
	sum, text := make([]byte, sumBytes/2), line[sumBytes+1:]
	if _, err := hex.Decode(sum, line[:sumBytes]); err != nil {
		return e, errors.New("its checksum is none")
	}
	if want := checksum(text); uint32(sum[0])<<24|uint32(sum[1])<<16|uint32(sum[2])<<8|uint32(sum[3]) != want {
		return e, errors.New("its checksum is wrong")
	}
	return e, json.Unmarshal(text, &e)
}

// add writes an entry down, durably, in the directory.
func (j *journal) add(dir string, e entry) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	e.Seq = j.seq + 1
	line, err := e.line()
	if err != nil {
		return err
	}
	folder := filepath.Join(dir, journalFolder)
	changed, err := makeFolders(j.fs, dir, folder)
	if err != nil {
		return err
	}
	name := filepath.Join(folder, time.Now().UTC().Format("2006-01")+".jsonl")
	f, err := j.fs.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // it was synced
	if name != j.name {
		info, err := f.Stat()
		if err != nil {
			return err
		}
		j.name, j.end = name, info.Size()
		if j.end > 0 {
			line = append([]byte("\n"), line...) // after what a crash may have left of a line
		}
		changed = append(changed, folder)
	}
	if err := writeFull(f, line, j.end); err != nil {
		j.name = "" // look again what is there
		return err
	}
	if err := f.Sync(); err != nil {
		j.name = ""
		return err
	}
	j.end += int64(len(line))
	j.seq = e.Seq
	for _, c := range changed {
		if err := j.fs.SyncDir(c); err != nil {
			j.name = ""
			return err
		}
	}
	return nil
}

// readJournal returns the entries of one file. Lines that cannot be read are passed
// over. Those that a crash tore are the last of their time, and nothing was promised
// of them; bad counts the others it could be, too.
func readJournal(fsys FS, name string) (entries []entry, bad int, err error) {
	data, err := readAll(fsys, name, maxJournal)
	if err != nil {
		return nil, 0, err
	}
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		e, err := parseLine(line)
		if err != nil {
			bad++
			continue
		}
		entries = append(entries, e)
	}
	return entries, bad, nil
}

// journals returns the names of a directory's journals, oldest first.
func journals(fsys FS, dir string) ([]string, error) {
	folder := filepath.Join(dir, journalFolder)
	entries, err := fsys.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if !e.IsDir() && strings.HasSuffix(e.Name(), ".jsonl") {
			out = append(out, filepath.Join(folder, e.Name()))
		}
	}
	return out, nil
}
