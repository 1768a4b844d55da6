package nvr

import (
	"context"
	"log/slog"
)

// Quiet returns a log that writes everything at the level debug.
func Quiet(log *slog.Logger) *slog.Logger { return slog.New(lowered{log.Handler()}) }

// lowered writes everything at the level debug: how each attempt to reach an agent
// goes is for those who look for a fault; that it cannot be reached is said once by
// whoever makes the attempts.
type lowered struct{ slog.Handler }

// Enabled implements slog.Handler.
func (h lowered) Enabled(ctx context.Context, _ slog.Level) bool {
	return h.Handler.Enabled(ctx, slog.LevelDebug)
}

// Handle implements slog.Handler.
func (h lowered) Handle(ctx context.Context, r slog.Record) error {
	r.Level = slog.LevelDebug
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h lowered) WithAttrs(attrs []slog.Attr) slog.Handler {
	return lowered{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h lowered) WithGroup(name string) slog.Handler { return lowered{h.Handler.WithGroup(name)} }
