package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxBody is the largest body of a request, in bytes.
const maxBody = 1 << 20

// writing is one request that changes a writable array, while it is processed.
type writing struct {
	*draft
	endpoint string
	params   url.Values
	body     object
	list     []object // the body, where the endpoint takes a list
}

// write responds to a request that changes a writable array.
func (a *Array) write(r *http.Request, e *endpoint, version int) *response {
	op, supported := operations()[r.Method+" "+e.path]
	if !supported {
		return failure(http.StatusBadRequest, e.path, fmt.Sprintf("The simulated array does not support %s %s.", r.Method, e.path))
	}
	items, err := a.apply(r, e.path, op)
	if err != nil {
		return badRequest(err)
	}
	v, list := a.view(), []any{}
	for i := range items {
		list = append(list, stored{items, v.millis()}.item(i))
	}
	body := object{"items": list}
	v.finish(body, e, version)
	return ok(body)
}

// apply makes the change as a whole, or nothing of it.
func (a *Array) apply(r *http.Request, path string, op operation) (recorded, error) {
	defer a.lockLink()()
	t := a.begin()
	w := &writing{draft: t.on(a), endpoint: path}
	if err := w.read(r, op); err != nil {
		return nil, err
	}
	items, err := op.run(w)
	if err != nil {
		return nil, err
	}
	t.commit()
	return items, nil
}

// read checks the parameters and the body.
func (w *writing) read(r *http.Request, op operation) (err error) {
	if w.params, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return refuse("", "Invalid query string.")
	}
	for name := range w.params {
		if !listsWord(op.params, name) && !listsWord("context_names allow_errors", name) {
			return refuse(name, "The simulated array does not support this parameter of %s %s.", r.Method, w.endpoint)
		}
	}
	for _, name := range w.values("context_names") {
		if !strings.EqualFold(name, w.array.Name()) {
			return refuse(name, "Context does not exist.")
		}
	}
	if err := w.readBody(r.Body); err != nil {
		return err
	}
	for _, o := range append(w.list, w.body) {
		for name, value := range o {
			if value != nil && !listsWord(op.body, name) {
				return refuse(name, "The simulated array does not support this member of the body of %s %s.", r.Method, w.endpoint)
			}
		}
	}
	return nil
}

// listsWord reports whether words, separated by spaces, have a word.
func listsWord(words, word string) bool { return slices.Contains(strings.Fields(words), word) }

// readBody reads a JSON object, a list of objects, or nothing.
func (w *writing) readBody(body io.Reader) error {
	d := json.NewDecoder(io.LimitReader(body, maxBody))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil && !errors.Is(err, io.EOF) {
		return refuse("", "Invalid JSON in the body of the request.")
	}
	if !fits(value, maxDepth) {
		return refuse("", "The body of the request is nested too deeply.")
	}
	switch v := value.(type) {
	case nil:
		return nil
	case object:
		w.body = v
		return nil
	case []any:
		for _, element := range v {
			o, isObject := element.(object)
			if !isObject {
				return refuse("", "The body of the request must be a list of objects.")
			}
			w.list = append(w.list, o)
		}
		return nil
	}
	return refuse("", "The body of the request must be an object.")
}

// maxDepth is how deep a body may be nested: all documented ones are flatter.
const maxDepth = 8

func fits(v any, depth int) bool {
	switch v := v.(type) {
	case object:
		for _, child := range v {
			if depth == 0 || !fits(child, depth-1) {
				return false
			}
		}
	case []any:
		for _, child := range v {
			if depth == 0 || !fits(child, depth-1) {
				return false
			}
		}
	}
	return true
}

// values are a query parameter's values, separated by commas.
func (w *writing) values(name string) []string {
	if w.params.Get(name) == "" {
		return nil
	}
	return strings.Split(w.params.Get(name), ",")
}

// required is values of a parameter that must be there.
func (w *writing) required(name string) ([]string, error) {
	values := w.values(name)
	if len(values) == 0 {
		return nil, refuse(name, "Missing required parameter.")
	}
	return values, nil
}

// flag reads a Boolean parameter.
func (w *writing) flag(name string) bool { return strings.EqualFold(w.params.Get(name), "true") }

// destroyed is the member of the body of that name, if there is one.
func (w *writing) destroyed() (destroyed, given bool) {
	destroyed, given = w.body["destroyed"].(bool)
	return destroyed, given
}

// named are the objects that names and ids, or parameters with a prefix, select.
// Each must exist.
func (w *writing) named(kind, prefix string) ([]object, error) {
	var found []object
	for _, key := range []string{"name", "id"} {
		for _, value := range w.values(prefix + key + "s") {
			o, ok := w.find(kind, key, value)
			if !ok {
				return nil, refuse(value, "%s does not exist.", nouns[kind])
			}
			if !slices.ContainsFunc(found, func(x object) bool { return same(x, o) }) {
				found = append(found, o)
			}
		}
	}
	if len(found) == 0 {
		return nil, refuse(prefix+"names", "Missing required parameter.")
	}
	return found, nil
}

// live is named without destroyed objects.
func (w *writing) live(kind, prefix string) ([]object, error) {
	found, err := w.named(kind, prefix)
	if err != nil {
		return nil, err
	}
	for _, o := range found {
		if isDestroyed(o) {
			return nil, beenDestroyed(kind, o)
		}
	}
	return found, nil
}

// beenDestroyed is the error for an object that awaits eradication.
func beenDestroyed(kind string, o object) error {
	return refuse(textAt(o, "name"), "%s has been destroyed.", nouns[kind])
}

// each makes an object of every element of a list.
func each[T any](list []T, f func(T) (object, error)) ([]object, error) {
	var made []object
	for _, element := range list {
		o, err := f(element)
		if err != nil {
			return nil, err
		}
		made = append(made, o)
	}
	return made, nil
}

// eachPair makes an object of every pair of elements of two lists.
func eachPair[A, B any](first []A, second []B, f func(A, B) (object, error)) ([]object, error) {
	var made []object
	err := forPairs(first, second, func(a A, b B) error {
		o, err := f(a, b)
		made = append(made, o)
		return err
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// forPairs calls a function for every pair of elements of two lists, until it fails.
func forPairs[A, B any](first []A, second []B, f func(A, B) error) error {
	for _, a := range first {
		for _, b := range second {
			if err := f(a, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// createEach makes an object of every name.
func (w *writing) createEach(create func(name string) (object, error)) ([]object, error) {
	names, err := w.required("names")
	if err != nil {
		return nil, err
	}
	return each(names, create)
}

// changeEach replaces each object of a list by a changed copy.
func (w *writing) changeEach(kind string, list []object, change func(o object) error) ([]object, error) {
	changed := make([]object, 0, len(list))
	for _, old := range list {
		o := clone(old)
		if err := change(o); err != nil {
			return nil, err
		}
		w.put(kind, old, o)
		changed = append(changed, o)
	}
	return changed, nil
}
