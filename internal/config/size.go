package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes such as "500GB", "64MiB" or "1.5TB".
type Size int64

// UnmarshalText reads it. Without a unit it is bytes.
func (s *Size) UnmarshalText(text []byte) error {
	number := strings.TrimRight(string(text), "kKMGTiB ")
	unit := strings.TrimSpace(string(text)[len(number):])
	factor, ok := map[string]float64{
		"": 1, "B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
		"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
	}[unit]
	n, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || n < 0 || math.IsInf(n*factor, 0) || math.IsNaN(n) || n*factor >= math.MaxInt64 {
		return errors.New("must be a size such as 500GB, 64MiB or 1.5TB")
	}
	*s = Size(n * factor)
	return nil
}
