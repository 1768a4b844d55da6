package uapi

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"time"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi/abi"
)

var (
	errNotMapped    = errors.New("there are no buffers; Map comes first")
	errNotStreaming = errors.New("the device does not stream; Start comes first")
)

// Map asks the driver for count buffers (1 to 32), maps them and queues them all. It
// returns how many the driver gave, which may be fewer or more. From then on the format
// cannot be changed, nor by others, until Stop. After an error nothing is kept.
func (d *Device) Map(t BufType, count int) (int, error) {
	if d.queue.mapped != nil {
		return 0, fmt.Errorf("%s: there are buffers already; Stop comes first", d.path)
	}
	if count < 1 || count > abi.MaxFrame {
		return 0, fmt.Errorf("%s: %d buffers; ask for 1 to %d", d.path, count, abi.MaxFrame)
	}
	r := abi.RequestBuffers{Count: uint32(count), Type: uint32(t), Memory: abi.MemoryMMap}
	if err := ioctl(d, abi.ReqBufs, "VIDIOC_REQBUFS", &r); err != nil {
		return 0, err
	}
	d.queue.kind, d.queue.mapped = t, [][]byte{}
	err := d.fill(min(r.Count, abi.MaxFrame))
	if err != nil {
		return 0, errors.Join(err, d.Stop())
	}
	return len(d.queue.mapped), nil
}

// fill maps and queues the driver's buffers.
func (d *Device) fill(count uint32) error {
	if count == 0 {
		return d.nonsense("VIDIOC_REQBUFS gave no buffers")
	}
	for i := range count {
		length, offset, err := d.queryBuffer(i)
		if err != nil {
			return err
		}
		b, err := d.kernel.Mmap(d.fd, int64(offset), int(length))
		if err != nil {
			return fmt.Errorf("%s: mmap of %d bytes: %w", d.path, length, err)
		}
		d.queue.mapped = append(d.queue.mapped, b)
		d.queue.queued = append(d.queue.queued, false)
	}
	for i := range int(count) {
		if err := d.Queue(i); err != nil {
			return err
		}
	}
	return nil
}

// queryBuffer asks how long a buffer is and where it is mapped.
func (d *Device) queryBuffer(index uint32) (length, offset uint32, err error) {
	b, err := d.exchange(abi.QueryBuf, "VIDIOC_QUERYBUF", index)
	if err != nil {
		return 0, 0, err
	}
	length, offset = b.Length, *b.Offset()
	if d.queue.kind == CaptureMPlane {
		if b.Length != 1 {
			return 0, 0, d.manyPlanes("the", b.Length)
		}
		length, offset = d.queue.planes[0].Length, *d.queue.planes[0].Offset()
	}
	if length == 0 || length > maxImage {
		return 0, 0, d.nonsense("VIDIOC_QUERYBUF gave a buffer of %d bytes", length)
	}
	return length, offset, nil
}

// exchange makes a request about a buffer. What it returns is valid until the next.
func (d *Device) exchange(request uint32, name string, index uint32) (*abi.Buffer, error) {
	q := &d.queue
	q.buffer = abi.Buffer{Index: index, Type: uint32(q.kind), Memory: abi.MemoryMMap}
	if q.kind == CaptureMPlane {
		var pinner runtime.Pinner
		defer pinner.Unpin()
		pinner.Pin(&q.planes[0])
		clear(q.planes[:])
		q.buffer.SetPlanes(q.planes[:])
	}
	return &q.buffer, ioctl(d, request, name, &q.buffer)
}

// Start starts streaming. Some drivers take seconds.
func (d *Device) Start() error {
	if len(d.queue.mapped) == 0 {
		return d.failed("VIDIOC_STREAMON", errNotMapped)
	}
	kind := int32(d.queue.kind)
	if err := ioctl(d, abi.StreamOn, "VIDIOC_STREAMON", &kind); err != nil {
		return err
	}
	d.queue.streaming = true
	return nil
}

// Wait blocks until there is a frame or an error, Wake was called, or the timeout is over.
// Between Start and Stop only: asking a driver that does not stream makes some start to.
func (d *Device) Wait(timeout time.Duration) (Event, error) {
	if !d.queue.streaming {
		return Failed, d.failed("no frame", errNotStreaming)
	}
	e, err := d.waiter.Wait(timeout)
	if err != nil {
		return e, d.failed("waiting", err)
	}
	return e, nil
}

