package cli

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/sightline-cam/sightline/internal/atomicfile"
	"github.com/sightline-cam/sightline/internal/config"
)

const (
	// portFile is where the number of the UDP port is remembered: a router's
	// mapping, a firewall's rule and the addresses that viewers know go on to hold
	// after a restart.
	portFile = "udp-port"
	// directKeyFile has the key that tickets for direct calls are made with.
	directKeyFile = "direct.key"
	directKeySize = 32
)

// udpAddress is where the UDP port is to be: as configured or, if any port will
// do, where it was the last time.
func (d *device) udpAddress(ctx context.Context, cfg *config.Config) (string, error) {
	host, port, err := net.SplitHostPort(cfg.UDP)
	if err != nil || port != "0" {
		return cfg.UDP, nil // the agent says what is wrong with it
	}
	path := filepath.Join(cfg.StateDir, portFile)
	if text, err := os.ReadFile(path); err == nil {
		if n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 16); err == nil && n > 0 {
			if addr := net.JoinHostPort(host, strconv.Itoa(int(n))); portFree(ctx, addr) {
				return addr, nil
			}
		}
	}
	n, err := freePort(ctx, host)
	if err != nil {
		return "", err
	}
	if err := atomicfile.Write(path, []byte(strconv.Itoa(n)+"\n")); err != nil {
		return "", fmt.Errorf("remember the UDP port: %w", err)
	}
	return net.JoinHostPort(host, strconv.Itoa(n)), nil
}

// Numbers that no system gives to outgoing connections by itself: one of those would take
// the port while the agent does not run, or just before it opens it.
const (
	firstPort = 20_000
	ports     = 12_000
)

// freePort finds a number that is free for UDP and TCP.
func freePort(ctx context.Context, host string) (int, error) {
	c, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp", net.JoinHostPort(host, "0"))
	if err != nil {
		return 0, fmt.Errorf("find a free UDP port: %w", err) // the host is wrong
	}
	_ = c.Close()
	for range 100 {
		var b [2]byte
		_, _ = rand.Read(b[:]) // never fails
		n := firstPort + int(binary.BigEndian.Uint16(b[:]))%ports
		if portFree(ctx, net.JoinHostPort(host, strconv.Itoa(n))) {
			return n, nil
		}
	}
	return 0, errors.New("no port number was found that is free for both UDP and TCP; choose one with --udp")
}

func portFree(ctx context.Context, addr string) bool {
	lc := net.ListenConfig{}
	c, err := lc.ListenPacket(ctx, "udp", addr)
	if err != nil {
		return false
	}
	_ = c.Close()
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	_ = l.Close()
	return true
}

// directKey reads the key for tickets, or makes it.
func (d *device) directKey(cfg *config.Config) ([]byte, error) {
	path := filepath.Join(cfg.StateDir, directKeyFile)
	key, err := os.ReadFile(path)
	switch {
	case err == nil && len(key) == directKeySize:
		return key, nil
	case err == nil:
		return nil, fmt.Errorf("%s is damaged; remove it, and viewers who dialled without a server get new tickets when they next connect", path)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("read the key for tickets: %w", err)
	}
	key = make([]byte, directKeySize)
	_, _ = rand.Read(key) // never fails
	if err := atomicfile.Write(path, key); err != nil {
		return nil, fmt.Errorf("keep the key for tickets: %w", err)
	}
	return key, nil
}
