package accesslog

import (
	"errors"
	"fmt"
	"time"

	"github.com/sightline-cam/sightline/internal/strictjson"
)

// ErrBroken is wrapped when a log is not what it was, or cannot be read.
var ErrBroken = errors.New("the access log was changed, or is damaged")

// Verify reports whether lines follow one another and the head from, and returns
// the head after them. A head with a number and no hash stands for a line that is
// not known: then the first line's predecessor is believed. The error wraps
// ErrBroken and comes with the head before the line that does not fit.
func Verify(lines []string, from Head) (Head, error) {
	for _, line := range lines {
		next, err := follow([]byte(line), from)
		if err != nil {
			return from, err
		}
		from = next
	}
	return from, nil
}

// follow reports whether a line, without its newline, follows a head.
func follow(line []byte, from Head) (Head, error) {
	e, err := parse(line)
	if err != nil {
		return from, fmt.Errorf("%w: entry %d cannot be read", ErrBroken, from.Seq+1)
	}
	known := from.Hash != "" || from.Seq == 0
	if e.Seq != from.Seq+1 || known && e.Prev != from.Hash {
		return from, fmt.Errorf("%w: entry %d does not follow the one before", ErrBroken, from.Seq+1)
	}
	return Head{Seq: e.Seq, Hash: hashOf(line)}, nil
}

// parse reads a line without its newline.
func parse(line []byte) (Entry, error) {
	var in struct {
		Seq  int64  `json:"seq"`
		Time string `json:"time"`
		Kind Kind   `json:"kind"`
		Peer string `json:"peer"`
		Name string `json:"name"`
		What string `json:"what"`
		From string `json:"from"`
		Prev string `json:"prev"`
	}
	if len(line) >= maxLine {
		return Entry{}, errors.New("too long")
	}
	if err := strictjson.Unmarshal(line, &in); err != nil {
		return Entry{}, err
	}
	at, err := time.Parse(time.RFC3339Nano, in.Time)
	if err != nil {
		return Entry{}, err
	}
	return Entry{
		Seq: in.Seq, Time: at, Kind: in.Kind, Peer: in.Peer, Name: in.Name, What: in.What, From: in.From, Prev: in.Prev,
	}, nil
}
