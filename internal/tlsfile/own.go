package tlsfile

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/sightline-cam/sightline/internal/atomicfile"
)

const (
	// validity is how long a certificate is good for: browsers complain about
	// longer ones.
	validity = 397 * 24 * time.Hour
	// renewBefore is how long before the end a new one is made.
	renewBefore = 30 * 24 * time.Hour
	// skew is how far the clocks of browsers may be behind.
	skew = time.Hour
	// lookEvery is how often the machine's names are looked at, at most.
	lookEvery = time.Minute
	// maxFile is many times the size of a key and a certificate in PEM.
	maxFile = 64 << 10
)

// earliest is a time that has passed: a clock before it is wrong.
func earliest() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// someday ends certificates made by a clock that is wrong, which cannot know
// what the year is for the browser.
func someday() time.Time { return time.Date(2049, 12, 31, 0, 0, 0, 0, time.UTC) }

// ErrFileMode is wrapped when others than the owner could read the key.
var ErrFileMode = errors.New("the key of the certificate is not private")

// OwnOptions configure an Own. File is required.
type OwnOptions struct {
	// File keeps the key and the certificate, PEM, mode 0600. Its folder must
	// exist.
	File string
	// Names tells what the certificate is for. Default: MachineNames.
	Names func() Names
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Logger hears of new certificates. Default: nothing.
	Logger *slog.Logger
}

// Own is a certificate that this machine makes for itself (RFC 5280, signed by
// its own key, which is used for nothing else). It is made anew, with the same
// key, 30 days before it ends and when the machine has got a name or address
// that it lacks. Safe for concurrent use.
type Own struct {
	// Constant.
	file  string
	names func() Names
	now   func() time.Time
	log   *slog.Logger

	mu      sync.Mutex // guards what follows
	cert    *tls.Certificate
	checked time.Time
}

// OpenOwn reads the certificate, or makes one if there is none. A file that
// others may read is refused: the error wraps ErrFileMode and names the command
// that helps. A damaged file is replaced, with a warning: nothing but browsers'
// memories hangs on it.
func OpenOwn(o OwnOptions) (*Own, error) {
	if o.Names == nil {
		o.Names = MachineNames
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Own{file: o.File, names: o.Names, now: o.Now, log: o.Logger}
	cert, err := load(o.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case errors.Is(err, errDamaged):
		c.log.Warn("the listener's certificate is damaged, a new one is made; browsers will ask again", "file", o.File, "error", err)
	case err != nil:
		return nil, err
	}
	c.cert = cert
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.lookLocked(); err != nil && c.cert == nil {
		return nil, err
	} else if err != nil { // a full disk must not end a camera that has got another address
		c.log.Warn(keepsOld, "error", err)
	}
	return c, nil
}

const keepsOld = "no new certificate for the listener, the old one is used"

// GetCertificate implements Source. A new certificate that cannot be kept is
// not used: it would be another one after the next start.
func (c *Own) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if age := c.now().Sub(c.checked); age >= lookEvery || age < 0 {
		if err := c.lookLocked(); err != nil {
			c.log.Warn(keepsOld, "error", err)
		}
	}
	return c.cert, nil
}

// Names implements Source.
func (c *Own) Names() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.cert.Leaf.DNSNames)
}

// Fingerprint implements Source.
func (c *Own) Fingerprint() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fingerprint(c.cert.Certificate[0])
}

// lookLocked makes a certificate if there is none that will do.
func (c *Own) lookLocked() error {
	c.checked = c.now()
	names := c.names()
	reason := c.staleLocked(names)
	if reason == "" {
		return nil
	}
	cert, err := c.makeLocked(names)
	if err != nil {
		return err
	}
	c.cert = cert
	c.log.Info("made a certificate for the listener", "reason", reason, "sha256", fingerprint(cert.Certificate[0]), "until", cert.Leaf.NotAfter.Format(time.DateOnly))
	return nil
}

// staleLocked says why the certificate will not do; empty if it will.
func (c *Own) staleLocked(names Names) string {
	if c.cert == nil {
		return "there was none"
	}
	leaf := c.cert.Leaf
	for _, name := range names.Required {
		if leaf.VerifyHostname(name) != nil {
			return "this machine is now also " + name
		}
	}
	now := c.now()
	switch {
	case now.Before(earliest()):
		return "" // a wrong clock says nothing about dates
	case leaf.NotAfter.Sub(leaf.NotBefore) > validity+skew:
		return "the clock is right now"
	case now.After(leaf.NotAfter.Add(-renewBefore)):
		return "the old one ends soon"
	case now.Before(leaf.NotBefore.Add(-24 * time.Hour)):
		return "the old one was made by a clock that ran ahead"
	}
	return ""
}

// makeLocked makes and keeps a certificate, with the key of the one before.
func (c *Own) makeLocked(names Names) (*tls.Certificate, error) {
	var key *ecdsa.PrivateKey
	from, until := c.now().Add(-skew), c.now().Add(-skew).Add(validity)
	if c.now().Before(earliest()) {
		from, until = earliest(), someday()
	}
	if c.cert != nil {
		key, _ = c.cert.PrivateKey.(*ecdsa.PrivateKey)
		if c.now().Before(earliest()) {
			from, until = c.cert.Leaf.NotBefore, c.cert.Leaf.NotAfter
		}
	}
	if key == nil {
		var err error
		if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return nil, fmt.Errorf("make a key for the listener: %w", err)
		}
	}
	der, err := selfSigned(key, names, from, until)
	if err != nil {
		return nil, fmt.Errorf("make a certificate for the listener: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode the key of the listener: %w", err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	if err := atomicfile.Write(c.file, text); err != nil {
		return nil, fmt.Errorf("keep the certificate of the listener: %w", err)
	}
	return parse(text)
}

func selfSigned(key *ecdsa.PrivateKey, names Names, from, until time.Time) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Sightline"},
		NotBefore: from, NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, name := range slices.Concat(names.Required, names.Also) {
		if ip := net.ParseIP(name); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, name)
		}
	}
	return x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
}

// errDamaged says that a file holds no key with its certificate.
var errDamaged = errors.New("not a key and its certificate")

// load reads the file. Errors wrap fs.ErrNotExist, ErrFileMode, errDamaged.
func load(path string) (*tls.Certificate, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the certificate of the listener: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at the certificate of the listener: %w", err)
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
		return nil, fmt.Errorf("%w: others may open %s (mode %04o); run: chmod 600 %s", ErrFileMode, path, mode, path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the certificate of the listener: %w", err)
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("%w: %s is far too long", errDamaged, filepath.Base(path))
	}
	return parse(text)
}

func parse(text []byte) (*tls.Certificate, error) {
	cert, err := tls.X509KeyPair(text, text)
	if err != nil {
		return nil, errDamaged // the cause might quote the file
	}
	if key, ok := cert.PrivateKey.(*ecdsa.PrivateKey); !ok || key.Curve != elliptic.P256() {
		return nil, errDamaged
	}
	if cert.Leaf == nil {
		if cert.Leaf, err = x509.ParseCertificate(cert.Certificate[0]); err != nil {
			return nil, errDamaged
		}
	}
	return &cert, nil
}
