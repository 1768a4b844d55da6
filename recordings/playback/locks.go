package playback

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/sightline-cam/sightline/internal/trust"
	"github.com/sightline-cam/sightline/recordings"
)

// Bounds of locks: what is locked is not deleted when the disk fills.
const (
	maxLockName = 64 // characters
	maxLock     = 7 * 24 * time.Hour
	maxLocks    = 500 // of one camera
	// maxLocked is how much of a camera may be locked in all. The owner may lock more:
	// it is the owner's disk.
	maxLocked = 30 * 24 * time.Hour
)

// always is all the time there is.
func always() recordings.Range { return recordings.Range{From: 0, To: maxMicros} }

// postLock answers POST /v1/recordings/{camera}/locks: a time is kept for good.
func (a *API) postLock(w http.ResponseWriter, r *http.Request, camera string, p *trust.Principal) *apiError {
	var in struct {
		FromMs int64  `json:"fromMs"`
		ToMs   int64  `json:"toMs"`
		Name   string `json:"name"`
	}
	if err := parseQuery(r).err; err != nil {
		return err
	}
	if err := readJSON(r, &in); err != nil {
		return err
	}
	span, bad := spanOf(in.FromMs, in.ToMs, maxLock, "Lock at most 7 days at once.")
	if bad != nil {
		return bad
	}
	if !isText(in.Name, maxLockName) {
		return badRequest("The name must be one line of at most 64 characters.")
	}
	if err := a.known(r.Context(), camera); err != nil {
		return err
	}
	a.locking.Lock() // nobody adds one in between
	defer a.locking.Unlock()
	locks, err := a.opts.Library.Locks(r.Context(), camera, always())
	if err != nil {
		return a.failed(r.Context(), "list locks", err)
	}
	if len(locks) >= maxLocks {
		return fail(http.StatusConflict, "full", "As much of this camera is locked as there may be. Remove a lock that is not needed any more.")
	}
	if !reigns(p) && lockedTime(locks, span) > maxLocked {
		return fail(http.StatusConflict, "full", "More than 30 days of this camera would be locked, which only its owner may do. Remove a lock that is not needed any more.")
	}
	lock, err := a.opts.Library.AddLock(r.Context(), recordings.Lock{Camera: camera, Range: span, Name: in.Name})
	if err != nil {
		return a.notKept(r.Context(), "write a lock down", err)
	}
	a.journal(r, ChangeLock, p, camera+" "+lock.ID+", "+textOf(span))
	writeJSON(w, http.StatusCreated, created{lock.ID})
	return nil
}

// lockedTime returns how much time locks cover together with one more.
func lockedTime(locks []recordings.Lock, more recordings.Range) (sum time.Duration) {
	all := []recordings.Range{more}
	for _, l := range locks {
		all = append(all, l.Range)
	}
	slices.SortFunc(all, func(a, b recordings.Range) int { return cmp.Compare(a.From, b.From) })
	until := all[0].From
	for _, r := range all {
		sum += max(recordings.Range{From: max(r.From, until), To: r.To}.Duration(), 0)
		until = max(until, r.To)
	}
	return sum
}

// spanOf checks a range of a body.
func spanOf(fromMs, toMs int64, longest time.Duration, why string) (recordings.Range, *apiError) {
	if fromMs < 0 || toMs < 0 || fromMs > maxMillis || toMs > maxMillis {
		return recordings.Range{}, badRequest("Times are milliseconds since 1970.")
	}
	span := recordings.Range{From: ofMillis(fromMs), To: ofMillis(toMs)}
	return span, checkSpan(span, longest, why)
}

// textOf writes a time for the access log.
func textOf(r recordings.Range) string {
	return r.From.Std().Format(time.RFC3339) + " to " + r.To.Std().Format(time.RFC3339)
}

// deleteLock answers DELETE /v1/recordings/{camera}/locks/{id}.
func (a *API) deleteLock(w http.ResponseWriter, r *http.Request, camera string, p *trust.Principal) *apiError {
	if err := parseQuery(r).err; err != nil {
		return err
	}
	id := r.PathValue("id")
	if err := a.opts.Library.RemoveLock(r.Context(), camera, id); a.opts.IsNotFound(err) {
		return notFound("There is no such lock; it may have been removed.")
	} else if err != nil {
		return a.notKept(r.Context(), "remove a lock", err)
	}
	a.journal(r, ChangeUnlock, p, camera+" "+id)
	noContent(w)
	return nil
}

func noContent(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}

// journal says in the access log what somebody did.
func (a *API) journal(r *http.Request, kind ChangeKind, p *trust.Principal, what string) {
	a.opts.Journal(Change{Kind: kind, By: p, What: what, From: a.opts.CameFrom(r)})
}
