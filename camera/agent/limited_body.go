package agent

import (
	"io"
	"time"

	"golang.org/x/time/rate"
)

// limitedBody is a request's body that counts against its peer's allowance.
type limitedBody struct {
	io.ReadCloser
	left *rate.Limiter // bytes
}

// Read implements io.Reader.
func (b *limitedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		if err := within(b.left, time.Now(), n); err != nil {
			return 0, err
		}
	}
	return n, err
}
