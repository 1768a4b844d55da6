package uapi

import "time"

// Frame is one picture, or the data of one, that a device delivered (VIDIOC_DQBUF).
type Frame struct {
	Index    int
	Data     []byte // of the mapping: valid until Queue(Index), Stop or Close, and not longer
	Sequence uint32 // counts the frames since Start, lost ones too
	Time     time.Duration
	HasTime  bool // Time is on CLOCK_MONOTONIC; or copied, as loopback devices do, from whatever the writer uses
	Damaged  bool // the driver says so (V4L2_BUF_FLAG_ERROR), or its lengths are wrong
	Last     bool // the last of the stream (V4L2_BUF_FLAG_LAST)
	Key      bool // a key frame, where the driver says (V4L2_BUF_FLAG_KEYFRAME)
}
