package status

import (
	"net/http"
	"strings"
)

// formData is the form and, after it was sent, the decision.
type formData struct {
	Size, Zone, Type, Policy string
	// Properties, Hints and QoS have one pair in a line.
	Properties, Hints, QoS string

	// Selection is that of the table, which the answer keeps.
	Selection []parameter

	Types    VolumeTypes
	Error    string
	Decision *Decision
}

// form serves the form of the page, which works without JavaScript.
func (s *Server) form(r *http.Request) *formData {
	v := r.URL.Query()
	lines := func(name string) string { return strings.Join(propertyLines(v[name]), "\n") }
	f := &formData{
		Size: v.Get("size"), Zone: v.Get("availability_zone"), Type: v.Get("volume_type"), Policy: v.Get("policy"),
		Properties: lines("property"), Hints: lines("hint"), QoS: lines("qos"),
		Selection: readSelection(v).parameters(),
	}
	if f.Size == "" {
		f.Size = "100"
		return f
	}
	q, err := readQuery(v)
	if err == nil {
		var decision Decision
		if decision, err = s.opts.Placer(q); err == nil {
			f.Decision = &decision
		}
	}
	if err != nil {
		f.Error = err.Error()
	}
	return f
}

// UnknownType reports whether the type of the request is none of those that are offered.
func (f *formData) UnknownType() bool {
	for _, name := range f.Types.Names {
		if name == f.Type {
			return false
		}
	}
	return f.Type != ""
}
