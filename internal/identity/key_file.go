package identity

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

const (
	pemType = "PRIVATE KEY" // PKCS #8, RFC 5958 §5
	// maxKeyFile is many times the size of a P-256 key in PEM.
	maxKeyFile = 16 << 10
)

// ErrKeyFileMode is wrapped when others than the owner could read or replace
// the key file.
var ErrKeyFileMode = errors.New("the key is not private")

// LoadOrCreate reads the identity key at path (PEM, PKCS #8), or makes one if
// there is none: mode 0600, directories that are missing 0700. The file appears
// whole and synced or not at all, and two processes that start together end up
// with the same key.
//
// A key file that group or others may read or write is refused, and so is a
// directory that they may write to (they could replace the key): the error
// wraps ErrKeyFileMode and names the command that helps. A damaged key is an
// error, never replaced: a new key would be a new peer that nobody has paired.
func LoadOrCreate(path string) (*Identity, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the identity's directory: %w", err)
	}
	if err := checkDir(dir); err != nil {
		return nil, err
	}
	id, err := load(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return nil, fmt.Errorf("create the identity key %s: %w", path, err)
		}
		id, err = load(path)
	}
	if err != nil {
		return nil, err
	}
	removeLeftovers(path)
	return id, nil
}

func load(path string) (*Identity, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the identity key: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	if err := checkFile(f); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the identity key: %w", err)
	}
	key, err := parseKey(data)
	if err != nil {
		return nil, fmt.Errorf("the identity key %s is damaged (%w): restore it from a backup, or move it away to become a new peer", path, err)
	}
	return New(key)
}

// parseKey reads a PEM file. Its errors quote nothing of the file.
func parseKey(data []byte) (*ecdsa.PrivateKey, error) {
	if len(data) > maxKeyFile {
		return nil, errors.New("far too long")
	}
	block, rest := pem.Decode(data)
	if block == nil || block.Type != pemType || len(rest) != 0 {
		return nil, errors.New("not one PEM block of type PRIVATE KEY")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("not PKCS #8")
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, ErrKey
	}
	if _, err := uncompressed(&key.PublicKey); err != nil {
		return nil, err
	}
	return key, nil
}

// checkFile looks at the open file, not at the path, which could change between
// the two.
func checkFile(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("look at the identity key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("the identity key %s is not a regular file", f.Name())
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
		return fmt.Errorf("%w: others may open %s (mode %04o); run: chmod 600 %s", ErrKeyFileMode, f.Name(), mode, f.Name())
	}
	return nil
}

func checkDir(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("look at the identity's directory: %w", err)
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o022 != 0 {
		return fmt.Errorf("%w: others may replace files in %s (mode %04o); run: chmod 700 %s", ErrKeyFileMode, dir, mode, dir)
	}
	return nil
}

func create(path string) error {
	id, err := Generate()
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(id.signer)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	temp, err := writeTemp(path, pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}))
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp) }() // after a rename there is nothing left to remove
	// A link never replaces a file, so that of two processes one wins and the
	// other takes its key. Where the file system knows no links, rename.
	err = os.Link(temp, path)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		err = os.Rename(temp, path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a faster process removed our file as a leftover of its own
	}
	if err != nil {
		return fmt.Errorf("put in place: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// writeTemp writes and syncs a private file beside path.
func writeTemp(path string, data []byte) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), tempPrefix(path)+"*") // mode 0600
	if err != nil {
		return "", fmt.Errorf("make a temporary file: %w", err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return "", fmt.Errorf("write: %w", err)
	}
	return f.Name(), nil
}

func tempPrefix(path string) string {
	return "." + filepath.Base(path) + ".new-"
}

// removeLeftovers deletes what a crash during create left behind: keys that
// were never used. Call it only when the key itself is in place.
func removeLeftovers(path string) {
	names, err := filepath.Glob(filepath.Join(filepath.Dir(path), tempPrefix(filepath.Base(path))+"*"))
	if err != nil {
		return // a directory name with glob characters: nothing is lost
	}
	for _, name := range names {
		_ = os.Remove(name) // another process may have been faster
	}
}

func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // directories cannot be synced there
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open the directory: %w", err)
	}
	err = d.Sync()
	if closeErr := d.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("sync the directory: %w", err)
	}
	return nil
}
