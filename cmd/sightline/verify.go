package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/sightline-cam/sightline/internal/cli"
	"github.com/sightline-cam/sightline/internal/identity"
	"github.com/sightline-cam/sightline/internal/verify"
)

// verifyCommand says whether a file is what a camera signed.
type verifyCommand struct {
	File   string `arg:"" help:"MP4 file, or a raw stream of H.264 or H.265." placeholder:"FILE"`
	Camera string `help:"Id of the device that must have signed, and of which of its cameras it must be: ID, ID/CAMERA or ID/CAMERA/RENDITION." placeholder:"ID[/CAMERA]" env:"-"`
	Trust  string `help:"File with certificates, PEM, one of which must be the signer's or have issued it." placeholder:"FILE" env:"-"`
	Whole  bool   `help:"Take an end without a signature for a fault. The last pictures of a recording usually have none, since their signature stands in the frame that follows." env:"-"`
	JSON   bool   `name:"json" help:"As JSON." env:"-"`
}

// errNotAsSigned is the result of a verification, not of a failure.
var errNotAsSigned = errors.New("the file is not as it was signed")

// Run implements the command.
func (c *verifyCommand) Run(ctx context.Context, p *cli.Process) error {
	o := verify.Options{Whole: c.Whole}
	var err error
	if c.Camera != "" {
		peer, name, _ := strings.Cut(c.Camera, "/")
		o.CameraName = name
		if o.Camera, err = identity.ParsePeerID(peer); err != nil {
			return fmt.Errorf("--camera: %w", err)
		}
	}
	if o.Trusted, err = c.trusted(); err != nil {
		return err
	}
	f, err := os.Open(c.File)
	if err != nil {
		return fmt.Errorf("read the video: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("read the video: %w", err)
	}
	bar := newProgress(p.Stderr, "verify", info.Size(), true)
	o.Progress = bar.set
	report, err := verify.File(ctx, f, info.Size(), o)
	bar.close()
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	if c.JSON {
		enc := json.NewEncoder(p.Stdout)
		enc.SetIndent("", "  ")
		err = enc.Encode(report)
	} else {
		for _, line := range report.Lines() {
			p.Say("%s", cli.Printable(line))
		}
	}
	if err == nil && !report.AllWell {
		return errNotAsSigned
	}
	return err
}

// trusted reads the certificates of --trust.
func (c *verifyCommand) trusted() ([]*x509.Certificate, error) {
	if c.Trust == "" {
		return nil, nil
	}
	data, err := os.ReadFile(c.Trust)
	if err != nil {
		return nil, fmt.Errorf("--trust: %w", err)
	}
	var out []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("--trust: %w", err)
		}
		out = append(out, cert)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("--trust: %s holds no certificate (PEM)", c.Trust)
	}
	return out, nil
}
