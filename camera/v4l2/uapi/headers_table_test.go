package uapi_test

// abiStructs is what the structures of package abi are called in C.
func abiStructs() map[string]string {
	return map[string]string{
		"Buffer":                "v4l2_buffer",
		"Capability":            "v4l2_capability",
		"CaptureParm":           "v4l2_captureparm",
		"Control":               "v4l2_control",
		"ExtControl":            "v4l2_ext_control",
		"ExtControls":           "v4l2_ext_controls",
		"FmtDesc":               "v4l2_fmtdesc",
		"Format":                "v4l2_format",
		"Fract":                 "v4l2_fract",
		"FrameIntervalEnum":     "v4l2_frmivalenum",
		"FrameIntervalStepwise": "v4l2_frmival_stepwise",
		"FrameSizeEnum":         "v4l2_frmsizeenum",
		"FrameSizeStepwise":     "v4l2_frmsize_stepwise",
		"PixFormat":             "v4l2_pix_format",
		"PixFormatMPlane":       "v4l2_pix_format_mplane",
		"Plane":                 "v4l2_plane",
		"PlanePixFormat":        "v4l2_plane_pix_format",
		"QueryControl":          "v4l2_queryctrl",
		"QueryExtControl":       "v4l2_query_ext_ctrl",
		"QueryMenuItem":         "v4l2_querymenu",
		"RequestBuffers":        "v4l2_requestbuffers",
		"StreamParm":            "v4l2_streamparm",
		"Timecode":              "v4l2_timecode",
		"Timeval":               "timeval",
	}
}

// abiFields is what fields are called in C that are not called as in Go.
func abiFields() map[string]string {
	return map[string]string{
		"Buffer.BytesUsed":            "bytesused",
		"CaptureParm.CaptureMode":     "capturemode",
		"CaptureParm.ExtendedMode":    "extendedmode",
		"CaptureParm.ReadBuffers":     "readbuffers",
		"CaptureParm.TimePerFrame":    "timeperframe",
		"ExtControl.Value":            "value64",
		"FmtDesc.PixelFormat":         "pixelformat",
		"PixFormat.BytesPerLine":      "bytesperline",
		"PixFormat.ColorSpace":        "colorspace",
		"PixFormat.PixelFormat":       "pixelformat",
		"PixFormat.SizeImage":         "sizeimage",
		"PixFormat.YCbCrEnc":          "ycbcr_enc",
		"PixFormatMPlane.ColorSpace":  "colorspace",
		"PixFormatMPlane.PixelFormat": "pixelformat",
		"PixFormatMPlane.YCbCrEnc":    "ycbcr_enc",
		"Plane.BytesUsed":             "bytesused",
		"PlanePixFormat.BytesPerLine": "bytesperline",
		"PlanePixFormat.SizeImage":    "sizeimage",
		"StreamParm.Capture":          "parm.capture",
		"Timecode.UserBits":           "userbits",
		"Timeval.Sec":                 "tv_sec",
		"Timeval.Usec":                "tv_usec",
	}
}

