// Package v4l2 tests cameras of this machine against the kernel's own drivers, in a
// virtual machine: the real agent inside, a viewer and a decoder outside. make v4l2
// runs it; docs/design/v4l2-lab.md says what each case proves.
package v4l2
