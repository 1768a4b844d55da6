package main

// event is one line of `go test -json` (see `go doc test2json`). Unknown
// fields are left out.
type event struct {
	Action      string
	Package     string
	Test        string
	Elapsed     float64 // seconds
	Output      string
	ImportPath  string // of build-output events
	FailedBuild string
}
