package fakev4l2

import (
	"slices"
	"syscall"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"
)

// queue is the buffers of a node, as videobuf2 keeps them. The kernel's mutex guards it.
type queue struct {
	owner     *file // who asked for the buffers
	buffers   []*buffer
	waiting   []int // indexes of the buffers to be filled, in their order
	done      []int // indexes of those that are filled and not dequeued
	streaming bool
	broken    bool // by a fatal error, until streaming is stopped
	sequence  uint32
}

// buffer is one of a queue.
type buffer struct {
	memory   []byte // whole pages
	length   uint32
	offset   uint32 // by which it is mapped
	mapped   int    // how often
	state    state
	used     uint32
	delivery delivery
}

// state is who has a buffer.
type state int

const (
	dequeued state = iota // the program
	queued                // the driver, to fill it
	done                  // the driver, filled
)

const pageSize = 4096

// allocate makes the buffers of a queue.
func (q *queue) allocate(owner *file, count int, length uint32) {
	q.owner, q.buffers = owner, nil
	pages := (max(length, 1) + pageSize - 1) / pageSize * pageSize
	for i := range count {
		q.buffers = append(q.buffers, &buffer{memory: make([]byte, pages), length: length, offset: uint32(i) * pages})
	}
}

// mapped says whether a buffer is mapped.
func (q *queue) mapped() bool {
	return slices.ContainsFunc(q.buffers, func(b *buffer) bool { return b.mapped > 0 })
}

// cancel stops streaming: all buffers are the program's.
func (q *queue) cancel() {
	for _, b := range q.buffers {
		b.state = dequeued
	}
	q.waiting, q.done, q.streaming, q.broken = nil, nil, false, false
}

// release gives the buffers back; mappings keep their memory.
func (q *queue) release() { *q = queue{} }

// requestBuffers is VIDIOC_REQBUFS.
func (f *file) requestBuffers(r *abi.RequestBuffers) error {
	n, q := f.node, f.node.queue
	switch {
	case r.Type != n.device.bufType() || r.Memory != abi.MemoryMMap:
		return syscall.EINVAL
	case n.busy || q.owner != nil && q.owner != f:
		return syscall.EBUSY
	case q.streaming || q.mapped(): // as kernels before 5.0 do; later ones keep what is mapped
		return syscall.EBUSY
	}
	q.release()
	if r.Count = min(r.Count, uint32(n.device.Buffers)); r.Count > 0 {
		q.allocate(f, int(r.Count), n.format.SizeImage)
	}
	return nil
}

// queryBuffer is VIDIOC_QUERYBUF, which needs no owner.
func (f *file) queryBuffer(b *abi.Buffer) error {
	index, err := f.index(b)
	if err != nil {
		return err
	}
	f.describe(index, b)
	return nil
}

// queueBuffer is VIDIOC_QBUF.
func (f *file) queueBuffer(b *abi.Buffer) error {
	q := f.node.queue
	if q.owner != nil && q.owner != f {
		return syscall.EBUSY
	}
	index, err := f.index(b)
	if err != nil {
		return err
	}
	if q.broken {
		return syscall.EIO
	}
	if b.Memory != abi.MemoryMMap || q.buffers[index].state != dequeued {
		return syscall.EINVAL
	}
	q.buffers[index].state = queued
	q.waiting = append(q.waiting, index)
	f.describe(index, b)
	return nil
}

// dequeueBuffer is VIDIOC_DQBUF of a descriptor that does not block.
func (f *file) dequeueBuffer(b *abi.Buffer) error {
	q := f.node.queue
	switch {
	case q.owner != nil && q.owner != f:
		return syscall.EBUSY
	case b.Type != f.node.device.bufType() || b.Memory != abi.MemoryMMap || !q.streaming:
		return syscall.EINVAL
	case q.broken:
		return syscall.EIO
	case len(q.done) == 0:
		return syscall.EAGAIN
	}
	index := q.done[0]
	q.done = q.done[1:]
	q.buffers[index].state = dequeued
	f.describe(index, b)
	if lie := q.buffers[index].delivery.index; lie != nil {
		b.Index = uint32(*lie)
	}
	return nil
}

// stream is VIDIOC_STREAMON and VIDIOC_STREAMOFF.
func (f *file) stream(on bool, kind uint32) error {
	q := f.node.queue
	switch {
	case kind != f.node.device.bufType():
		return syscall.EINVAL
	case q.owner != nil && q.owner != f:
		return syscall.EBUSY
	case !on:
		q.cancel()
	case len(q.buffers) == 0:
		return syscall.EINVAL
	case !q.streaming:
		q.streaming, q.sequence = true, 0
	}
	return nil
}

// index is the buffer that is asked for.
func (f *file) index(b *abi.Buffer) (int, error) {
	multi := f.node.device.MPlane
	if b.Type != f.node.device.bufType() || uint64(b.Index) >= uint64(len(f.node.queue.buffers)) ||
		multi && (b.M == 0 || b.Length < f.node.format.Planes || b.Length > abi.MaxPlanes) {
		return 0, syscall.EINVAL
	}
	return int(b.Index), nil
}

// describe answers what a buffer is.
func (f *file) describe(index int, b *abi.Buffer) {
	from := f.node.queue.buffers[index]
	b.Index, b.Field, b.Memory = uint32(index), abi.FieldNone, abi.MemoryMMap
	b.Flags, b.BytesUsed, b.Sequence, b.Timestamp = abi.BufFlagTimestampMonotonic, 0, 0, abi.Timeval{}
	if from.mapped > 0 {
		b.Flags |= abi.BufFlagMapped
	}
	switch from.state {
	case queued:
		b.Flags |= abi.BufFlagQueued
	case done:
		b.Flags |= abi.BufFlagDone
	case dequeued:
		b.Flags = b.Flags&^abi.BufFlagTimestampMask | from.delivery.flags
		b.BytesUsed, b.Sequence, b.Timestamp = from.used, from.delivery.sequence, from.delivery.timestamp()
		if from.delivery.used != nil {
			b.BytesUsed = uint32(*from.delivery.used)
		}
	}
	if !f.node.device.MPlane {
		b.Length, *b.Offset() = from.length, from.offset
		return
	}
	if b.M == 0 {
		return // DQBUF does without
	}
	planes := b.Planes()
	planes[0] = abi.Plane{BytesUsed: b.BytesUsed, Length: from.length, DataOffset: from.delivery.dataOffset}
	*planes[0].Offset() = from.offset
	for i := uint32(1); i < f.node.format.Planes; i++ {
		planes[i] = abi.Plane{Length: from.length} // a picture of several planes is not modelled further
	}
	b.BytesUsed, b.Length = 0, f.node.format.Planes
}

// timestamp is the frame's time as the kernel writes it.
func (f *delivery) timestamp() abi.Timeval {
	t := abi.Timeval{Sec: int(f.time / 1e9), Usec: int(f.time % 1e9 / 1e3)}
	if f.sec != nil {
		t = abi.Timeval{Sec: *f.sec, Usec: *f.usec}
	}
	return t
}
