package peer

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// pionLog hands what pion logs to a slog.Logger at debug level: what matters to
// a user reaches us as an error or a change of state.
type pionLog struct {
	log *slog.Logger // constant
}

var _ logging.LoggerFactory = pionLog{}

// NewLogger implements logging.LoggerFactory.
func (p pionLog) NewLogger(scope string) logging.LeveledLogger {
	return pionLog{log: p.log.With("pion", scope)}
}

func (p pionLog) say(level, format string, args ...any) {
	if p.log.Enabled(context.Background(), slog.LevelDebug) {
		p.log.Debug("pion says", "level", level, "text", fmt.Sprintf(format, args...))
	}
}

func (p pionLog) Trace(string)                      {}
func (p pionLog) Tracef(string, ...any)             {}
func (p pionLog) Debug(string)                      {}
func (p pionLog) Debugf(string, ...any)             {}
func (p pionLog) Info(msg string)                   { p.say("info", "%s", msg) }
func (p pionLog) Infof(format string, args ...any)  { p.say("info", format, args...) }
func (p pionLog) Warn(msg string)                   { p.say("warn", "%s", msg) }
func (p pionLog) Warnf(format string, args ...any)  { p.say("warn", format, args...) }
func (p pionLog) Error(msg string)                  { p.say("error", "%s", msg) }
func (p pionLog) Errorf(format string, args ...any) { p.say("error", format, args...) }
