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

	"golang.org/x/time/rate"

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

// maxErrorBody is how much of an error answer is read.
const maxErrorBody = 4 << 10

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
	ctx, watch := newProgress(ctx)
	defer watch.end()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.address("", q), nil)
	if err != nil {
		return l, fmt.Errorf("list what the agent has: %w", err)
	}
	res, err := a.http.Do(req)
	if err != nil {
		return l, fmt.Errorf("list what the agent has: %w", watch.cause(err))
	}
	defer res.Body.Close() //nolint:errcheck // read
	if res.StatusCode != http.StatusOK {
		return l, fmt.Errorf("list what the agent has: %w", refusal(res.StatusCode, watch.of(res.Body)))
	}
	body, err := io.ReadAll(io.LimitReader(watch.of(res.Body), maxList(heads)+1))
	if err != nil {
		return l, fmt.Errorf("list what the agent has: %w", watch.cause(err))
	}
	if l, err = parseList(body, after, heads); err != nil {
		return l, fmt.Errorf("list what the agent has: %w", err)
	}
	return l, nil
}

// maxFragment is how many bytes a fragment may have, its head included.
const maxFragment = fragment.MaxBytes + 2<<20

// request says what of a fragment is fetched, and how.
type request struct {
	seq        uint64
	from, to   int // bytes, without to
	background bool
	rate       int // bit/s at most that the agent is asked for; 0: as it likes
	// budget is what the recorder takes, in bits; nil: without bound.
	budget *rate.Limiter
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
	ctx, watch := newProgress(ctx)
	defer watch.end()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.address(seq, q), nil)
	if err != nil {
		return nil, fmt.Errorf("fetch fragment %s: %w", seq, err)
	}
	req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", r.from, r.to-1))
	res, err := a.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetch fragment %s: %w", seq, watch.cause(err))
	}
	defer res.Body.Close() //nolint:errcheck // read, or given up
	want := fmt.Sprintf("bytes %d-%d/", r.from, r.to-1)
	if res.StatusCode != http.StatusPartialContent || len(res.Header.Get("Content-Range")) < len(want) || res.Header.Get("Content-Range")[:len(want)] != want {
		if res.StatusCode/100 == 2 {
			return nil, fmt.Errorf("fetch fragment %s: %w: it is another part than the one asked for", seq, errAnswer)
		}
		return nil, fmt.Errorf("fetch fragment %s: %w", seq, refusal(res.StatusCode, watch.of(res.Body)))
	}
	// It takes memory as it comes, not as much as the agent has announced.
	body := io.Reader(watch.of(res.Body))
	if r.budget != nil {
		body = &budgeted{ctx: ctx, r: body, bits: r.budget}
	}
	data, err := io.ReadAll(io.LimitReader(body, int64(r.to-r.from)))
	if err == nil && len(data) < r.to-r.from {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return data, fmt.Errorf("fetch fragment %s: %w", seq, watch.cause(err))
	}
	return data, nil
}

// refusal says why there is no answer.
func refusal(status int, r io.Reader) error {
	body, _ := io.ReadAll(io.LimitReader(r, maxErrorBody)) // without it there is the status
	var answer struct {
		Error struct{ Code, Message string } `json:"error"`
	}
	_ = json.Unmarshal(body, &answer)
	err := &viewer.APIError{Status: status, Code: answer.Error.Code, Message: answer.Error.Message}
	switch {
	case status == http.StatusForbidden, status == http.StatusNotFound && answer.Error.Code != "gone":
		return fmt.Errorf("%w: %w", errNoSpool, err)
	case status == http.StatusNotFound, status == http.StatusRequestedRangeNotSatisfiable:
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return err
}