// abiConstants is what the constants of package abi are called in C.
func abiConstants() map[string]string {
	return map[string]string{
		"QueryCap": "VIDIOC_QUERYCAP", "EnumFmt": "VIDIOC_ENUM_FMT", "GetFmt": "VIDIOC_G_FMT", "SetFmt": "VIDIOC_S_FMT",
		"ReqBufs": "VIDIOC_REQBUFS", "QueryBuf": "VIDIOC_QUERYBUF", "QBuf": "VIDIOC_QBUF", "DQBuf": "VIDIOC_DQBUF",
		"StreamOn": "VIDIOC_STREAMON", "StreamOff": "VIDIOC_STREAMOFF", "GetParm": "VIDIOC_G_PARM", "SetParm": "VIDIOC_S_PARM",
		"GetCtrl": "VIDIOC_G_CTRL", "SetCtrl": "VIDIOC_S_CTRL", "QueryCtrl": "VIDIOC_QUERYCTRL", "QueryMenu": "VIDIOC_QUERYMENU",
		"GetExtCtrls": "VIDIOC_G_EXT_CTRLS", "SetExtCtrls": "VIDIOC_S_EXT_CTRLS", "QueryExtCtrl": "VIDIOC_QUERY_EXT_CTRL",
		"EnumFrameSizes": "VIDIOC_ENUM_FRAMESIZES", "EnumFrameIntervals": "VIDIOC_ENUM_FRAMEINTERVALS",

		"CapVideoCapture": "V4L2_CAP_VIDEO_CAPTURE", "CapVideoOutput": "V4L2_CAP_VIDEO_OUTPUT",
		"CapVBICapture": "V4L2_CAP_VBI_CAPTURE", "CapVideoCaptureMPlane": "V4L2_CAP_VIDEO_CAPTURE_MPLANE",
		"CapVideoOutputMPlane": "V4L2_CAP_VIDEO_OUTPUT_MPLANE", "CapVideoM2MMPlane": "V4L2_CAP_VIDEO_M2M_MPLANE",
		"CapVideoM2M": "V4L2_CAP_VIDEO_M2M", "CapRadio": "V4L2_CAP_RADIO", "CapExtPixFormat": "V4L2_CAP_EXT_PIX_FORMAT",
		"CapMetaCapture": "V4L2_CAP_META_CAPTURE", "CapReadWrite": "V4L2_CAP_READWRITE", "CapStreaming": "V4L2_CAP_STREAMING",
		"CapMetaOutput": "V4L2_CAP_META_OUTPUT", "CapIOMC": "V4L2_CAP_IO_MC", "CapDeviceCaps": "V4L2_CAP_DEVICE_CAPS",

		"BufTypeVideoCapture": "V4L2_BUF_TYPE_VIDEO_CAPTURE", "BufTypeVideoOutput": "V4L2_BUF_TYPE_VIDEO_OUTPUT",
		"BufTypeVideoCaptureMPlane": "V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE",
		"MaxFrame":                  "VIDEO_MAX_FRAME", "MaxPlanes": "VIDEO_MAX_PLANES", "MemoryMMap": "V4L2_MEMORY_MMAP",
		"FieldAny": "V4L2_FIELD_ANY", "FieldNone": "V4L2_FIELD_NONE", "FieldInterlaced": "V4L2_FIELD_INTERLACED",
		"FmtFlagCompressed": "V4L2_FMT_FLAG_COMPRESSED", "FmtFlagEmulated": "V4L2_FMT_FLAG_EMULATED",
		"FrameTypeDiscrete":   "V4L2_FRMSIZE_TYPE_DISCRETE V4L2_FRMIVAL_TYPE_DISCRETE",
		"FrameTypeContinuous": "V4L2_FRMSIZE_TYPE_CONTINUOUS V4L2_FRMIVAL_TYPE_CONTINUOUS",
		"FrameTypeStepwise":   "V4L2_FRMSIZE_TYPE_STEPWISE V4L2_FRMIVAL_TYPE_STEPWISE",
		"ParmTimePerFrame":    "V4L2_CAP_TIMEPERFRAME",

		"BufFlagMapped": "V4L2_BUF_FLAG_MAPPED", "BufFlagQueued": "V4L2_BUF_FLAG_QUEUED", "BufFlagDone": "V4L2_BUF_FLAG_DONE",
		"BufFlagKeyFrame": "V4L2_BUF_FLAG_KEYFRAME", "BufFlagPFrame": "V4L2_BUF_FLAG_PFRAME", "BufFlagBFrame": "V4L2_BUF_FLAG_BFRAME",
		"BufFlagError": "V4L2_BUF_FLAG_ERROR", "BufFlagLast": "V4L2_BUF_FLAG_LAST",
		"BufFlagTimestampMask":      "V4L2_BUF_FLAG_TIMESTAMP_MASK",
		"BufFlagTimestampMonotonic": "V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC",
		"BufFlagTimestampCopy":      "V4L2_BUF_FLAG_TIMESTAMP_COPY",

		"CtrlTypeInteger": "V4L2_CTRL_TYPE_INTEGER", "CtrlTypeBoolean": "V4L2_CTRL_TYPE_BOOLEAN", "CtrlTypeMenu": "V4L2_CTRL_TYPE_MENU",
		"CtrlTypeButton": "V4L2_CTRL_TYPE_BUTTON", "CtrlTypeInteger64": "V4L2_CTRL_TYPE_INTEGER64",
		"CtrlTypeClass": "V4L2_CTRL_TYPE_CTRL_CLASS", "CtrlTypeString": "V4L2_CTRL_TYPE_STRING",
		"CtrlTypeBitmask": "V4L2_CTRL_TYPE_BITMASK", "CtrlTypeIntegerMenu": "V4L2_CTRL_TYPE_INTEGER_MENU",
		"CtrlFlagDisabled": "V4L2_CTRL_FLAG_DISABLED", "CtrlFlagGrabbed": "V4L2_CTRL_FLAG_GRABBED",
		"CtrlFlagReadOnly": "V4L2_CTRL_FLAG_READ_ONLY", "CtrlFlagUpdate": "V4L2_CTRL_FLAG_UPDATE",
		"CtrlFlagInactive": "V4L2_CTRL_FLAG_INACTIVE", "CtrlFlagSlider": "V4L2_CTRL_FLAG_SLIDER",
		"CtrlFlagWriteOnly": "V4L2_CTRL_FLAG_WRITE_ONLY", "CtrlFlagVolatile": "V4L2_CTRL_FLAG_VOLATILE",
		"CtrlFlagHasPayload": "V4L2_CTRL_FLAG_HAS_PAYLOAD", "CtrlFlagExecuteOnWrite": "V4L2_CTRL_FLAG_EXECUTE_ON_WRITE",
		"CtrlFlagNextCtrl": "V4L2_CTRL_FLAG_NEXT_CTRL",

		"CIDClassMask": "V4L2_CTRL_ID2WHICH(0xffffffff)", "CIDBase": "V4L2_CID_BASE", "CIDLastP1": "V4L2_CID_LASTP1",
		"CIDCameraClassBase": "V4L2_CID_CAMERA_CLASS_BASE", "CIDCodecBase": "V4L2_CID_CODEC_BASE",
		"CIDPrivateBase": "V4L2_CID_PRIVATE_BASE",
	}
}

