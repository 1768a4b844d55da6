package encoder

import "errors"

// ErrMissing says that this binary cannot encode, and what to do.
var ErrMissing = errors.New("this binary cannot encode video; build one that can with `make device` " +
	"(go build -tags device, which needs a C compiler and libx264-dev), or choose a camera that sends H.264 itself")

// ErrPicture is wrapped by what Encode returns for a picture that cannot be used: cut
// off, damaged, or of another size than announced. The next one may be fine.
var ErrPicture = errors.New("unusable picture")
