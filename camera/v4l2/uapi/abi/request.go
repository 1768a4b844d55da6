package abi

import "unsafe"

// The layout of a request number: who copies, how much, for which kind of device, which
// request (include/uapi/asm-generic/ioctl.h; sizeBits and the directions differ between
// architectures).
const (
	numberShift    = 0
	kindShift      = 8
	sizeShift      = 16
	directionShift = sizeShift + sizeBits

	kind = 'V' << kindShift

	in    = directionWrite<<directionShift | kind
	out   = directionRead<<directionShift | kind
	inOut = (directionRead|directionWrite)<<directionShift | kind
)

// Requests, each with the structure its argument points to.
const (
	QueryCap           = uint32(out | 0<<numberShift | unsafe.Sizeof(Capability{})<<sizeShift)
	EnumFmt            = uint32(inOut | 2<<numberShift | unsafe.Sizeof(FmtDesc{})<<sizeShift)
	GetFmt             = uint32(inOut | 4<<numberShift | unsafe.Sizeof(Format{})<<sizeShift)
	SetFmt             = uint32(inOut | 5<<numberShift | unsafe.Sizeof(Format{})<<sizeShift)
	ReqBufs            = uint32(inOut | 8<<numberShift | unsafe.Sizeof(RequestBuffers{})<<sizeShift)
	QueryBuf           = uint32(inOut | 9<<numberShift | unsafe.Sizeof(Buffer{})<<sizeShift)
	QBuf               = uint32(inOut | 15<<numberShift | unsafe.Sizeof(Buffer{})<<sizeShift)
	DQBuf              = uint32(inOut | 17<<numberShift | unsafe.Sizeof(Buffer{})<<sizeShift)
	StreamOn           = uint32(in | 18<<numberShift | unsafe.Sizeof(int32(0))<<sizeShift) // an int32: the buffer type
	StreamOff          = uint32(in | 19<<numberShift | unsafe.Sizeof(int32(0))<<sizeShift)
	GetParm            = uint32(inOut | 21<<numberShift | unsafe.Sizeof(StreamParm{})<<sizeShift)
	SetParm            = uint32(inOut | 22<<numberShift | unsafe.Sizeof(StreamParm{})<<sizeShift)
	GetCtrl            = uint32(inOut | 27<<numberShift | unsafe.Sizeof(Control{})<<sizeShift)
	SetCtrl            = uint32(inOut | 28<<numberShift | unsafe.Sizeof(Control{})<<sizeShift)
	QueryCtrl          = uint32(inOut | 36<<numberShift | unsafe.Sizeof(QueryControl{})<<sizeShift)
	QueryMenu          = uint32(inOut | 37<<numberShift | unsafe.Sizeof(QueryMenuItem{})<<sizeShift)
	GetExtCtrls        = uint32(inOut | 71<<numberShift | unsafe.Sizeof(ExtControls{})<<sizeShift)
	SetExtCtrls        = uint32(inOut | 72<<numberShift | unsafe.Sizeof(ExtControls{})<<sizeShift)
	EnumFrameSizes     = uint32(inOut | 74<<numberShift | unsafe.Sizeof(FrameSizeEnum{})<<sizeShift)
	EnumFrameIntervals = uint32(inOut | 75<<numberShift | unsafe.Sizeof(FrameIntervalEnum{})<<sizeShift)
	QueryExtCtrl       = uint32(inOut | 103<<numberShift | unsafe.Sizeof(QueryExtControl{})<<sizeShift)
)
