package abi

// RequestBuffers is struct v4l2_requestbuffers.
type RequestBuffers struct {
	Count        uint32
	Type         uint32
	Memory       uint32
	Capabilities uint32
	Flags        uint8
	_            [3]uint8
}

// Buffer is struct v4l2_buffer, with a 32-bit time stamp on 32-bit architectures.
type Buffer struct {
	Index     uint32
	Type      uint32
	BytesUsed uint32
	Flags     uint32
	Field     uint32
	Timestamp Timeval
	Timecode  Timecode
	Sequence  uint32
	Memory    uint32
	M         uintptr // a union: see Offset and Planes
	Length    uint32  // bytes; of multi-planar queues the number of planes at M
	_         uint32
	RequestFD int32
}

// Offset is the union in a buffer of a single-planar queue: what to map.
func (b *Buffer) Offset() *uint32 { return overlay[uint32](&b.M) }

// SetPlanes makes the union point to planes. The caller keeps them where they are
// (runtime.Pinner) as long as the kernel may look.
func (b *Buffer) SetPlanes(planes []Plane) {
	b.M, b.Length = address(planes), uint32(len(planes))
}

// Planes is what SetPlanes set, for a driver in Go. Length must not have grown since.
func (b *Buffer) Planes() []Plane {
	return behind[Plane](&b.M, b.Length)
}

// Plane is struct v4l2_plane.
type Plane struct {
	BytesUsed  uint32
	Length     uint32
	M          uintptr // a union: see Offset
	DataOffset uint32
	_          [11]uint32
}

// Offset is the union of a mapped buffer's plane: what to map.
func (p *Plane) Offset() *uint32 { return overlay[uint32](&p.M) }

// Timeval is struct timeval.
type Timeval struct {
	Sec  int
	Usec int
}

// Timecode is struct v4l2_timecode.
type Timecode struct {
	Type     uint32
	Flags    uint32
	Frames   uint8
	Seconds  uint8
	Minutes  uint8
	Hours    uint8
	UserBits [4]uint8
}
