//go:build device && !cgo

package encoder

// The tag device needs cgo: set CGO_ENABLED=1, install a C compiler and libx264-dev.
var _ = tag_device_needs_cgo_set_CGO_ENABLED_1_and_install_a_C_compiler_and_libx264_dev
