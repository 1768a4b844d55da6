package viewer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"
)

// maxAnswer is the longest list of cameras that is read, in bytes.
const maxAnswer = 1 << 20

// Camera describes a camera of the publisher.
type Camera struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// State is "live", "connecting" or "offline", Since when it became so, and
	// Reason a sentence for a person.
	State  string    `json:"state"`
	Since  time.Time `json:"since"`
	Reason string    `json:"reason"`
	// Warning is a sentence about a setting to change, or empty.
	Warning string `json:"warning"`
	// Codec and Audio are the codecs' usual names ("H.264", "Opus").
	Codec  string `json:"codec"`
	Audio  string `json:"audio"`
	Width  int    `json:"width"`  // pixels
	Height int    `json:"height"` // pixels
	// Renditions is the number of encodings to choose from.
	Renditions  int  `json:"renditions"`
	TestPattern bool `json:"testPattern"`
	Viewers     int  `json:"viewers"`
}

// Cameras asks the publisher for its cameras.
func (s *Session) Cameras(ctx context.Context) ([]Camera, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, BaseURL+"/v1/cameras", nil)
	if err != nil {
		return nil, fmt.Errorf("list the cameras: %w", err)
	}
	res, err := s.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("list the cameras: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("list the cameras: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("list the cameras: %w", apiError(res.StatusCode, body))
	}
	cameras, err := parseCameras(res.Header.Get("Content-Type"), body)
	if err != nil {
		return nil, fmt.Errorf("list the cameras: %w", err)
	}
	return cameras, nil
}

// parseCameras reads the answer to GET /v1/cameras. Unknown fields are from a
// newer publisher and ignored.
func parseCameras(contentType string, body []byte) ([]Camera, error) {
	if t, _, err := mime.ParseMediaType(contentType); err != nil || t != "application/json" {
		return nil, fmt.Errorf("the publisher answered with %q instead of JSON", contentType)
	}
	if len(body) > maxAnswer {
		return nil, errors.New("the publisher's answer is too long")
	}
	var list struct {
		Cameras []Camera `json:"cameras"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("parse the publisher's answer: %w", err)
	}
	return list.Cameras, nil
}

// APIError is an error answer of the publisher's HTTP API.
type APIError struct {
	Status  int    // HTTP status
	Code    string // for the program
	Message string // a sentence for a person
}

// Error implements error.
func (e *APIError) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("the publisher answered %d %s", e.Status, http.StatusText(e.Status))
	}
	return fmt.Sprintf("the publisher answered %d: %q", e.Status, e.Message)
}

func apiError(status int, body []byte) error {
	var answer struct {
		Error struct{ Code, Message string } `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return &APIError{Status: status}
	}
	return &APIError{Status: status, Code: answer.Error.Code, Message: answer.Error.Message}
}
