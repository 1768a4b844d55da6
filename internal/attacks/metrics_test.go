package attacks

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// metrics reads a program's /metrics. A name has its labels:
// `sightline_refused_total{check="replay"}`.
func metrics(ctx context.Context, base string) (map[string]float64, error) {
	status, body, err := get(ctx, base+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("read the metrics: HTTP %d: %s", status, body)
	}
	all := map[string]float64{}
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		space := strings.LastIndexByte(line, ' ')
		if space < 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if all[line[:space]], err = strconv.ParseFloat(line[space+1:], 64); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// metric reads one of them; what is not there yet is 0.
func metric(ctx context.Context, base, name string) (float64, error) {
	all, err := metrics(ctx, base)
	return all[name], err
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