// uapiConstants is what the constants of package uapi are called in C.
func uapiConstants() map[string]string {
	return map[string]string{
		"Capture": "V4L2_BUF_TYPE_VIDEO_CAPTURE", "CaptureMPlane": "V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE",

		"H264": "V4L2_PIX_FMT_H264", "H264NoSC": "V4L2_PIX_FMT_H264_NO_SC", "HEVC": "V4L2_PIX_FMT_HEVC",
		"MJPG": "V4L2_PIX_FMT_MJPEG", "JPEG": "V4L2_PIX_FMT_JPEG", "MPEG4": "V4L2_PIX_FMT_MPEG4",
		"VP8": "V4L2_PIX_FMT_VP8", "VP9": "V4L2_PIX_FMT_VP9",
		"YUYV": "V4L2_PIX_FMT_YUYV", "YVYU": "V4L2_PIX_FMT_YVYU", "UYVY": "V4L2_PIX_FMT_UYVY", "VYUY": "V4L2_PIX_FMT_VYUY",
		"NV12": "V4L2_PIX_FMT_NV12", "NV21": "V4L2_PIX_FMT_NV21", "NV16": "V4L2_PIX_FMT_NV16", "NV61": "V4L2_PIX_FMT_NV61",
		"YU12": "V4L2_PIX_FMT_YUV420", "YV12": "V4L2_PIX_FMT_YVU420", "P422": "V4L2_PIX_FMT_YUV422P",
		"GREY": "V4L2_PIX_FMT_GREY", "Y10": "V4L2_PIX_FMT_Y10", "Y16": "V4L2_PIX_FMT_Y16",
		"RGB3": "V4L2_PIX_FMT_RGB24", "BGR3": "V4L2_PIX_FMT_BGR24", "XR24": "V4L2_PIX_FMT_XBGR32", "AR24": "V4L2_PIX_FMT_ABGR32",
		"RGB4": "V4L2_PIX_FMT_RGB32", "BGR4": "V4L2_PIX_FMT_BGR32", "RGBP": "V4L2_PIX_FMT_RGB565",
		"NM12": "V4L2_PIX_FMT_NV12M", "NM21": "V4L2_PIX_FMT_NV21M", "YM12": "V4L2_PIX_FMT_YUV420M", "YM21": "V4L2_PIX_FMT_YVU420M",

		"ControlBFrames": "V4L2_CID_MPEG_VIDEO_B_FRAMES", "ControlGOPSize": "V4L2_CID_MPEG_VIDEO_GOP_SIZE",
		"ControlGOPClosure": "V4L2_CID_MPEG_VIDEO_GOP_CLOSURE", "ControlBitrateMode": "V4L2_CID_MPEG_VIDEO_BITRATE_MODE",
		"ControlBitrate": "V4L2_CID_MPEG_VIDEO_BITRATE", "ControlBitratePeak": "V4L2_CID_MPEG_VIDEO_BITRATE_PEAK",
		"ControlHeaderMode": "V4L2_CID_MPEG_VIDEO_HEADER_MODE", "ControlFrameRateControl": "V4L2_CID_MPEG_VIDEO_FRAME_RC_ENABLE",
		"ControlRepeatHeader": "V4L2_CID_MPEG_VIDEO_REPEAT_SEQ_HEADER", "ControlForceKeyFrame": "V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME",
		"ControlH264KeyInterval": "V4L2_CID_MPEG_VIDEO_H264_I_PERIOD", "ControlH264Level": "V4L2_CID_MPEG_VIDEO_H264_LEVEL",
		"ControlH264Profile": "V4L2_CID_MPEG_VIDEO_H264_PROFILE", "ControlHEVCProfile": "V4L2_CID_MPEG_VIDEO_HEVC_PROFILE",
		"ControlHEVCLevel": "V4L2_CID_MPEG_VIDEO_HEVC_LEVEL", "ControlHEVCRefreshType": "V4L2_CID_MPEG_VIDEO_HEVC_REFRESH_TYPE",
		"ControlHEVCRefreshPeriod": "V4L2_CID_MPEG_VIDEO_HEVC_REFRESH_PERIOD",
		"ControlPrependHeaders":    "V4L2_CID_MPEG_VIDEO_PREPEND_SPSPPS_TO_IDR",

		"BitrateVariable": "V4L2_MPEG_VIDEO_BITRATE_MODE_VBR", "BitrateConstant": "V4L2_MPEG_VIDEO_BITRATE_MODE_CBR",
		"HeaderSeparate":    "V4L2_MPEG_VIDEO_HEADER_MODE_SEPARATE",
		"HeaderWithPicture": "V4L2_MPEG_VIDEO_HEADER_MODE_JOINED_WITH_1ST_FRAME",
		"H264Baseline":      "V4L2_MPEG_VIDEO_H264_PROFILE_BASELINE", "H264Main": "V4L2_MPEG_VIDEO_H264_PROFILE_MAIN",
		"H264ConstrainedBaseline": "V4L2_MPEG_VIDEO_H264_PROFILE_CONSTRAINED_BASELINE",
		"H264High":                "V4L2_MPEG_VIDEO_H264_PROFILE_HIGH", "HEVCMain": "V4L2_MPEG_VIDEO_HEVC_PROFILE_MAIN",

		"TypeInteger": "V4L2_CTRL_TYPE_INTEGER", "TypeBoolean": "V4L2_CTRL_TYPE_BOOLEAN", "TypeMenu": "V4L2_CTRL_TYPE_MENU",
		"TypeButton": "V4L2_CTRL_TYPE_BUTTON", "TypeInteger64": "V4L2_CTRL_TYPE_INTEGER64",
		"TypeBitmask": "V4L2_CTRL_TYPE_BITMASK", "TypeIntegerMenu": "V4L2_CTRL_TYPE_INTEGER_MENU",
	}
}
