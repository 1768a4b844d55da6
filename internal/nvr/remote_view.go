package nvr

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sightline-cam/sightline/recordings"
	"github.com/sightline-cam/sightline/recordings/playback"
	"github.com/sightline-cam/sightline/recordings/remote"
)

// quiet is after how long without anything new a camera is not said to be recorded.
const quiet = 30 * time.Second

// views says how the agent's cameras stand.
func (a *remoteAgent) views(now time.Time, paused func(camera string) (recordings.Pause, bool)) []playback.Camera {
	st := a.remote.Status()
	streams := make(map[string]remote.StreamStatus)
	for _, s := range st.Streams {
		if _, there := streams[s.Camera]; !there || s.Rendition == recordings.Main {
			streams[s.Camera] = s
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.cameras) == 0 {
		// Else nothing would tell that there is an agent, and what keeps it away.
		return []playback.Camera{{
			ID: baseID(a.opts.Prefix, "agent-"+a.opts.Peer.Short()), Name: a.opts.cameraName("cameras of "+a.opts.Peer.Short(), ""),
			Origin: string(a.opts.Peer), Reason: a.awayLocked(st),
		}}
	}
	out := make([]playback.Camera, 0, len(a.cameras))
	for _, c := range a.cameras {
		v := playback.Camera{ID: c.id, Name: c.name, Origin: string(a.opts.Peer)}
		s, known := streams[c.id]
		_, isPaused := paused(c.id)
		switch {
		case isPaused:
			v.Reason = "Recording is paused."
		case !a.policy.Schedule.Active(now):
			v.Reason = "Outside of its times (" + a.policy.Schedule.String() + ")."
		case c.gone:
			v.Reason = "The agent does not show this camera to this recorder any more."
		case !st.Connected || !known:
			v.Reason = a.awayLocked(st)
		default:
			v.Recording, v.Reason = a.standing(s)
		}
		out = append(out, v)
	}
	return out
}

// awayLocked says why there is no connection with the agent.
func (a *remoteAgent) awayLocked(st remote.Status) string {
	switch {
	case a.failure.reason != "":
		return a.failure.reason
	case st.Reason != "":
		return sentence(st.Reason)
	}
	return "Connecting to the agent."
}

// standing says how a stream stands of an agent that is connected.
func (a *remoteAgent) standing(s remote.StreamStatus) (recording bool, reason string) {
	switch {
	case !s.Recording:
		return false, sentence(s.Reason)
	case s.Recorded == 0 || s.Behind < quiet:
	case a.policy.OnEvent:
		return false, "Waiting for something to happen."
	default:
		return false, fmt.Sprintf("Nothing has come from the camera for %v.", s.Behind.Round(time.Second))
	}
	if s.Verified || s.Reason != "" {
		return true, ""
	}
	return true, "What is lost on the way cannot be fetched again: the agent does not let this recorder play back, or keeps nothing for recorders."
}

// sentence makes a text begin and end as a sentence does.
func sentence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(first)) + text[size:]
	if !strings.ContainsAny(text[len(text)-1:], ".!?") {
		text += "."
	}
	return text
}
