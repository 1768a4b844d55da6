//go:build linux

package netns

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sightline-cam/sightline/internal/lab/program"
)

// serverStart is how long a server may take to start on a busy machine.
const serverStart = time.Minute

// CoturnOptions is how a coturn server is run.
type CoturnOptions struct {
	// Secret is that of the TURN REST scheme. Default: the server does STUN only.
	Secret string
	// Certificate and Key are files for TLS. Default: no TLS.
	Certificate, Key string
	// TLSPort is that of TLS. Default 5349.
	TLSPort int
}

// Coturn runs a STUN and TURN server, not written by us, at the addresses of the
// servers, port 3478 by UDP and TCP. It answers questions of RFC 5780.
func (l *Lab) Coturn(tb testing.TB, o CoturnOptions) *program.Program {
	tb.Helper()
	Need(tb, "turnserver")
	dir := tb.TempDir()
	conf := []string{
		"listening-port=3478", "alt-listening-port=3479", "min-port=40000", "max-port=49999",
		"listening-ip=" + ServerAddress, "listening-ip=" + SecondServerAddress,
		"relay-ip=" + ServerAddress,
		"realm=sightline.test", "no-cli", "no-dtls", "log-file=stdout", "simple-log", "verbose",
		"pidfile=" + filepath.Join(dir, "pid"), "userdb=" + filepath.Join(dir, "db"),
	}
	if o.Secret == "" {
		conf = append(conf, "stun-only", "no-auth")
	} else {
		conf = append(conf, "use-auth-secret", "static-auth-secret="+o.Secret, "fingerprint")
	}
	if o.Certificate == "" {
		conf = append(conf, "no-tls")
	} else {
		conf = append(conf, "cert="+o.Certificate, "pkey="+o.Key, fmt.Sprintf("tls-listening-port=%d", cmp.Or(o.TLSPort, 5349)))
	}
	file := filepath.Join(dir, "turnserver.conf")
	if err := os.WriteFile(file, []byte(strings.Join(conf, "\n")+"\n"), 0o600); err != nil {
		tb.Fatal(err)
	}
	command := l.Servers.Enter("turnserver", "-c", file)
	p := program.Start(tb, exec.Command(command[0], command[1:]...)) //nolint:noctx // it ends with the test
	p.WaitFor(tb, `(?i)relay ports initialization done|Total auth threads`, serverStart)
	return p
}
