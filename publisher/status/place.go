package status

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Query is a question to the placement core: which array would take this
// volume?
type Query struct {
	Size       int64             // GiB
	Zone       string            // availability zone; "" for any
	ExtraSpecs map[string]string // extra specs of the volume type
	Policy     string            // strict or prefer
}

// Decision is an explained decision in three forms that say the same.
type Decision struct {
	// JSON is what poolcast place --output json prints.
	JSON any
	// Summary is one sentence: which backend and why, or why none.
	Summary string
	// Fits says whether there is a backend that takes the volume.
	Fits bool
	// Rows are the backends, best first, then those refused.
	Rows []DecisionRow
}

// DecisionRow is what became of one backend.
type DecisionRow struct {
	Backend string
	Rank    string // "1", "2 (tie)"; "" if refused
	Reason  string // the refusing filter with its operands, or the weights
	Weight  string
}

// Placer decides where a volume would go, on the reports of this moment. An
// error means the question was wrong; that nothing fits is an answer. It is
// called from the goroutines of HTTP requests.
type Placer func(Query) (Decision, error)

const maxProperties = 64

// place answers /v1/place.
func (s *Server) place(w http.ResponseWriter, r *http.Request) {
	q, err := readQuery(r.URL.Query())
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	answer, err := s.opts.Placer(q)
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, answer.JSON)
}

func readQuery(v url.Values) (Query, error) {
	q := Query{Zone: strings.TrimSpace(v.Get("availability_zone")), Policy: v.Get("policy"), ExtraSpecs: map[string]string{}}
	if q.Policy == "" {
		q.Policy = "strict"
	}
	size, err := strconv.ParseInt(strings.TrimSpace(v.Get("size")), 10, 64)
	if err != nil || size < 1 {
		return Query{}, fmt.Errorf("size %q: want a whole number of GiB, 1 or more", v.Get("size"))
	}
	q.Size = size
	for _, line := range propertyLines(v["property"]) {
		key, value, ok := strings.Cut(line, "=")
		if !ok || strings.TrimSpace(key) == "" {
			return Query{}, fmt.Errorf("property %q: want key=value, such as volume_backend_name=pure_performance", line)
		}
		q.ExtraSpecs[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	if len(q.ExtraSpecs) > maxProperties {
		return Query{}, fmt.Errorf("%d properties: at most %d", len(q.ExtraSpecs), maxProperties)
	}
	return q, nil
}

// propertyLines lets a property be a parameter of its own or a line of the
// form's text area.
func propertyLines(values []string) []string {
	var lines []string
	for _, v := range values {
		for _, line := range strings.Split(v, "\n") {
			if line = strings.TrimSpace(line); line != "" {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// formData is the form and, once it was sent, its answer.
type formData struct {
	Size, Zone, Properties, Policy string
	Error                          string
	Answer                         *Decision
}

// form answers the page's own form, which works without a script.
func (s *Server) form(r *http.Request) *formData {
	v := r.URL.Query()
	f := &formData{Size: v.Get("size"), Zone: v.Get("availability_zone"), Properties: v.Get("property"), Policy: v.Get("policy")}
	if f.Size == "" {
		f.Size = "100"
		return f
	}
	q, err := readQuery(v)
	if err == nil {
		var answer Decision
		if answer, err = s.opts.Placer(q); err == nil {
			f.Answer = &answer
		}
	}
	if err != nil {
		f.Error = err.Error()
	}
	return f
}
