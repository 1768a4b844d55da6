package playback

import (
	"net/http"

	"github.com/sightline-cam/sightline/internal/access"
	"github.com/sightline-cam/sightline/internal/trust"
)

// need refuses whoever has not the right on the camera. It comes before everything
// else: without a right one does not even learn whether there is such a camera.
func need(p *trust.Principal, right access.Right, camera string) *apiError {
	if p == nil {
		return unknown()
	}
	err := p.Need(right, camera)
	if err == nil {
		return nil
	}
	message := "You may not watch recordings of this camera. Ask its owner for the right to playback."
	if right == access.Admin {
		message = "Only who administers this camera may change that. Ask its owner."
	}
	return fail(http.StatusForbidden, "forbidden", message).because(err)
}

// reigns reports whether the recorder is theirs: owners, and whoever is at its console.
func reigns(p *trust.Principal) bool { return p.Owner() || p.Role == trust.RoleConsole }

// unknown refuses whoever is nobody.
func unknown() *apiError {
	return fail(http.StatusUnauthorized, "unauthorized", "This address cannot tell who you are. Open the camera by its link, which proves your device's key.")
}

// handler answers a request about a camera. What it returns is sent as the answer.
type handler func(w http.ResponseWriter, r *http.Request, camera string, p *trust.Principal) *apiError

// with makes a handler that only those get to who have the right on the camera in
// the path.
func with(right access.Right, h handler) Handler {
	return func(w http.ResponseWriter, r *http.Request, p *trust.Principal) {
		camera := r.PathValue("camera")
		err := need(p, right, camera)
		if err == nil {
			err = h(w, r, camera, p)
		}
		if err != nil {
			err.write(w)
		}
	}
}
