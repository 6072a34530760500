package function

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/poolcast/poolcast/collector/placement/internal/python"
)

// Error says what is wrong with a filter or goodness function, or
// with the values it was given.
type Error struct {
	Text    string // of the function
	Column  int    // of the fault, counted in characters from 1
	Problem string
	Hint    string // what to write instead; may be empty
}

// Error returns the fault in one line, without the text of the function.
func (e *Error) Error() string {
	msg := fmt.Sprintf("column %d: %s", e.Column, e.Problem)
	if e.Hint != "" {
		msg += "; " + e.Hint
	}
	return msg
}

// fault is an error at an offset of the text.
type fault struct {
	at  int
	err error
}

func (f *fault) Error() string { return f.err.Error() }
func (f *fault) Unwrap() error { return f.err }

func failAt(at int, err error) *fault { return &fault{at: at, err: err} }

// locate turns a fault into the error that callers see.
func (f *Function) locate(err *fault) error {
	return &Error{Text: f.text, Column: column(f.text, err.at), Problem: err.Error(), Hint: hintOf(err.err)}
}

// hinted is an error with a hint.
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

// problemAt describes the error at the offset where parsing stopped, with a hint
// that depends on the text around it.
func problemAt(text string, at int) *hinted {
	before := strings.TrimRight(text[:at], " \n\r\t")
	if at == len(text) {
		return incomplete(text, before)
	}
	rest := text[at:]
	switch c := rest[0]; {
	case digitInside(text, at):
		return digitInName(text, at)
	case isWordByte(c) && at > 0 && python.IsDigit(text[at-1]):
		return &hinted{"unexpected letters after a number", "units and exponents are not understood: write 1000000 for 1e6"}
	case c == '"' || c == '\'':
		return &hinted{"unexpected text in quotes", "check that each quote is closed, and that there is an operator between two texts"}
	case strings.HasSuffix(before, "^") && (c == '-' || c == '+'):
		return &hinted{"unexpected sign after ^", "put a signed exponent in parentheses: 2 ^ (-1)"}
	case c == '?' || c == ':':
		return &hinted{"unexpected " + quoteChar(rest), "a ? b : c binds tighter than and, or: put each part in parentheses"}
	case c == ')':
		return &hinted{"unexpected closing parenthesis", ""}
	}
	return unknownOperator(rest)
}

func incomplete(text, before string) *hinted {
	switch {
	case before == "":
		return &hinted{"the function is empty", ""}
	case strings.Count(text, "(") > strings.Count(text, ")"):
		return &hinted{"a parenthesis is not closed", ""}
	}
	return &hinted{"the function ends where a number, a name or a parenthesis should follow", ""}
}

// digitInside reports whether the text around an offset is one word that
// begins as a name does and has a digit in it.
func digitInside(text string, at int) bool {
	start, end := wordAround(text, at)
	return start < at && isWordByte(text[start]) && strings.ContainsAny(text[start:end], "0123456789")
}

func wordAround(text string, at int) (start, end int) {
	start, end = at, at
	for start > 0 && (isWordByte(text[start-1]) || python.IsDigit(text[start-1])) {
		start--
	}
	for end < len(text) && (isWordByte(text[end]) || python.IsDigit(text[end])) {
		end++
	}
	return start, end
}

func digitInName(text string, at int) *hinted {
	start, end := wordAround(text, at)
	return &hinted{
		problem: fmt.Sprintf("digit in the name %s", text[start:end]),
		hint:    "Cinder's evaluator reads letters, underscores and one point only: report the value under a name without digits",
	}
}

func unknownOperator(rest string) *hinted {
	hints := []struct{ start, hint string }{
		{"=", "compare with =="},
		{"&", "write &&"},
		{"|", "write ||"},
		{"%", "there is no remainder operator"},
		{"[", "lists cannot be indexed"},
	}
	for _, h := range hints {
		if strings.HasPrefix(rest, h.start) {
			return &hinted{"unexpected " + quoteChar(rest), h.hint}
		}
	}
	return &hinted{"unexpected " + quoteChar(rest), ""}
}

func quoteChar(s string) string {
	r, _ := utf8.DecodeRuneInString(s)
	return fmt.Sprintf("%q", string(r))
}
