package attacks

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/sightline-cam/sightline/internal/check"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/lab/hostile"
	"github.com/sightline-cam/sightline/web"
)

// pageAttacks are on the page in a browser.
func pageAttacks() []attack {
	return []attack{
		{"man-in-the-middle-of-the-page-in-chromium", check.Sender, "a key that is not this agent’s", middleOfPage},
	}
}

// middleOfPage is manInTheMiddle with the page as viewer. The page is ours: what
// a server can do that serves another one is said in docs/design/security.md.
func middleOfPage(w *world) act {
	b := w.browser()
	page := web.Handler()
	if w.weakened(check.Sender) {
		page = w.pageWithoutSender()
	}
	server, err := hostile.Listen(hostile.Options{Page: page})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = server.Close() })
	site := w.site(siteOptions{signal: server.URL(), allow: []identity.PeerID{w.newIdentity().PeerID()}})
	link := server.URL() + "/#peer=" + string(site.id)
	if err := admitPage(b, site, link); err != nil {
		w.Fatal(err)
	}
	return act{
		control: func() error {
			if err := b.open("honest", link); err != nil {
				return err
			}
			if err := b.wait(nil, "honest", "e2e.states().includes('live') && !!e2e.video()"); err != nil {
				return err
			}
			return b.close("honest")
		},
		attempt: func() error {
			relay := w.relay(server)
			if err := b.open("attacked", link); err != nil {
				return err
			}
			var says string
			if err := b.wait(&says, "attacked", "(e2e.states().includes('live') && e2e.video()) ? 'live' : "+
				"/do not trust the service/i.test(e2e.text()) && e2e.text()"); err != nil {
				return err
			}
			if says != "live" {
				if relay.Pictures() > 0 {
					return errors.New("the page complains, and the man in the middle has seen pictures")
				}
				return &refusal{says: says}
			}
			// The picture comes first; the page asks for the list when it has one.
			sees := func() bool {
				return relay.Pictures() > 0 && slices.Contains(relay.Requests(), "GET /v1/cameras")
			}
			again := time.NewTicker(50 * time.Millisecond)
			defer again.Stop()
			for deadline := time.Now().Add(patience); !sees() && time.Now().Before(deadline); {
				<-again.C
			}
			if !sees() {
				return errors.New("the page watches, and the man in the middle sees nothing")
			}
			return relay.Err()
		},
	}
}

// admitPage puts the browser's key on the agent's list.
func admitPage(b *browser, s *site, link string) error {
	if err := b.open("stranger", link); err != nil {
		return err
	}
	var id string
	if err := b.wait(&id, "stranger", "e2e.states().includes('forbidden') && e2e.all('[data-testid=peer-id]')[0]?.textContent"); err != nil {
		return err
	}
	if err := b.close("stranger"); err != nil { // two windows with one key take turns at the server
		return err
	}
	return os.WriteFile(s.list, []byte(strings.Join(strings.Fields(id), "")+" the page\n"), 0o600)
}

// pageWithoutSender is the page without what the check "sender" is in it.
func (w *world) pageWithoutSender() http.Handler {
	w.Helper()
	off := map[string]string{ // by file: the condition that refuses
		"keys.js":     "from !== of || id !== of",
		"messages.js": "from !== this.#peer || message.from !== from",
	}
	changed := map[string][]byte{}
	for name, condition := range off {
		text, err := fs.ReadFile(web.Files(), name)
		if err != nil {
			w.Fatal(err)
		}
		if bytes.Count(text, []byte(condition)) != 1 {
			w.Fatalf("%s: the check %q is not where it was", name, condition)
		}
		changed["/"+name] = bytes.Replace(text, []byte(condition), []byte("false"), 1)
	}
	whole := web.Handler()
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		text, ok := changed[r.URL.Path]
		if !ok {
			whole.ServeHTTP(rw, r)
			return
		}
		rw.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		rw.Header().Set("Cache-Control", "no-store")
		fmt.Fprintf(rw, "%s", text)
	})
}
