package v4l2

// Device is a camera of this machine.
type Device struct {
	Path   string   // "/dev/video0"
	Stable []string // links to it below /dev/v4l/by-id and by-path, which outlive a restart
	Card   string   // what the camera is called
	Driver string   // the kernel's driver
	Bus    string   // where it is plugged in
	// Formats is what the device gives, in the order of the driver.
	Formats []Format
	// Controls is what can be set, in the order of the driver.
	Controls []Control
	// Problem is why nothing more is known: a sentence that says what to do. Empty for
	// a device that could be asked.
	Problem string
}

// name is how a sentence calls the device.
func (d Device) name() string {
	if d.Card == "" {
		return d.Path
	}
	return d.Path + " (" + d.Card + ")"
}
