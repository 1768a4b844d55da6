package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/internal/cli"
	"github.com/sightline-cam/sightline/internal/config"
	"github.com/sightline-cam/sightline/internal/nvr"
	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/disk"
	"github.com/sightline-cam/sightline/recordings/index"
)

// recordingsCommand works with what a recorder has kept.
type recordingsCommand struct {
	List    recordingsList    `cmd:"" help:"Say what there is."`
	Export  recordingsExport  `cmd:"" help:"Write a time of a camera into one MP4 file."`
	Check   recordingsCheck   `cmd:"" help:"Prove that every recording is whole and in the index; exit 1 if not."`
	Rebuild recordingsRebuild `cmd:"" help:"Make the index anew from the files."`
}

// place says where recordings are.
type place struct {
	StateDir string   `help:"Folder with the recorder's index. Default ~/.local/state/sightline." placeholder:"DIR"`
	Dir      []string `help:"Folder with recordings. Default: those that the index knows." sep:"none" placeholder:"DIR"`
}

// index returns the path of the index.
func (w *place) index() (string, error) {
	dir := w.StateDir
	if dir == "" {
		var err error
		if dir, err = config.DefaultStateDir(); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, nvr.IndexFile), nil
}

// open opens the index and its folders for reading, beside a recorder that runs.
func (w *place) open(ctx context.Context) (s *disk.Store, ix *index.Index, dirs []string, err error) {
	path, err := w.index()
	if err != nil {
		return nil, nil, nil, err
	}
	if _, err := os.Stat(path); err != nil {
		return nil, nil, nil, fmt.Errorf("there is no index of recordings at %s; name the recorder's folder with --state-dir, or make one with `sightline recordings rebuild --dir DIR`", path)
	}
	if ix, err = index.Open(ctx, path, index.Options{ReadOnly: true}); err != nil {
		return nil, nil, nil, err
	}
	if dirs, err = w.dirs(ctx, ix); err == nil {
		s, err = disk.Open(ctx, disk.Options{Dirs: dirs, Index: ix, ReadOnly: true})
	}
	if err != nil {
		return nil, nil, nil, errors.Join(err, ix.Close())
	}
	return s, ix, dirs, nil
}

// dirs returns the folders with recordings.
func (w *place) dirs(ctx context.Context, ix *index.Index) ([]string, error) {
	if len(w.Dir) > 0 {
		return w.Dir, nil
	}
	known, err := ix.Directories(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, d := range known {
		if d.Path != "" {
			out = append(out, d.Path)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("the index knows no folder with recordings; name it with --dir")
	}
	return out, nil
}

// recordingsList says what there is.
type recordingsList struct {
	place `embed:""`
	JSON  bool `name:"json" help:"As JSON." env:"-"`
}

// Run implements the command.
func (c *recordingsList) Run(ctx context.Context, p *cli.Process) error {
	s, ix, _, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer ix.Close() //nolint:errcheck // only read
	streams, err := s.Streams(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		type row struct {
			Camera    string    `json:"camera"`
			Rendition string    `json:"rendition"`
			From      time.Time `json:"from"`
			To        time.Time `json:"to"`
			Segments  int64     `json:"segments"`
			Bytes     int64     `json:"bytes"`
			Video     string    `json:"video"`
			Audio     string    `json:"audio"`
			Recording bool      `json:"recording"`
		}
		rows := make([]row, 0, len(streams))
		for _, st := range streams {
			rows = append(rows, row{st.Camera, st.Rendition, st.From.Std(), st.To.Std(), st.Segments, st.Bytes, st.Format.Video, st.Format.Audio, st.Recording})
		}
		enc := json.NewEncoder(p.Stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(rows)
	}
	if len(streams) == 0 {
		p.Say("Nothing has been recorded yet.")
		return nil
	}
	for _, st := range streams {
		now := ""
		if st.Recording {
			now = ", recording now"
		}
		p.Say("%-24s %s to %s, %s%s", st.Stream, local(st.From), local(st.To), gigabytes(st.Bytes), now)
	}
	return nil
}

// local shows a time as the clock on the wall here does.
func local(t recordings.Time) string { return t.Std().Local().Format("2006-01-02 15:04:05") }

func gigabytes(n int64) string {
	if n < 1e9 {
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}

// parseRange reads a beginning, and an end or how long.
func parseRange(from, to string) (r recordings.Range, err error) {
	begin, err := parseTime(from)
	if err != nil {
		return r, err
	}
	var length config.Duration
	if length.UnmarshalText([]byte(to)) == nil && length > 0 {
		return recordings.Range{From: recordings.TimeOf(begin), To: recordings.TimeOf(begin.Add(length.Std()))}, nil
	}
	end, err := parseTime(to)
	if err != nil {
		return r, err
	}
	if !end.After(begin) {
		return r, fmt.Errorf("%s is not after %s", to, from)
	}
	return recordings.Range{From: recordings.TimeOf(begin), To: recordings.TimeOf(end)}, nil
}

// parseTime reads a time of this machine, or one with a zone.
func parseTime(text string) (time.Time, error) {
	text = strings.Replace(text, " ", "T", 1)
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05.999999999", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time; write it as 2026-11-21T14:00:00, or with a zone as 2026-11-21T14:00:00Z", text)
}
