package check_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/sightline-cam/sightline/internal/check"
)

func TestRefused_NamesTheFirstCheckAndKeepsTheError(t *testing.T) {
	cause := errors.New("wrong")
	err := check.Refused(check.Sender, fmt.Errorf("open: %w", check.Refused(check.Signature, cause)))
	if n, ok := check.Of(err); !ok || n != check.Signature {
		t.Errorf("the check is %q, %v; the first one to refuse is %q", n, ok, check.Signature)
	}
	if !errors.Is(err, cause) || err.Error() != "open: wrong" {
		t.Errorf("the error became %q", err)
	}
	if check.Refused(check.Sender, nil) != nil {
		t.Error("nil was refused")
	}
	if _, ok := check.Of(cause); ok {
		t.Error("an error that names no check has one")
	}
}

func TestOff_NothingIsInAnOrdinaryBuild(t *testing.T) {
	if check.Weakened {
		t.Skip("built with the tag weakened")
	}
	t.Setenv("SIGHTLINE_WEAKEN", string(check.Signature))
	if check.Off(check.Signature) {
		t.Error("an environment variable switched a check off")
	}
}
