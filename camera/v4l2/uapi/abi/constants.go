package abi

// Capabilities (V4L2_CAP_…).
const (
	CapVideoCapture       = 0x00000001
	CapVideoOutput        = 0x00000002
	CapVBICapture         = 0x00000010
	CapVideoCaptureMPlane = 0x00001000
	CapVideoOutputMPlane  = 0x00002000
	CapVideoM2MMPlane     = 0x00004000
	CapVideoM2M           = 0x00008000
	CapRadio              = 0x00040000
	CapExtPixFormat       = 0x00200000
	CapMetaCapture        = 0x00800000
	CapReadWrite          = 0x01000000
	CapStreaming          = 0x04000000
	CapMetaOutput         = 0x08000000
	CapIOMC               = 0x20000000 // V4L2_CAP_IO_MC: a part of a pipeline that is set up by its media controller
	CapDeviceCaps         = 0x80000000 // Capability.DeviceCaps is filled
)

// Buffer types (enum v4l2_buf_type).
const (
	BufTypeVideoCapture       = 1
	BufTypeVideoOutput        = 2
	BufTypeVideoCaptureMPlane = 9
)

// Limits.
const (
	MaxFrame  = 32 // buffers (VIDEO_MAX_FRAME)
	MaxPlanes = 8  // VIDEO_MAX_PLANES
)

// MemoryMMap is buffers of the driver that are mapped (V4L2_MEMORY_MMAP).
const MemoryMMap = 1

// Fields (enum v4l2_field): how the lines of a picture came about.
const (
	FieldAny        = 0 // the driver's choice
	FieldNone       = 1 // progressive
	FieldInterlaced = 4
)

// Flags of formats (V4L2_FMT_FLAG_…).
const (
	FmtFlagCompressed = 0x0001
	FmtFlagEmulated   = 0x0002
)

// Kinds of frame sizes and of frame intervals (V4L2_FRMSIZE_TYPE_…, V4L2_FRMIVAL_TYPE_…).
const (
	FrameTypeDiscrete   = 1
	FrameTypeContinuous = 2
	FrameTypeStepwise   = 3
)

// ParmTimePerFrame says that the frame interval can be set (V4L2_CAP_TIMEPERFRAME).
const ParmTimePerFrame = 0x1000

// Flags of buffers (V4L2_BUF_FLAG_…).
const (
	BufFlagMapped             = 0x00000001
	BufFlagQueued             = 0x00000002
	BufFlagDone               = 0x00000004
	BufFlagKeyFrame           = 0x00000008
	BufFlagPFrame             = 0x00000010
	BufFlagBFrame             = 0x00000020
	BufFlagError              = 0x00000040
	BufFlagTimestampMask      = 0x0000e000
	BufFlagTimestampMonotonic = 0x00002000
	BufFlagTimestampCopy      = 0x00004000
	BufFlagLast               = 0x00100000
)

// Types of controls (enum v4l2_ctrl_type).
const (
	CtrlTypeInteger     = 1
	CtrlTypeBoolean     = 2
	CtrlTypeMenu        = 3
	CtrlTypeButton      = 4
	CtrlTypeInteger64   = 5
	CtrlTypeClass       = 6
	CtrlTypeString      = 7
	CtrlTypeBitmask     = 8
	CtrlTypeIntegerMenu = 9
)

// Flags of controls (V4L2_CTRL_FLAG_…).
const (
	CtrlFlagDisabled       = 0x0001
	CtrlFlagGrabbed        = 0x0002 // cannot be set now
	CtrlFlagReadOnly       = 0x0004
	CtrlFlagUpdate         = 0x0008
	CtrlFlagInactive       = 0x0010 // has no effect now
	CtrlFlagSlider         = 0x0020
	CtrlFlagWriteOnly      = 0x0040
	CtrlFlagVolatile       = 0x0080
	CtrlFlagHasPayload     = 0x0100 // the value is behind a pointer
	CtrlFlagExecuteOnWrite = 0x0200
	CtrlFlagNextCtrl       = 0x80000000 // in a query: the control after this one
)

// Numbers of controls.
const (
	CIDClassMask       = 0x0fff0000 // of a number: its class (V4L2_CTRL_ID2WHICH)
	CIDBase            = 0x00980900 // V4L2_CID_BASE: brightness and others of every camera
	CIDLastP1          = CIDBase + 44
	CIDCameraClassBase = 0x009a0900 // V4L2_CID_CAMERA_CLASS_BASE
	CIDCodecBase       = 0x00990900 // V4L2_CID_CODEC_BASE, once V4L2_CID_MPEG_BASE
	CIDPrivateBase     = 0x08000000 // V4L2_CID_PRIVATE_BASE: of old drivers
)
