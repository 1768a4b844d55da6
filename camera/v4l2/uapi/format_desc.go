package uapi

// FormatDesc is one format a device can deliver (VIDIOC_ENUM_FMT).
type FormatDesc struct {
	FourCC      FourCC
	Compressed  bool   // encoded by the device
	Emulated    bool   // converted by a library; not by the device
	Description string // of the driver: "Motion-JPEG"
}
