package abi

import "unsafe"

// Format is struct v4l2_format. The union behind Type has pointers in C, hence the padding.
type Format struct {
	Type uint32
	_    [unsafe.Sizeof(uintptr(0)) - 4]byte
	Fmt  [50]uint32
}

// Pix is the union in a format of single-planar queues.
func (f *Format) Pix() *PixFormat { return overlay[PixFormat](&f.Fmt) }

// PixMP is the union in a format of multi-planar queues.
func (f *Format) PixMP() *PixFormatMPlane { return overlay[PixFormatMPlane](&f.Fmt) }

// PixFormat is struct v4l2_pix_format.
type PixFormat struct {
	Width        uint32
	Height       uint32
	PixelFormat  uint32
	Field        uint32
	BytesPerLine uint32
	SizeImage    uint32
	ColorSpace   uint32
	Priv         uint32
	Flags        uint32
	YCbCrEnc     uint32
	Quantization uint32
	XferFunc     uint32
}

// PixFormatMPlane is struct v4l2_pix_format_mplane.
type PixFormatMPlane struct {
	Width        uint32
	Height       uint32
	PixelFormat  uint32
	Field        uint32
	ColorSpace   uint32
	PlaneFmt     [MaxPlanes]PlanePixFormat
	NumPlanes    uint8
	Flags        uint8
	YCbCrEnc     uint8
	Quantization uint8
	XferFunc     uint8
	_            [7]uint8
}

// PlanePixFormat is struct v4l2_plane_pix_format.
type PlanePixFormat struct {
	SizeImage    uint32
	BytesPerLine uint32
	_            [6]uint16
}
