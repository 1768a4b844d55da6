package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/sightline-cam/sightline/internal/config"
)

// maxPassword bounds what is read from stdin, in bytes.
const maxPassword = 1024

// readPassword reads one line from a pipe or file.
func readPassword(r io.Reader) (config.Secret, error) {
	return readSecretLine(r, "password", "--password-stdin")
}

// readSecretLine reads what a flag says to read: one line.
func readSecretLine(r io.Reader, what, flag string) (config.Secret, error) {
	line, err := bufio.NewReader(io.LimitReader(r, maxPassword+2)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return config.Secret{}, fmt.Errorf("%s: read the %s: %w", flag, what, err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" || len(line) > maxPassword {
		return config.Secret{}, fmt.Errorf("%s: the first line must be the %s, 1 to %d bytes", flag, what, maxPassword)
	}
	return config.NewSecret(line), nil
}

// interactive reports whether there is a person to ask.
func (p *Process) interactive() bool {
	return p.Stdin != nil && term.IsTerminal(int(p.Stdin.Fd()))
}

// askPassword asks for a password, and for a user name if there is none.
func (p *Process) askPassword(ctx context.Context, camera, user string) (string, config.Secret, error) {
	if !p.interactive() {
		return "", config.Secret{}, errors.New("--password asks at a terminal, and there is none; use --password-stdin, --password-file or --password-env")
	}
	if user == "" {
		fmt.Fprintf(p.Stderr, "User name for %s: ", camera)
		line, err := p.waitFor(ctx, func() (string, error) { return readLine(p.Stdin) })
		if err != nil {
			return "", config.Secret{}, err
		}
		user = strings.TrimSpace(line)
	}
	text, err := p.askSecret(ctx, fmt.Sprintf("Password for %s at %s: ", user, camera))
	if err != nil {
		return "", config.Secret{}, err
	}
	if text == "" {
		return "", config.Secret{}, fmt.Errorf("no password given for %s", camera)
	}
	return user, config.NewSecret(text), nil
}

// readLine reads up to a line break, and nothing behind it: the next question
// reads the same terminal.
func readLine(f *os.File) (string, error) {
	var line []byte
	b := make([]byte, 1)
	for len(line) < maxPassword {
		n, err := f.Read(b)
		if n == 1 && b[0] == '\n' {
			return string(line), nil
		}
		if err != nil {
			return "", err
		}
		line = append(line, b[:n]...)
	}
	return "", errors.New("the line is too long")
}

// waitFor runs a read of the terminal, which nothing can interrupt: when ctx
// ends, the terminal is put right, and the read is left to the end of the
// process, which follows.
func (p *Process) waitFor(ctx context.Context, read func() (string, error)) (string, error) {
	fd := int(p.Stdin.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("read from the terminal: %w", err)
	}
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := read()
		done <- result{text, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return "", fmt.Errorf("read from the terminal: %w", r.err)
		}
		return r.text, nil
	case <-ctx.Done():
		return "", errors.Join(ctx.Err(), term.Restore(fd, before))
	}
}
