// Package wire is what a test and the machine it has booted say to each other: a
// TCP connection for each program that runs, with messages of encoding/gob. The
// test sends a Request and then Inputs, the machine sends Outputs. A connection
// that breaks ends its program.
package wire

// Port is where the machine listens.
const Port = "1024"

// The addresses of the network that a machine and its host share.
const (
	HostAddress  = "10.99.0.1"
	GuestAddress = "10.99.0.2"
	PrefixLength = "/24"
)

// SetupFile is what the machine's first process reads: a Setup as JSON.
const SetupFile = "/etc/setup.json"

// Setup is what is done at the start.
type Setup struct {
	// Modules are files to load, in this order.
	Modules []string
	// Greeting is printed to the console when the machine can be talked to.
	Greeting string
}

// Request says what to run.
type Request struct {
	// Args are the program and its arguments; a name without a slash is looked for
	// in PATH.
	Args []string
	// Env is added to the environment.
	Env []string
	// UID is the user that runs it, GID the group; Groups are further ones.
	UID, GID uint32
	Groups   []uint32
}

// Input is for a running program.
type Input struct {
	// Data goes to its standard input.
	Data []byte
	// End closes its standard input.
	End bool
	// Signal, if not 0, is sent to it.
	Signal int
}

// Output comes from a program.
type Output struct {
	// PID is its number, in the first message.
	PID int
	// Data was printed, to stderr if Stderr is set.
	Data   []byte
	Stderr bool
	// Done says that the program has ended, with Code; 128 and the number of the
	// signal if one ended it. It is the last message.
	Done bool
	Code int
	// Error says why the program did not run.
	Error string
}
