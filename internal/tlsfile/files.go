package tlsfile

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// reloadEvery is how often files are looked at, at most.
const reloadEvery = time.Second

// Files is a certificate in a file and its key in another, PEM, read again when
// one of them changes. Safe for concurrent use.
type Files struct {
	// Constant.
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex // guards what follows
	cert    *tls.Certificate
	seen    [2]os.FileInfo // of the files that cert was read from, or that failed
	checked time.Time
}

// OpenFiles reads both files. A nil logger discards.
func OpenFiles(certFile, keyFile string, log *slog.Logger) (*Files, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	f := &Files{certFile: certFile, keyFile: keyFile, log: log, checked: time.Now()}
	f.seen = f.statLocked()
	var err error
	if f.cert, err = readPair(certFile, keyFile); err != nil {
		return nil, err
	}
	return f, nil
}

func readPair(certFile, keyFile string) (*tls.Certificate, error) {
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err == nil && cert.Leaf == nil {
		cert.Leaf, err = x509.ParseCertificate(cert.Certificate[0])
	}
	if err != nil {
		return nil, fmt.Errorf("read the certificate %s and its key %s: %w", certFile, keyFile, err)
	}
	return &cert, nil
}

// GetCertificate implements Source. While new files cannot be read (one of two
// is replaced before the other) the old certificate stays.
func (f *Files) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if age := time.Since(f.checked); age >= reloadEvery || age < 0 {
		f.checked = time.Now()
		f.reloadLocked()
	}
	return f.cert, nil
}

func (f *Files) reloadLocked() {
	now := f.statLocked()
	if same(now[0], f.seen[0]) && same(now[1], f.seen[1]) {
		return
	}
	f.seen = now
	cert, err := readPair(f.certFile, f.keyFile)
	if err != nil {
		f.log.Warn("the listener's certificate has changed and cannot be read, the old one is used", "error", err)
		return
	}
	f.cert = cert
	f.log.Info("read the listener's new certificate", "sha256", fingerprint(cert.Certificate[0]), "until", cert.Leaf.NotAfter.Format(time.DateOnly))
}

func (f *Files) statLocked() (infos [2]os.FileInfo) {
	for i, name := range []string{f.certFile, f.keyFile} {
		infos[i], _ = os.Stat(name) // reading it will tell
	}
	return infos
}

func same(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// Names implements Source.
func (f *Files) Names() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.cert.Leaf.DNSNames), func(n string) bool { return strings.Contains(n, "*") })
}

// Fingerprint implements Source.
func (f *Files) Fingerprint() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fingerprint(f.cert.Certificate[0])
}
