package viewer

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

func FuzzParseCameras(f *testing.F) {
	f.Add("application/json", []byte(`{"cameras":[{"id":"front","since":"2026-01-02T03:04:05Z","width":1280}],"peer":"x"}`))
	f.Add("application/json; charset=utf-8", []byte(`{"cameras":null}`))
	f.Add("text/html", []byte(`<html>`))
	f.Add("application/json", []byte(`{"cameras":[{"since":"yesterday"}]}`))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		cameras, err := parseCameras(contentType, body)
		if err != nil && cameras != nil {
			t.Error("cameras together with an error")
		}
		_ = apiError(http.StatusTeapot, body).Error()
	})
}

func TestAPIError_QuotesWhatThePublisherSays(t *testing.T) {
	err := apiError(http.StatusForbidden, []byte(`{"error":{"code":"forbidden","message":"Ask\u001b[31m the owner."}}`))
	var api *APIError
	if !errors.As(err, &api) || api.Code != "forbidden" || api.Status != http.StatusForbidden {
		t.Fatalf("%#v", err)
	}
	if strings.Contains(err.Error(), "\x1b") || !strings.Contains(err.Error(), "the owner.") {
		t.Errorf("%q", err)
	}
	if got := apiError(http.StatusBadGateway, []byte("<html>")).Error(); got != "the publisher answered 502 Bad Gateway" {
		t.Error(got)
	}
}
