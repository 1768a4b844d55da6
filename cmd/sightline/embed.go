package main

import (
	"log/slog"
	"net/http"

	"github.com/sightline-cam/sightline/signaling/server"
	"github.com/sightline-cam/sightline/web"
)

// embed starts a signaling server with the web page in this process.
func embed(log *slog.Logger, hosts []string) (http.Handler, func() error, error) {
	s, err := server.New(server.Options{
		Logger: log.With("part", "signaling server"), Page: web.Handler(), AllowedHosts: hosts, AllowLocal: true,
	})
	if err != nil {
		return nil, nil, err
	}
	return s.Handler(), s.Close, nil
}
