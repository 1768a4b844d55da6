package agent

import (
	"net/http"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/signaling"
)

// gate decides who may do what. It is the one place where that is decided,
// whichever way a request came; what it decides by is internal/trust's.
// Constant.
type gate struct {
	trust *trust.Trust
	list  *AllowList
}

// renew returns what a principal may do now; for every request and every track.
func (g *gate) renew(p *trust.Principal) (*trust.Principal, error) {
	return g.trust.Renew(p)
}

// standing is renew for a session that lives: it goes on while the file of
// allowed viewers cannot be read, or is just being written. cause says why it
// must end.
func (g *gate) standing(p *trust.Principal) (now *trust.Principal, cause error) {
	now, err := g.trust.Renew(p)
	if err != nil && p.Role == trust.RoleListed && !g.list.settled() {
		return p, nil
	}
	return now, err
}

// anyone returns who a request without any proof is from: an error unless the
// agent is open.
func (g *gate) anyone() (*trust.Principal, *apiError) {
	p, err := g.trust.Authorize("", nil)
	if err != nil {
		return nil, fail(http.StatusUnauthorized, "unauthorized",
			"This address cannot tell who you are. Open the camera by its link, which proves your device's key.").because(err)
	}
	return p, nil
}

// farewellFor says to a viewer why its session ends.
func farewellFor(cause error) string {
	if name, _ := check.Of(cause); name == check.Expiry {
		return "Your access has expired. Ask the owner for a new invite."
	}
	return "Your access was taken back."
}

// forbidden tells who asks without a right why it is refused.
func forbidden(err error) *apiError {
	message := sentence(err)
	if _, ok := check.Of(err); !ok || len(message) > signaling.MaxReason {
		message = "You have no access to this device. Ask its owner for an invite."
	}
	return fail(http.StatusForbidden, "forbidden", message).because(err)
}
