//go:build !(mips || mipsle || mips64 || mips64le || ppc64 || ppc64le || sparc64)

package abi

// Request numbers of most architectures.
const (
	sizeBits       = 14
	directionWrite = 1
	directionRead  = 2
)
