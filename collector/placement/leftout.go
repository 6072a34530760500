package placement

import (
	"errors"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability/format"
)

// LeftOut is a filter, weigher or handler of a profile that no plug-in has. A decision
// without it is incomplete: it may be another than the one with it.
type LeftOut struct {
	Kind string `json:"kind"` // filter, weigher or handler
	Name string `json:"name"`
	// Advice is what may have been meant, as in "did you mean CapacityFilter?".
	Advice string `json:"advice,omitempty"`

	known []string // the names that there are
}

// ClassName is the name of a filter, a weigher or a handler without its module.
func ClassName(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// NewLeftOut is a name that is none of the known ones, with advice if one of them may
// have been meant.
func NewLeftOut(kind, name string, known []string) LeftOut {
	l := LeftOut{Kind: kind, Name: name, known: known}
	class := ClassName(name)
	switch near := format.Nearest(name, known); {
	case near != "":
		l.Advice = "did you mean " + near + "?"
	case class != name && slices.Contains(known, class):
		l.Advice = "the name has no module in front of it: write " + class
	}
	return l
}

// String says that it was left out, in one sentence.
func (l LeftOut) String() string {
	text := l.Name + " is not known here and was left out: the answer is incomplete"
	if l.Advice != "" {
		text += "; " + l.Advice
	}
	return text
}

// fault is the error where nothing is left out.
func (l LeftOut) fault() error {
	text := l.Kind + " " + l.Name + " is not known: "
	switch {
	case l.Advice != "":
		text += l.Advice
	case len(l.known) == 0:
		text += "there is none"
	default:
		text += "there are " + strings.Join(l.known, ", ")
	}
	return errors.New(text)
}

// LeftOut lists what the profile names and no plug-in has, each once, in the order of
// the profile: first [Profile.LeftOut], then filters, then weighers. It must not be
// changed.
func (e *Engine) LeftOut() []LeftOut { return e.leftOut }

// leaveOut enters what no plug-in has, once.
func (e *Engine) leaveOut(l LeftOut) {
	if !slices.ContainsFunc(e.leftOut, func(o LeftOut) bool { return o.Kind == l.Kind && o.Name == l.Name }) {
		e.leftOut = append(e.leftOut, l)
	}
}
