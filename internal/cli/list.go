package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/sightline-cam/sightline/camera/v4l2"
	"github.com/sightline-cam/sightline/camera/v4l2/encoder"
	"github.com/sightline-cam/sightline/camera/v4l2/uapi"
)

// list prints the cameras of this machine.
func (c *Camera) list(p *Process, k uapi.Kernel) error {
	if !c.List {
		return errors.New("--json goes with --list, which shows the cameras of this machine")
	}
	alone, err := c.alone()
	if err != nil {
		return err
	}
	if !alone {
		return errors.New("--list shows all cameras of this machine and publishes none: give it alone or with --json")
	}
	devices, err := v4l2.List(k)
	if err != nil {
		return err
	}
	l := listingOf(devices, encoder.Name)
	if c.JSON {
		text, err := json.MarshalIndent(l, "", "  ")
		if err != nil {
			return fmt.Errorf("print the list: %w", err)
		}
		p.Say("%s", text)
		return nil
	}
	p.Say("%s", strings.Join(l.text(p.Name), "\n"))
	return nil
}

// alone reports whether nothing but --list and --json was given. What is in the
// environment is for the agent that runs with it.
func (c *Camera) alone() (bool, error) {
	var least Camera
	f, err := NewFlags("camera", &least)
	if err == nil {
		err = f.Parse([]string{"--list"})
	}
	least.JSON = c.JSON
	return reflect.DeepEqual(&least, c), err
}
