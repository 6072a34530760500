package cinder

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// ExpressionError says what is wrong with a filter or goodness function, or
// with the values it was given.
type ExpressionError struct {
	Text    string // of the function
	Column  int    // of the fault, counted in characters from 1
	Problem string
	Hint    string // what to write instead; may be empty
}

// Error returns the fault in one line, without the text of the function.
func (e *ExpressionError) Error() string {
	msg := fmt.Sprintf("column %d: %s", e.Column, e.Problem)
	if e.Hint != "" {
		msg += "; " + e.Hint
	}
	return msg
}

// fault is an error at an offset of a text that is not at hand.
type fault struct {
	at  int
	err error
}

func (f *fault) Error() string { return f.err.Error() }
func (f *fault) Unwrap() error { return f.err }

func failAt(at int, err error) *fault { return &fault{at: at, err: err} }

// locate turns a fault into the error that callers see.
func (e *Expression) locate(err *fault) error {
	return &ExpressionError{Text: e.text, Column: column(e.text, err.at), Problem: err.Error(), Hint: hintOf(err.err)}
}

// hinted is a cause that knows its cure.
type hinted struct{ problem, hint string }

func (h *hinted) Error() string { return h.problem }

func hintOf(err error) string {
	if h, ok := errors.AsType[*hinted](err); ok {
		return h.hint
	}
	return ""
}

// column is the character at a byte offset, from 1.
func column(text string, offset int) int {
	return utf8.RuneCountInString(text[:min(offset, len(text))]) + 1
}
