package camera

// watcher is a reader of statuses. Its channel holds one, the newest.
type watcher struct{ c chan Status }

// offer replaces the status in the channel. Calls must not overlap.
func (w *watcher) offer(s Status) {
	select {
	case w.c <- s:
		return
	default:
	}
	select {
	case <-w.c: // the reader is behind: what it has not read is out of date
	default:
	}
	w.c <- s // only offer writes, so there is room now
}
