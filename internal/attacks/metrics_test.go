package attacks

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// metric reads one value of a program's /metrics; what is not there yet is 0.
// name has its labels: `sightline_refused_total{check="replay"}`.
func metric(ctx context.Context, base, name string) (float64, error) {
	status, body, err := get(ctx, base+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	if status != http.StatusOK {
		return 0, fmt.Errorf("read the metrics: HTTP %d: %s", status, body)
	}
	for line := range strings.Lines(body) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, nil
}

// counter returns a reader of a metric, for act.refused.
func (w *world) counter(base, name string) func() (float64, error) {
	return func() (float64, error) { return metric(w.ctx, base, name) }
}

// get asks for a page; change may alter the request.
func get(ctx context.Context, url string, change func(*http.Request)) (status int, body string, err error) {
	return request(ctx, http.MethodGet, url, "", change)
}

// request sends a request over a connection of its own.
func request(ctx context.Context, method, url, body string, change func(*http.Request)) (int, string, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	if change != nil {
		change(r)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	res, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return res.StatusCode, string(text), err
}
