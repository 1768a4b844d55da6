package encoder

// Accepts reports whether pictures of that format can be encoded, in a binary that
// has an encoder. The answer is the same in every build. The format is given by the
// kernel's four letters, as in "YUYV".
func Accepts(fourCC string) bool { return isJPEG(fourCC) || isRaw(fourCC) }

func isJPEG(fourCC string) bool { return fourCC == "MJPG" || fourCC == "JPEG" }

func isRaw(fourCC string) bool {
	switch fourCC {
	case "YUYV", "YVYU", "UYVY", "VYUY", "NV12", "NV21", "YU12", "YV12", "GREY", "RGB3", "BGR3":
		return true
	}
	return false
}
