package playback

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// content remembers why reading failed: http.ServeContent only stops then. Owned by
// one handler.
type content struct {
	io.ReadSeeker
	err error
}

// Read implements io.Reader.
func (c *content) Read(p []byte) (int, error) {
	n, err := c.ReadSeeker.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}

// serve sends what can be read, or the ranges of it that were asked for (RFC 9110
// §14). If reading fails the answer is cut short, which the client sees by its
// length.
func (a *API) serve(d *download, r *http.Request, from io.ReadSeeker) {
	d.Header().Set("X-Content-Type-Options", "nosniff")
	c := &content{ReadSeeker: from}
	http.ServeContent(d, r, "", time.Time{}, c)
	if c.err != nil && r.Context().Err() == nil {
		a.opts.Logger.Error("could not read a recording while sending it", "path", r.Pattern, "error", c.err)
	}
}
