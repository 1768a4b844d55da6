package recordings

// The renditions of a camera.
const (
	Main = "main"
	Sub  = "sub"
)

// Stream names one recorded encoding of a camera.
type Stream struct {
	// Camera is the camera's id, as in signaling.ValidateCameraID.
	Camera string
	// Rendition is Main or Sub.
	Rendition string
}

// String is "camera/rendition".
func (s Stream) String() string { return s.Camera + "/" + s.Rendition }
