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
	Cinder  string // what Cinder does with the value
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

// list keeps the first maxListed elements, each text once, and counts the others.
type list[T any] struct {
	first []T
	more  int
	seen  map[string]bool
}

func (l *list[T]) add(e T, text string) {
	switch {
	case len(l.first) == maxListed:
		l.more++
	case !l.seen[text]:
		if l.seen == nil {
			l.seen = map[string]bool{}
		}
		l.seen[text] = true
		l.first = append(l.first, e)
	}
}

// record collects faults and warnings.
type record struct {
	faults   list[*FieldError]
	sequence int // of the next fault
	warnings list[Warning]
	// backend is the section that is being read, and broken its faults.
	backend string
	broken  list[*FieldError]
}

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
		r.broken.add(e, e.Error())
		return
	}
	r.faults.add(e, e.Error())
}

// beginBackend assigns the faults of a backend's section, and those of values from
// [backend_defaults], to the backend, until endBackend returns them.
func (r *record) beginBackend(backend string) { r.backend = backend }

func (r *record) endBackend() FieldErrors {
	faults := sortedFaults(r.broken)
	r.backend, r.broken = "", list[*FieldError]{}
	return faults
}

// sortedFaults returns the faults in the order of the files. If there are more than
// maxListed, the last one is the number of the others.
func sortedFaults(l list[*FieldError]) FieldErrors {
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

func (r *record) warn(s subject, message, cinder, hint string) {
	r.note(s, Warning{Message: message, Cinder: cinder, Hint: hint})
}

// note records each warning once, although an option may be read many times.
func (r *record) note(s subject, w Warning) {
	w.File, w.Line, w.Stanza, w.Key, w.rank = s.at.file, s.at.line, s.stanza, s.key, s.at.rank
	r.warnings.add(w, w.String())
}

func (r *record) sortedWarnings() []Warning {
	warnings := r.warnings.first
	slices.SortStableFunc(warnings, func(a, b Warning) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.Line, b.Line))
	})
	if r.warnings.more > 0 {
		return append(warnings, Warning{
			File:    warnings[len(warnings)-1].File,
			Message: fmt.Sprintf("%d more warnings are not listed", r.warnings.more), Cinder: "prints none of them",
		})
	}
	return warnings
}
