package uapi

// Pix is the format of a device's pictures (struct v4l2_pix_format and
// v4l2_pix_format_mplane). To set one, FourCC, Width and Height are enough.
type Pix struct {
	FourCC        FourCC
	Width, Height uint32 // in pixels
	Field         uint32 // abi.Field…; FieldAny leaves it to the driver
	BytesPerLine  uint32 // of the first plane; 0 in compressed formats
	SizeImage     uint32 // bytes a picture takes at most, of the first plane
	Planes        uint32 // stretches of memory a picture lies in; 1 in single-planar queues
}
