package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// FieldError is one fault of the configuration, with its place and what to
// write instead. Its text never holds a secret.
type FieldError struct {
	File   string // path, an environment variable's name, or a flag
	Line   int    // counted from 1; 0 where there are no lines
	Stanza string // section; "" if the fault is the file's
	Key    string // option; "" if the fault is the section's or the file's
	Err    error
	Hint   string // what to write, a full sentence; may be ""

	rank int // order of the file among those read
}

// Error reads like
//
//	cinder.conf:12: [flasharray_x_01] san_ip is missing. Write san_ip = …
func (e *FieldError) Error() string {
	text := locate(e.File, e.Line, e.Stanza, e.Key) + " " + e.Err.Error()
	if e.Hint != "" {
		text += ". " + e.Hint
	}
	return text
}

// Unwrap returns the cause.
func (e *FieldError) Unwrap() error { return e.Err }

// FieldErrors is every fault of the configuration at once, in file order. It is
// what [Load] returns when it refuses one.
type FieldErrors []*FieldError

// Error lists the faults, one a line.
func (f FieldErrors) Error() string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = f[i].Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As and errors.Is see each fault.
func (f FieldErrors) Unwrap() []error {
	errs := make([]error, len(f))
	for i := range f {
		errs[i] = f[i]
	}
	return errs
}

// Warning is something that poolcast read differently from Cinder, or a trap
// that Cinder does not mention. Its text never holds a secret.
type Warning struct {
	File   string
	Line   int
	Stanza string
	Key    string
	Did    string // what poolcast made of it
	Cinder string // what Cinder itself makes of it

	rank int
}

// String reads like an error, but ends with Cinder's own reading.
func (w Warning) String() string {
	return fmt.Sprintf("%s %s; Cinder itself %s", locate(w.File, w.Line, w.Stanza, w.Key), w.Did, w.Cinder)
}

// Ignored is a section named by enabled_backends that poolcast does not serve.
type Ignored struct {
	Stanza string
	Driver string // volume_driver as Cinder reads it
	Reason string
}

func locate(file string, line int, stanza, key string) string {
	text := file
	if line > 0 {
		text = fmt.Sprintf("%s:%d", file, line)
	}
	text += ":"
	if stanza != "" {
		text += " [" + stanza + "]"
	}
	if key != "" {
		text += " " + key
	}
	return text
}

// place is where a value was found.
type place struct {
	file string
	line int
	rank int
}

// record gathers what is to be told at the end.
type record struct {
	faults   FieldErrors
	warnings []Warning
	seen     map[string]bool
	// Those beyond maxTold.
	moreFaults, moreWarnings int
}

// maxTold is how many faults, and how many warnings, are told one by one. A file
// that is no cinder.conf at all has one in each line.
const maxTold = 200

func newRecord() *record { return &record{seen: map[string]bool{}} }

// subject is what a fault or a warning is about.
type subject struct {
	at     place
	stanza string
	key    string
}

func (r *record) fault(s subject, hint string, err error) {
	if len(r.faults) == maxTold {
		r.moreFaults++
		return
	}
	e := &FieldError{
		File: s.at.file, Line: s.at.line, Stanza: s.stanza, Key: s.key,
		Err: err, Hint: hint, rank: s.at.rank,
	}
	if text := e.Error(); !r.seen[text] {
		r.seen[text] = true
		r.faults = append(r.faults, e)
	}
}

// warn tells each thing once, though an option may be read many times.
func (r *record) warn(s subject, did, cinder string) {
	if len(r.warnings) == maxTold {
		r.moreWarnings++
		return
	}
	w := Warning{
		File: s.at.file, Line: s.at.line, Stanza: s.stanza, Key: s.key,
		Did: did, Cinder: cinder, rank: s.at.rank,
	}
	if text := w.String(); !r.seen[text] {
		r.seen[text] = true
		r.warnings = append(r.warnings, w)
	}
}

func (r *record) sortedFaults() FieldErrors {
	slices.SortStableFunc(r.faults, func(a, b *FieldError) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.Line, b.Line))
	})
	if r.moreFaults > 0 {
		return append(r.faults, &FieldError{
			File: r.faults[len(r.faults)-1].File, Err: fmt.Errorf("%d more faults are not listed", r.moreFaults),
			Hint: "Correct these first, or name the right file.",
		})
	}
	return r.faults
}

func (r *record) sortedWarnings() []Warning {
	slices.SortStableFunc(r.warnings, func(a, b Warning) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.Line, b.Line))
	})
	if r.moreWarnings > 0 {
		return append(r.warnings, Warning{
			File: r.warnings[len(r.warnings)-1].File,
			Did:  fmt.Sprintf("%d more warnings are not listed", r.moreWarnings), Cinder: "prints none of them",
		})
	}
	return r.warnings
}
