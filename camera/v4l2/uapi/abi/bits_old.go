//go:build mips || mipsle || mips64 || mips64le || ppc64 || ppc64le || sparc64

package abi

// Request numbers of architectures that kept those of an older Unix.
const (
	sizeBits       = 13
	directionWrite = 4
	directionRead  = 2
)
