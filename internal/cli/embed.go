package cli

import (
	"log/slog"
	"net/http"
)

// Embed starts a signaling server, with the web page, inside this process.
// hosts are names by which it may be reached, beside those of loopback and the
// address that a connection comes in on. A nil Embed means that this program has
// none.
type Embed func(log *slog.Logger, hosts []string) (h http.Handler, stop func() error, err error)