// Dequeue takes the next frame from the driver; Queue gives its buffer back. The error is
// syscall.EAGAIN where there is none yet, and wraps syscall.EPIPE after the last one of a
// stream that ended, ErrAnswer where the driver names a buffer it does not have.
func (d *Device) Dequeue() (Frame, error) {
	if !d.queue.streaming {
		return Frame{}, d.failed("no frame", errNotStreaming)
	}
	b, err := d.exchange(abi.DQBuf, "VIDIOC_DQBUF", 0)
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return Frame{}, syscall.EAGAIN
	case err != nil:
		return Frame{}, err
	case uint64(b.Index) >= uint64(len(d.queue.mapped)):
		return Frame{}, d.nonsense("VIDIOC_DQBUF gave buffer %d of %d", b.Index, len(d.queue.mapped))
	case !d.queue.queued[b.Index]:
		return Frame{}, d.nonsense("VIDIOC_DQBUF gave buffer %d a second time", b.Index)
	}
	d.queue.queued[b.Index] = false
	return d.queue.frame(b), nil
}

// frame reads what the driver says of a buffer that is known to exist.
func (q *queue) frame(b *abi.Buffer) Frame {
	f := Frame{
		Index:    int(b.Index),
		Sequence: b.Sequence,
		Damaged:  b.Flags&abi.BufFlagError != 0,
		Last:     b.Flags&abi.BufFlagLast != 0,
		Key:      b.Flags&abi.BufFlagKeyFrame != 0,
	}
	f.Time, f.HasTime = timestamp(b)

	begin, end := uint32(0), b.BytesUsed
	if q.kind == CaptureMPlane {
		begin, end = q.planes[0].DataOffset, q.planes[0].BytesUsed
	}
	data := q.mapped[b.Index]
	if uint64(end) > uint64(len(data)) {
		end, f.Damaged = uint32(len(data)), true
	}
	if begin > end {
		begin, f.Damaged = end, true
	}
	f.Data = data[begin:end:end]
	return f
}

// timestamp reads a buffer's time on CLOCK_MONOTONIC. A zero one, of drivers that do not
// fill it in, is none.
func timestamp(b *abi.Buffer) (time.Duration, bool) {
	sec, usec := int64(b.Timestamp.Sec), int64(b.Timestamp.Usec)
	switch b.Flags & abi.BufFlagTimestampMask {
	case abi.BufFlagTimestampMonotonic, abi.BufFlagTimestampCopy:
	default:
		return 0, false
	}
	const maxSec = 1 << 33 // 272 years; fits a time.Duration
	if sec < 0 || sec > maxSec || usec < 0 || usec >= 1e6 || sec|usec == 0 {
		return 0, false
	}
	return time.Duration(sec)*time.Second + time.Duration(usec)*time.Microsecond, true
}

// Queue gives a buffer to the driver to be filled. The Data of its frame is the driver's
// from then on.
func (d *Device) Queue(index int) error {
	if index < 0 || index >= len(d.queue.mapped) {
		return fmt.Errorf("%s: there is no buffer %d", d.path, index)
	}
	if d.queue.queued[index] {
		return fmt.Errorf("%s: buffer %d is queued already", d.path, index)
	}
	if _, err := d.exchange(abi.QBuf, "VIDIOC_QBUF", uint32(index)); err != nil {
		return err
	}
	d.queue.queued[index] = true
	return nil
}

// Stop stops streaming and gives the buffers back: the Data of every frame becomes
// invalid. It frees what it can whatever fails, also of an unplugged device: ENODEV is no
// error then. Without buffers it does nothing.
func (d *Device) Stop() error {
	if d.queue.mapped == nil {
		return nil
	}
	kind := int32(d.queue.kind)
	err := unlessGone(ioctl(d, abi.StreamOff, "VIDIOC_STREAMOFF", &kind))
	// Kernels before 5.0 refuse to free buffers that are mapped.
	for _, b := range d.queue.mapped {
		if unmapping := unlessGone(d.kernel.Munmap(b)); unmapping != nil {
			err = errors.Join(err, d.failed("munmap", unmapping))
		}
	}
	r := abi.RequestBuffers{Type: uint32(d.queue.kind), Memory: abi.MemoryMMap}
	err = errors.Join(err, unlessGone(ioctl(d, abi.ReqBufs, "VIDIOC_REQBUFS", &r)))
	d.queue = queue{}
	return err
}
