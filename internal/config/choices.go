package config

import (
	"fmt"
	"log/slog"
	"strings"
)

// Transport is how RTP comes from a camera.
type Transport string

// The transports. The zero value means TransportAuto.
const (
	TransportAuto Transport = "auto" // UDP or TCP, whichever works
	TransportTCP  Transport = "tcp"  // interleaved in the RTSP connection, RFC 2326 §10.12
	TransportUDP  Transport = "udp"
)

// UnmarshalText accepts "auto", "tcp" and "udp".
func (t *Transport) UnmarshalText(text []byte) error {
	return choose(t, text, TransportAuto, TransportTCP, TransportUDP)
}

// LogLevel is the least severe log message written.
type LogLevel string

// The log levels. The zero value means LogInfo.
const (
	LogDebug LogLevel = "debug"
	LogInfo  LogLevel = "info"
	LogWarn  LogLevel = "warn"
	LogError LogLevel = "error"
)

// UnmarshalText accepts "debug", "info", "warn" and "error".
func (l *LogLevel) UnmarshalText(text []byte) error {
	return choose(l, text, LogDebug, LogInfo, LogWarn, LogError)
}

// Level returns the level for slog.
func (l LogLevel) Level() slog.Level {
	switch l {
	case LogDebug:
		return slog.LevelDebug
	case LogWarn:
		return slog.LevelWarn
	case LogError:
		return slog.LevelError
	case LogInfo:
	}
	return slog.LevelInfo
}

// LogFormat is how log lines look.
type LogFormat string

// The log formats. The zero value means LogText.
const (
	LogText LogFormat = "text" // key=value
	LogJSON LogFormat = "json" // one object a line
)

// UnmarshalText accepts "text" and "json".
func (f *LogFormat) UnmarshalText(text []byte) error {
	return choose(f, text, LogText, LogJSON)
}

// choose sets *to to the choice of that name.
func choose[T ~string](to *T, text []byte, choices ...T) error {
	names := make([]string, len(choices))
	for i, c := range choices {
		if string(c) == string(text) {
			*to = c
			return nil
		}
		names[i] = string(c)
	}
	last := len(names) - 1
	return fmt.Errorf("must be %s or %s", strings.Join(names[:last], ", "), names[last])
}
