package e2e

import (
	"testing"

	"github.com/sightline-cam/sightline/internal/lab/rtspcam"
)

// hasTicket reads the page's address book: whether the agent was heard of how to
// be dialled directly.
const hasTicket = `new Promise((resolve) => {
	const request = indexedDB.open('sightline');
	request.onerror = () => resolve(false);
	request.onsuccess = () => {
		const db = request.result;
		if (!db.objectStoreNames.contains('paths')) return resolve(false);
		const all = db.transaction('paths').objectStore('paths').getAll();
		all.onsuccess = () => { db.close(); resolve(all.result.some(({ ticket }) => ticket)); };
	};
})`

// keptByWorker is whether the browser can open the page without its server.
const keptByWorker = `navigator.serviceWorker.getRegistration().then((r) => Boolean(r?.active))`

// With the signaling service dead for good, which has also served the page, a
// browser that was there before opens the page from what it has kept, dials the
// agent at the address that it remembers, and watches.
func TestPage_OpensAndDialsDirectlyWhenEverythingElseIsDead(t *testing.T) {
	b := launch(t)
	s := newSite(t, rtspcam.StartGStreamer(t).URL(rtspcam.Open, "baseline"))
	p := b.open("direct", s.link, pageOptions{})
	p.waitState("live", liveTimeout)
	p.wait(hasTicket, liveTimeout, nil)
	p.wait(keptByWorker, liveTimeout, nil)

	s.signal.kill(t)
	p.eval("void setTimeout(() => location.reload())", nil)
	p.wait("performance.getEntriesByType('navigation')[0]?.type === 'reload' && e2e.states().includes('live')", recoverTimeout, nil)
	p.waitFrames(50, liveTimeout)
	t.Logf("see %s", p.screenshot("direct-dial"))
	if got := p.rtc(); got.State != "connected" {
		t.Errorf("the session is %+v", got)
	}

	p.press("s")
	p.wait("e2e.text().includes('Why')", liveTimeout, nil)
	t.Logf("see %s", p.screenshot("direct-dial-why"))
}
