package check

import "errors"

// Refusal is an error with the check that found it.
type Refusal struct {
	Check Name
	Err   error
}

// Refused says which check an error comes from. Errors wrapped in it are found
// as before. Nil stays nil, and an error that says so already stays as it is.
func Refused(n Name, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := Of(err); ok {
		return err
	}
	return &Refusal{Check: n, Err: err}
}

// Of returns the check that an error comes from.
func Of(err error) (Name, bool) {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Check, true
	}
	return "", false
}

// Error returns the error's own text: the name is for counters.
func (r *Refusal) Error() string { return r.Err.Error() }

// Unwrap returns the error.
func (r *Refusal) Unwrap() error { return r.Err }
