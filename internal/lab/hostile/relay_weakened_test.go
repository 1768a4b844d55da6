//go:build weakened

package hostile

import (
	"errors"
	"testing"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/viewer"
)

func TestRelay_PassesARefusalOn(t *testing.T) {
	t.Setenv("SIGHTLINE_WEAKEN", string(check.Sender))
	s := listen(t)
	p := publish(t, s, func(p *publisher) { p.reject = true })
	r, err := NewRelay(s)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var rejected *viewer.RejectedError
	if _, err := watch(t, s, p); !errors.As(err, &rejected) || rejected.Reason != "Later." || r.Err() != nil {
		t.Errorf("the viewer says: %v; the relay's mistake: %v", err, r.Err())
	}
}
