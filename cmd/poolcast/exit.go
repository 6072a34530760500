package main

import "errors"

// The exit codes, as `poolcast --help` lists them.
const (
	exitOK      = 0
	exitPartial = 1 // some backend failed; the rest was printed
	exitUsage   = 2 // the command line cannot be understood
	exitConfig  = 3 // the configuration cannot be used
	exitNoFit   = 4 // no backend fits
)

// exitMeanings say to people what each exit code means.
func exitMeanings() []string {
	return []string{
		exitOK:      "fine",
		exitPartial: "some backend failed, and the rest was printed or published; a check found warnings, or a fault that costs one backend",
		exitUsage:   "the command line cannot be understood",
		exitConfig:  "the configuration cannot be used; a check found errors",
		exitNoFit:   "no backend fits",
	}
}

// codedError carries the exit code of an error up to main.
type codedError struct {
	code int
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

// withCode marks err with the exit code it leads to; a nil err stays nil.
func withCode(code int, err error) error {
	if err == nil {
		return nil
	}
	return &codedError{code: code, err: err}
}

// exitCode is what the process ends with. An error nobody marked is a failure
// of the work itself.
func exitCode(err error) int {
	var coded *codedError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &coded):
		return coded.code
	}
	return exitPartial
}
