package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/sightline-cam/sightline/viewer"
)

// pathInterval is how often a session is asked for its path.
const pathInterval = 200 * time.Millisecond

// logPath logs how the session reaches its agent, and every change of that, until
// ctx ends.
func logPath(ctx context.Context, s *viewer.Session, log *slog.Logger) {
	tick := time.NewTicker(pathInterval)
	defer tick.Stop()
	for last := ""; ; {
		st := s.Stats()
		if now := st.Local + st.Remote; st.Local != "" && now != last {
			last = now
			path := "direct"
			if st.Relayed {
				path = "relayed"
			}
			log.InfoContext(ctx, "connected", "path", path, "local", st.Local, "remote", st.Remote)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
