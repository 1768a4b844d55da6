// Command probe does to a device of the machine what tests need done:
//
//	probe set DEVICE CONTROL VALUE    sets a control by its name
//	probe hold DEVICE                 streams from it until the input ends
//	probe latency DEVICE PICTURES     measures how soon pictures are handed on
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	switch {
	case len(args) == 4 && args[0] == "set":
		return set(args[1], args[2], args[3])
	case len(args) == 2 && args[0] == "hold":
		return hold(args[1], in, out)
	case len(args) == 3 && args[0] == "latency":
		n, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		return latency(context.Background(), args[1], n, out)
	}
	return errors.New("usage: probe set DEVICE CONTROL VALUE | hold DEVICE | latency DEVICE PICTURES")
}

// set sets a control.
func set(path, control, value string) error {
	v, err := strconv.ParseInt(value, 0, 64)
	if err != nil {
		return err
	}
	d, err := uapi.Open(uapi.Linux(), path)
	if err != nil {
		return err
	}
	defer d.Close() //nolint:errcheck // it may be gone by what was set
	controls, err := d.Controls()
	if err != nil {
		return err
	}
	for _, c := range controls {
		if c.Name == control {
			return d.SetControl(c.ID, v)
		}
	}
	return fmt.Errorf("%s has no control %q", path, control)
}

// hold uses a device, as another program does.
func hold(path string, in io.Reader, out io.Writer) error {
	d, err := start(path)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "the device is held")
	_, err = io.Copy(io.Discard, in)
	return errors.Join(err, d.Close())
}

// start streams from a device as it is set.
func start(path string) (*uapi.Device, error) {
	d, err := uapi.Open(uapi.Linux(), path)
	if err != nil {
		return nil, err
	}
	c, err := d.Capability()
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	queue, ok := c.Capture()
	if !ok {
		return nil, errors.Join(fmt.Errorf("%s is no camera", path), d.Close())
	}
	if _, err := d.Map(queue, buffers); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	if err := d.Start(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

const (
	buffers  = 4
	patience = 10 * time.Second
)
