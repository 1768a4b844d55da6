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
	QueryCap           = out | 0<<numberShift | unsafe.Sizeof(Capability{})<<sizeShift
	EnumFmt            = inOut | 2<<numberShift | unsafe.Sizeof(FmtDesc{})<<sizeShift
	GetFmt             = inOut | 4<<numberShift | unsafe.Sizeof(Format{})<<sizeShift
	SetFmt             = inOut | 5<<numberShift | unsafe.Sizeof(Format{})<<sizeShift
	ReqBufs            = inOut | 8<<numberShift | unsafe.Sizeof(RequestBuffers{})<<sizeShift
	QueryBuf           = inOut | 9<<numberShift | unsafe.Sizeof(Buffer{})<<sizeShift
	QBuf               = inOut | 15<<numberShift | unsafe.Sizeof(Buffer{})<<sizeShift
	DQBuf              = inOut | 17<<numberShift | unsafe.Sizeof(Buffer{})<<sizeShift
	StreamOn           = in | 18<<numberShift | unsafe.Sizeof(int32(0))<<sizeShift // an int32: the buffer type
	StreamOff          = in | 19<<numberShift | unsafe.Sizeof(int32(0))<<sizeShift
	GetParm            = inOut | 21<<numberShift | unsafe.Sizeof(StreamParm{})<<sizeShift
	SetParm            = inOut | 22<<numberShift | unsafe.Sizeof(StreamParm{})<<sizeShift
	GetCtrl            = inOut | 27<<numberShift | unsafe.Sizeof(Control{})<<sizeShift
	SetCtrl            = inOut | 28<<numberShift | unsafe.Sizeof(Control{})<<sizeShift
	QueryCtrl          = inOut | 36<<numberShift | unsafe.Sizeof(QueryControl{})<<sizeShift
	QueryMenu          = inOut | 37<<numberShift | unsafe.Sizeof(QueryMenuItem{})<<sizeShift
	GetExtCtrls        = inOut | 71<<numberShift | unsafe.Sizeof(ExtControls{})<<sizeShift
	SetExtCtrls        = inOut | 72<<numberShift | unsafe.Sizeof(ExtControls{})<<sizeShift
	EnumFrameSizes     = inOut | 74<<numberShift | unsafe.Sizeof(FrameSizeEnum{})<<sizeShift
	EnumFrameIntervals = inOut | 75<<numberShift | unsafe.Sizeof(FrameIntervalEnum{})<<sizeShift
	QueryExtCtrl       = inOut | 103<<numberShift | unsafe.Sizeof(QueryExtControl{})<<sizeShift
)
