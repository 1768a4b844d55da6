package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// argsVariable names the file descriptor with the arguments as they were given.
const argsVariable = "SIGHTLINE_ARGS_FD"

// maxArgs bounds what is read back, in bytes.
const maxArgs = 4 << 20

// protectArgs takes passwords out of the list of processes. A process cannot
// portably change its arguments, so it replaces itself once, under the same
// process id, by the same program with the passwords blanked out; the real
// arguments go along in memory that only this process has. It returns the real
// arguments; with an error they are still visible.
func protectArgs(args []string) ([]string, error) {
	if text, ok := os.LookupEnv(argsVariable); ok {
		return inheritedArgs(text, args)
	}
	shown := make([]string, len(args))
	for i, a := range args {
		shown[i] = shownArg(a)
	}
	if slices.Equal(shown, args) {
		return args, nil
	}
	data, err := json.Marshal(args)
	if err != nil {
		return args, err
	}
	fd, err := unix.MemfdCreate("args", 0) // inherited: not close-on-exec
	if err != nil {
		return args, fmt.Errorf("keep the arguments in memory: %w", err)
	}
	f := os.NewFile(uintptr(fd), "args")
	defer f.Close() //nolint:errcheck // only reached when exec failed
	if _, err := f.WriteAt(data, 0); err != nil {
		return args, fmt.Errorf("keep the arguments in memory: %w", err)
	}
	env := append(os.Environ(), argsVariable+"="+strconv.Itoa(fd))
	return args, fmt.Errorf("start again without it: %w", syscall.Exec("/proc/self/exe", shown, env)) //nolint:gosec // this very program, with the arguments it was given
}

// inheritedArgs reads the arguments that the process before this one was given.
func inheritedArgs(text string, args []string) ([]string, error) {
	if err := os.Unsetenv(argsVariable); err != nil {
		return args, err
	}
	fd, err := strconv.ParseUint(text, 10, 16)
	if err != nil || fd < 3 {
		return args, nil // not ours
	}
	f := os.NewFile(uintptr(fd), "args")
	defer f.Close() //nolint:errcheck // only read
	var given []string
	data, err := io.ReadAll(io.NewSectionReader(f, 0, maxArgs))
	if err == nil {
		err = json.Unmarshal(data, &given)
	}
	if err != nil || len(given) == 0 {
		return args, fmt.Errorf("read back the arguments: %w", err)
	}
	return given, nil
}
