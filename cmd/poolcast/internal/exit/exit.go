package exit

import "errors"

// The exit codes, as `poolcast --help` lists them.
const (
	OK      = 0
	Partial = 1 // some backend failed; the rest was printed
	Usage   = 2 // the command line cannot be understood
	Config  = 3 // the configuration cannot be used
	NoFit   = 4 // no backend fits, or cinder-api refuses the request
)

// Meanings describe the exit codes, by their number.
func Meanings() []string {
	return []string{
		OK:      "fine",
		Partial: "some backend failed, and the rest was printed or published; a check found warnings, or a fault that costs one backend",
		Usage:   "the command line cannot be understood",
		Config:  "the configuration cannot be used; a check found errors",
		NoFit:   "no backend fits, or cinder-api refuses the request",
	}
}

// codedError is an error with the exit code that it leads to.
type codedError struct {
	code int
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

// With marks err with an exit code; a nil err stays nil.
func With(code int, err error) error {
	if err == nil {
		return nil
	}
	return &codedError{code: code, err: err}
}

// Code returns the exit code of err, and whether err was marked with it. An
// error that was not marked is a failure of the work itself.
func Code(err error) (code int, marked bool) {
	if coded, ok := errors.AsType[*codedError](err); ok {
		return coded.code, true
	}
	if err == nil {
		return OK, false
	}
	return Partial, false
}
