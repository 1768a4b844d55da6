package uapi

import "github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"

// Controls of encoders (V4L2_CID_MPEG_VIDEO_…). Bit rates are in bit/s, sizes in frames.
const (
	ControlBFrames           uint32 = abi.CIDCodecBase + 202
	ControlGOPSize           uint32 = abi.CIDCodecBase + 203
	ControlGOPClosure        uint32 = abi.CIDCodecBase + 204
	ControlBitrateMode       uint32 = abi.CIDCodecBase + 206
	ControlBitrate           uint32 = abi.CIDCodecBase + 207
	ControlBitratePeak       uint32 = abi.CIDCodecBase + 208
	ControlHeaderMode        uint32 = abi.CIDCodecBase + 216
	ControlFrameRateControl  uint32 = abi.CIDCodecBase + 215 // rate control by frame: on or off
	ControlRepeatHeader      uint32 = abi.CIDCodecBase + 226 // parameter sets before every key frame
	ControlForceKeyFrame     uint32 = abi.CIDCodecBase + 229 // a button
	ControlH264KeyInterval   uint32 = abi.CIDCodecBase + 358 // V4L2_CID_MPEG_VIDEO_H264_I_PERIOD
	ControlH264Level         uint32 = abi.CIDCodecBase + 359
	ControlH264Profile       uint32 = abi.CIDCodecBase + 363
	ControlHEVCProfile       uint32 = abi.CIDCodecBase + 615
	ControlHEVCLevel         uint32 = abi.CIDCodecBase + 616
	ControlHEVCRefreshType   uint32 = abi.CIDCodecBase + 623
	ControlHEVCRefreshPeriod uint32 = abi.CIDCodecBase + 624
	ControlPrependHeaders    uint32 = abi.CIDCodecBase + 644 // parameter sets before every IDR
)

// Values of the controls above.
const (
	BitrateVariable = 0 // of ControlBitrateMode
	BitrateConstant = 1

	HeaderSeparate    = 0 // of ControlHeaderMode: parameter sets in a buffer of their own
	HeaderWithPicture = 1 // parameter sets and the first picture in one buffer

	H264Baseline            = 0 // of ControlH264Profile
	H264ConstrainedBaseline = 1
	H264Main                = 2
	H264High                = 4

	HEVCMain = 0 // of ControlHEVCProfile
)
