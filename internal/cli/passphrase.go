package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/term"

	"github.com/sightline-cam/sightline/internal/config"
)

// Passphrase says where a backup's passphrase comes from: a file, stdin, the
// environment, or else the person at the terminal. It never comes from the
// command line, which everybody on the machine can read.
type Passphrase struct {
	PassphraseStdin bool   `help:"Read the passphrase from stdin, one line."`
	PassphraseFile  string `help:"Read the passphrase from a file, one line." placeholder:"FILE"`
}

// passphraseVariable is the environment variable that may hold the passphrase.
const passphraseVariable = "SIGHTLINE_PASSPHRASE"

// Read gets the passphrase. A new one is asked for twice.
func (s *Passphrase) Read(ctx context.Context, p *Process, isNew bool) (config.Secret, error) {
	switch {
	case s.PassphraseStdin && s.PassphraseFile != "":
		return config.Secret{}, errors.New("--passphrase-stdin and --passphrase-file are two ways to give one passphrase; use one")
	case s.PassphraseStdin:
		return readSecretLine(p.Stdin, "passphrase", "--passphrase-stdin")
	case s.PassphraseFile != "":
		f, err := os.Open(s.PassphraseFile)
		if err != nil {
			return config.Secret{}, fmt.Errorf("--passphrase-file: %w", err)
		}
		defer f.Close() //nolint:errcheck // only read
		return readSecretLine(f, "passphrase", "--passphrase-file")
	case os.Getenv(passphraseVariable) != "":
		return config.NewSecret(os.Getenv(passphraseVariable)), nil
	case !p.interactive():
		return config.Secret{}, errors.New("a passphrase is needed, and there is no terminal to ask at; use --passphrase-stdin, --passphrase-file or the environment variable " + passphraseVariable)
	}
	first, err := p.askSecret(ctx, "Passphrase of the backup: ")
	if err != nil || !isNew {
		return config.NewSecret(first), err
	}
	second, err := p.askSecret(ctx, "The same again: ")
	if err != nil {
		return config.Secret{}, err
	}
	if first != second {
		return config.Secret{}, errors.New("these were two different passphrases; nothing was written, try again")
	}
	return config.NewSecret(first), nil
}

// askSecret asks for something that is not shown.
func (p *Process) askSecret(ctx context.Context, question string) (string, error) {
	fmt.Fprint(p.Stderr, question)
	text, err := p.waitFor(ctx, func() (string, error) {
		b, err := term.ReadPassword(int(p.Stdin.Fd()))
		return string(b), err
	})
	fmt.Fprintln(p.Stderr)
	return text, err
}
