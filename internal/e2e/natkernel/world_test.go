package natkernel

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/codecs/testpattern"
	"github.com/sightline-cam/sightline/internal/cli"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/lab/netns"
	"github.com/sightline-cam/sightline/internal/lab/program"
	"github.com/sightline-cam/sightline/internal/lab/rtspcam"
)

// patience is how long a program may take for what it does at once.
const patience = time.Minute

// world is an internet with a signaling service, and the files that all need.
type world struct {
	*netns.Lab
	dir              string
	certificate, key string // files for TLS at the servers' addresses
	spki             string // hash of its public key, for browsers
	allow            string // file of the viewers who may watch
	picture          *rtspcam.Fake
	signal           *program.Program
	mu               sync.Mutex // one writer of the file at a time
}

// newWorld makes an internet. Its signaling service runs with further arguments.
func newWorld(t *testing.T, arguments ...string) *world {
	t.Helper()
	w := newWorldWithout(t)
	w.startSignal(t, arguments...)
	return w
}

// newWorldWithout makes an internet without a signaling service.
func newWorldWithout(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{Lab: netns.New(t), dir: dir, allow: filepath.Join(dir, "viewers.txt")}
	if err := os.WriteFile(w.allow, []byte("# viewers\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.certify(t)
	var err error
	if w.picture, err = rtspcam.Picture(testpattern.Options{Width: 640, Height: 360}); err != nil {
		t.Fatal(err)
	}
	return w
}

// startSignal starts the signaling service.
func (w *world) startSignal(t *testing.T, arguments ...string) {
	t.Helper()
	w.signal = w.start(t, w.Servers, append([]string{"signal", "--listen", ":443", "--allowed-host", netns.ServerName, "--tls-cert", w.certificate, "--tls-key", w.key}, arguments...)...)
	w.signal.WaitFor(t, `The signaling server is at`, patience)
}

// start runs the program under test in a namespace until the test ends.
func (w *world) start(t *testing.T, n *netns.Namespace, args ...string) *program.Program {
	t.Helper()
	return program.Start(t, w.command(t, n, args...))
}

// command is the program under test in a namespace. It trusts the servers'
// certificate.
func (w *world) command(t *testing.T, n *netns.Namespace, args ...string) *exec.Cmd {
	t.Helper()
	command := n.Enter(append([]string{built(t)}, args...)...)
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+w.certificate, "HOME="+w.dir)
	return cmd
}

// agent is a camera in a host of its own.
type agent struct {
	*program.Program
	place place
	host  *netns.Host
	state string
	link  string // of the page
}

// camera starts an agent at a host, with a camera beside it.
func (w *world) camera(t *testing.T, p place, h *netns.Host, arguments ...string) *agent {
	t.Helper()
	l, err := h.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := w.picture.Serve(t, l)
	a := &agent{place: p, host: h, state: filepath.Join(t.TempDir(), "state")}
	a.Program = w.start(t, h.Namespace, append([]string{"camera", "--state-dir", a.state, "--signal", "wss://" + netns.ServerName,
		"--allow", w.allow, "--name", "cam", url}, arguments...)...)
	return a
}

// ready waits until the agent can be found, and knows what its network is like.
func (a *agent) ready(t *testing.T) {
	t.Helper()
	a.link = a.WaitFor(t, `https://`+regexp.QuoteMeta(netns.ServerName)+`\S*`, patience)[0]
	a.WaitFor(t, `the network is known`, patience)
}

// viewers makes state folders of viewers whom every agent of this world will let
// in.
func (w *world) viewers(t *testing.T, n int) []string {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	f, err := os.OpenFile(w.allow, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	base := t.TempDir()
	dirs := make([]string, n)
	for i := range dirs {
		dirs[i] = filepath.Join(base, string(rune('a'+i/26/26))+string(rune('a'+i/26%26))+string(rune('a'+i%26)))
		if err := os.Mkdir(dirs[i], 0o700); err != nil {
			t.Fatal(err)
		}
		id, err := identity.LoadOrCreate(filepath.Join(dirs[i], cli.ViewerKeyFile))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(string(id.PeerID()) + "\n"); err != nil {
			t.Fatal(err)
		}
	}
	return dirs
}

// certify makes a certificate for the servers' addresses.
func (w *world) certify(t *testing.T) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "servers"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{netns.ServerName},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(public)
	w.spki = base64.StdEncoding.EncodeToString(hash[:])
	w.certificate, w.key = filepath.Join(w.dir, "cert.pem"), filepath.Join(w.dir, "key.pem")
	for file, block := range map[string]*pem.Block{
		w.certificate: {Type: "CERTIFICATE", Bytes: cert}, w.key: {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// built builds the program as releases are built, once, and returns its path.
func built(t *testing.T) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
