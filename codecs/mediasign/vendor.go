package mediasign

// Vendor is what a signed message says of the device (Media Signing, ONVIF vendor
// info). Each text has at most 255 bytes.
type Vendor struct {
	Firmware     string
	Serial       string
	Manufacturer string
}
