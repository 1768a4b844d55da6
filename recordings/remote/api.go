package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/sightline-cam/sightline/internal/fragment"
	"github.com/sightline-cam/sightline/viewer"
)

var (
	// errGone says that the agent does not have something any more.
	errGone = errors.New("the agent does not have this any more")
	// errNoSpool says that the agent does not keep anything for recorders, or not for
	// this one.
	errNoSpool = errors.New("the agent keeps nothing for this recorder")
	// errAnswer says that an answer makes no sense.
	errAnswer = errors.New("the agent's answer makes no sense")
)

const (
	// maxList is the longest list that is read, in bytes.
	maxList = 8 << 20
	// maxErrorBody is how much of an error answer is read.
	maxErrorBody = 4 << 10
)

// api asks an agent for what its spool has of one stream. Constant.
type api struct {
	http      *http.Client
	camera    string // the agent's id
	rendition string
}

func (a *api) address(seq string, q url.Values) string {
	path := viewer.BaseURL + "/v1/cameras/" + url.PathEscape(a.camera) + "/fragments"
	if seq != "" {
		path += "/" + seq
	}
	q.Set("rendition", a.rendition)
	return path + "?" + q.Encode()
}

// list asks for the entries after a number. Errors: errNoSpool, errGone if there is
// no such rendition, errAnswer.
func (a *api) list(ctx context.Context, after uint64, heads bool) (fragment.List, error) {
	q := url.Values{"after": {strconv.FormatUint(after, 10)}}
	if heads {
		q.Set("heads", "1")
	}
	var l fragment.List
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.address("", q), nil)
	if err != nil {
		return l, fmt.Errorf("list what the agent has: %w", err)
	}
	res, err := a.http.Do(req)
	if err != nil {
		return l, fmt.Errorf("list what the agent has: %w", err)
	}
	defer res.Body.Close() //nolint:errcheck // read
	if res.StatusCode != http.StatusOK {
		return l, fmt.Errorf("list what the agent has: %w", refusal(res))
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxList+1))
	if err != nil {
		return l, fmt.Errorf("list what the agent has: %w", err)
	}
	if l, err = parseList(body, after); err != nil {
		return l, fmt.Errorf("list what the agent has: %w", err)
	}
	return l, nil
}

// parseList reads a list of what comes after a number.
func parseList(body []byte, after uint64) (l fragment.List, err error) {
	if len(body) > maxList {
		return l, fmt.Errorf("%w: more than %d bytes", errAnswer, maxList)
	}
	if err := json.Unmarshal(body, &l); err != nil {
		return l, fmt.Errorf("%w: %w", errAnswer, err)
	}
	return l, checkList(&l, after)
}

// checkList refuses a list that a follower could not go by.
func checkList(l *fragment.List, after uint64) error {
	if l.Epoch == "" || len(l.Epoch) > 64 || len(l.Fragments) > fragment.MaxEntries {
		return errAnswer
	}
	for i := range l.Fragments {
		e := &l.Fragments[i]
		if e.Seq <= after || e.Frames <= 0 || e.Frames > fragment.MaxPictures || e.Bytes <= 0 || e.Bytes > maxFragment ||
			e.DurationUs < 0 || e.DurationUs > 1<<40 || e.StartUs < 0 || e.StartUs > 1<<60 {
			return fmt.Errorf("%w: fragment %d", errAnswer, e.Seq)
		}
		if s := e.Sound; s != nil && (s.Frames <= 0 || s.Frames > fragment.MaxSounds || s.Bytes <= 0 || s.Bytes >= e.Bytes) {
			return fmt.Errorf("%w: the sound of fragment %d", errAnswer, e.Seq)
		}
		after = e.Seq
	}
	return nil
}

// maxFragment is how many bytes a fragment may have, its head included.
const maxFragment = fragment.MaxBytes + 2<<20

// request says what of a fragment is fetched, and how.
type request struct {
	seq        uint64
	from, to   int // bytes, without to
	background bool
	rate       int // bit/s at most; 0: as the agent likes
}

// fetch reads a part of a fragment. What has come before an error is returned, too,
// to go on from there. Errors: errGone, errNoSpool.
func (a *api) fetch(ctx context.Context, r request) ([]byte, error) {
	q := url.Values{}
	if r.background {
		q.Set("background", "1")
	}
	if r.rate > 0 {
		q.Set("rate", strconv.Itoa(r.rate))
	}
	seq := strconv.FormatUint(r.seq, 10)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.address(seq, q), nil)
	if err != nil {
		return nil, fmt.Errorf("fetch fragment %s: %w", seq, err)
	}
	req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", r.from, r.to-1))
	res, err := a.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetch fragment %s: %w", seq, err)
	}
	defer res.Body.Close() //nolint:errcheck // read, or given up
	want := fmt.Sprintf("bytes %d-%d/", r.from, r.to-1)
	if res.StatusCode != http.StatusPartialContent || len(res.Header.Get("Content-Range")) < len(want) || res.Header.Get("Content-Range")[:len(want)] != want {
		if res.StatusCode/100 == 2 {
			return nil, fmt.Errorf("fetch fragment %s: %w: it is another part than the one asked for", seq, errAnswer)
		}
		return nil, fmt.Errorf("fetch fragment %s: %w", seq, refusal(res))
	}
	data := make([]byte, r.to-r.from)
	n, err := io.ReadFull(res.Body, data)
	if err != nil {
		return data[:n], fmt.Errorf("fetch fragment %s: %w", seq, err)
	}
	return data, nil
}

// refusal says why there is no answer.
func refusal(res *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(res.Body, maxErrorBody)) // without it there is the status
	var answer struct {
		Error struct{ Code, Message string } `json:"error"`
	}
	_ = json.Unmarshal(body, &answer)
	err := &viewer.APIError{Status: res.StatusCode, Code: answer.Error.Code, Message: answer.Error.Message}
	switch {
	case res.StatusCode == http.StatusForbidden, res.StatusCode == http.StatusNotFound && answer.Error.Code != "gone":
		return fmt.Errorf("%w: %w", errNoSpool, err)
	case res.StatusCode == http.StatusNotFound, res.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return err
}
