package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
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
}

// operation is one supported combination of method and endpoint. params and body
// are the query parameters and members of the body that it supports.
type operation struct {
	run          func(*writing) ([]object, error)
	params, body string
}

// operations are the supported changes, by method and endpoint.
func operations() map[string]operation {
	return map[string]operation{
		"POST volumes":   {createVolumes, "names overwrite with_default_protection", "provisioned source subtype"},
		"PATCH volumes":  {changeVolumes, "names ids truncate", "provisioned destroyed name"},
		"DELETE volumes": {eradicateVolumes, "names ids", ""},
	}
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
	v := a.view()
	body := object{"items": []any{}}
	for _, o := range items {
		body["items"] = append(body["items"].([]any), stored{recorded{o}, v.millis()}.item(0))
	}
	v.finish(body, e, version)
	return ok(body)
}

// apply makes the change as a whole, or nothing of it.
func (a *Array) apply(r *http.Request, path string, op operation) ([]object, error) {
	a.link.mu.Lock()
	defer a.link.mu.Unlock()
	w := &writing{draft: a.draft(), endpoint: path}
	w.eradicateDue()
	if err := w.read(r, op); err != nil {
		return nil, err
	}
	items, err := op.run(w)
	if err != nil {
		return nil, err
	}
	w.commit()
	return items, nil
}

// read checks the parameters and the body.
func (w *writing) read(r *http.Request, op operation) (err error) {
	if w.params, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return refuse("", "Invalid query string.")
	}
	for name := range w.params {
		if !listsWord(op.params, name) && name != "context_names" {
			return refuse(name, "The simulated array does not support this query parameter of %s %s.", r.Method, w.endpoint)
		}
	}
	if w.body, err = readBody(r.Body); err != nil {
		return err
	}
	for name, value := range w.body {
		if value != nil && !listsWord(op.body, name) {
			return refuse(name, "The simulated array does not support this member of the body of %s %s.", r.Method, w.endpoint)
		}
	}
	return nil
}

func listsWord(words, word string) bool {
	return strings.Contains(" "+words+" ", " "+word+" ") && !strings.Contains(word, " ")
}

// readBody reads a JSON object, or nothing.
func readBody(body io.Reader) (object, error) {
	d := json.NewDecoder(io.LimitReader(body, maxBody))
	d.UseNumber()
	var o object
	if err := d.Decode(&o); err != nil && !errors.Is(err, io.EOF) {
		return nil, refuse("", "Invalid JSON in the body of the request.")
	}
	return o, nil
}

// list is a query parameter's comma-separated values.
func (w *writing) list(name string) []string {
	if w.params.Get(name) == "" {
		return nil
	}
	return strings.Split(w.params.Get(name), ",")
}

// named are the objects that names and ids select. Each must exist.
func (w *writing) named(kind string) ([]object, error) {
	var found []object
	for _, key := range []string{"name", "id"} {
		for _, value := range w.list(key + "s") {
			o, ok := w.find(kind, key, value)
			if !ok {
				return nil, refuse(value, "%s does not exist.", nouns[kind])
			}
			found = append(found, o)
		}
	}
	if len(found) == 0 {
		return nil, refuse("names", "Missing required parameter.")
	}
	return found, nil
}
