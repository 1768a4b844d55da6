// Package fakev4l2 is a video driver in Go for tests: a uapi.Kernel with devices that
// behave as the kernel's do (videobuf2's queues, the control framework), deliver what the
// test pushes, and misbehave as the test says. It works inside testing/synctest.
package fakev4l2
