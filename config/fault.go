package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// FieldError is one fault of the configuration, with its place and what to write
// instead. Its text never contains a secret.
type FieldError struct {
	File   string // path, an environment variable's name, or a flag
	Line   int    // counted from 1; 0 where there are no lines
	Stanza string // section; "" for a fault of the whole file
	Key    string // option; "" for a fault of the section or the file
	Err    error
	Hint   string // what to write, a full sentence; may be ""

	rank     int // order of the file among those read
	sequence int // order among the faults found
}

// Error has the form
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

// FieldErrors are all faults of a configuration, in file order. [Load] returns it
// as its error.
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

// Warning is a value that poolcast reads differently from Cinder, or one that is
// probably a mistake. Its text never contains a secret.
type Warning struct {
	File    string
	Line    int
	Stanza  string
	Key     string
	Message string // how poolcast reads the value
	Cinder  string // what Cinder itself makes of it
	Hint    string // what to write, a full sentence; may be ""
	// Serious is whether the value is almost certainly a mistake: `check` counts it as
	// an error.
	Serious bool

	rank int
}

// String has the form of an error, with what Cinder does after the problem.
func (w Warning) String() string {
	text := fmt.Sprintf("%s %s; Cinder %s", locate(w.File, w.Line, w.Stanza, w.Key), w.Message, w.Cinder)
	if w.Hint != "" {
		text += ". " + w.Hint
	}
	return text
}

// Broken is an enabled backend that is not served because its section has faults.
// The others are served, as in cinder-volume.
type Broken struct {
	Backend // as far as it could be read
	Faults  FieldErrors
}

// Ignored is a section of enabled_backends that poolcast does not serve.
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

// maxListed limits how many faults, and how many warnings, are listed. A file that
// is not a cinder.conf can have one in each line.
const maxListed = 200

// faultList keeps the first maxListed faults, each once, and counts the others.
type faultList struct {
	first FieldErrors
	more  int
}

func (l *faultList) add(e *FieldError) {
	if len(l.first) == maxListed {
		l.more++
		return
	}
	if !slices.ContainsFunc(l.first, e.equal) {
		l.first = append(l.first, e)
	}
}

// sorted returns the faults in the order of the files. If there are more than
// maxListed, the last one is the number of the others.
func (l *faultList) sorted() FieldErrors {
	faults := slices.Clone(l.first)
	slices.SortStableFunc(faults, func(a, b *FieldError) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.Line, b.Line), cmp.Compare(a.sequence, b.sequence))
	})
	if l.more > 0 {
		faults = append(faults, &FieldError{
			File: faults[len(faults)-1].File, Err: fmt.Errorf("%d more faults are not listed", l.more),
			Hint: "Correct these first, or give the right file.",
		})
	}
	return faults
}

func (e *FieldError) equal(other *FieldError) bool { return e.Error() == other.Error() }

// record collects faults and warnings.
type record struct {
	faults       faultList
	sequence     int // of the next fault
	warnings     []Warning
	moreWarnings int // beyond maxListed
	seen         map[string]bool
	// backend is the section that is being read, and broken its faults.
	backend string
	broken  faultList
}

func newRecord() *record { return &record{seen: map[string]bool{}} }

// subject is what a fault or a warning is about.
type subject struct {
	at     place
	stanza string
	key    string
}

func (r *record) fault(s subject, hint string, err error) {
	e := &FieldError{
		File: s.at.file, Line: s.at.line, Stanza: s.stanza, Key: s.key,
		Err: err, Hint: hint, rank: s.at.rank, sequence: r.sequence,
	}
	r.sequence++
	if r.backend != "" && (foldSection(s.stanza) == foldSection(r.backend) || s.stanza == sectionShared) {
		r.broken.add(e)
		return
	}
	r.faults.add(e)
}

// begin makes the faults of a backend's section, and those that it gets from
// [backend_defaults], the backend's own, until end returns them.
func (r *record) beginBackend(backend string) { r.backend, r.broken = backend, faultList{} }

func (r *record) endBackend() FieldErrors {
	faults := r.broken.sorted()
	r.backend, r.broken = "", faultList{}
	return faults
}

func (r *record) warn(s subject, message, cinder, hint string) {
	r.note(s, Warning{Message: message, Cinder: cinder, Hint: hint})
}

// note records each warning once, although an option may be read many times.
func (r *record) note(s subject, w Warning) {
	if len(r.warnings) == maxListed {
		r.moreWarnings++
		return
	}
	w.File, w.Line, w.Stanza, w.Key, w.rank = s.at.file, s.at.line, s.stanza, s.key, s.at.rank
	if text := w.String(); !r.seen[text] {
		r.seen[text] = true
		r.warnings = append(r.warnings, w)
	}
}

func (r *record) sortedWarnings() []Warning {
	slices.SortStableFunc(r.warnings, func(a, b Warning) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.Line, b.Line))
	})
	if r.moreWarnings > 0 {
		return append(r.warnings, Warning{
			File:    r.warnings[len(r.warnings)-1].File,
			Message: fmt.Sprintf("%d more warnings are not listed", r.moreWarnings), Cinder: "prints none of them",
		})
	}
	return r.warnings
}
