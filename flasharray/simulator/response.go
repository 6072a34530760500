package simulator

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// response is a response before a fault changes it.
type response struct {
	status int
	header http.Header
	body   any    // encoded as JSON; nil is an empty body
	raw    []byte // sent unchanged, instead of body
}

func ok(body object) *response {
	return &response{status: http.StatusOK, header: http.Header{}, body: body}
}

// apiError is an error of the API: the object that it is about, if any, and a
// message.
type apiError struct{ context, message string }

func (e *apiError) Error() string {
	if e.context == "" {
		return e.message
	}
	return e.context + ": " + e.message
}

func refuse(context, format string, args ...any) error {
	return &apiError{context: context, message: fmt.Sprintf(format, args...)}
}

func failure(status int, context, message string) *response {
	e := object{"context": nil, "message": message}
	if context != "" {
		e["context"] = context
	}
	return &response{status: status, header: http.Header{}, body: object{"errors": []any{e}}}
}

func badRequest(err error) *response {
	var refused *apiError
	if errors.As(err, &refused) {
		return failure(http.StatusBadRequest, refused.context, refused.message)
	}
	return failure(http.StatusBadRequest, "", err.Error())
}

func notFound(path string) *response {
	return failure(http.StatusNotFound, path, "Not found.")
}

// encode returns the body's bytes.
func (r *response) encode() []byte {
	if r.raw != nil || r.body == nil {
		return r.raw
	}
	text, err := json.Marshal(r.body)
	if err != nil {
		return []byte(`{"errors":[{"context":null,"message":"Internal error."}]}`)
	}
	return text
}

func (r *response) write(w http.ResponseWriter) {
	text := r.encode()
	r.writeHeader(w, len(text))
	_, _ = w.Write(text) // the client may have closed the connection
}

func (r *response) writeHeader(w http.ResponseWriter, length int) {
	h := w.Header()
	for name, values := range r.header {
		h[name] = values
	}
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json")
	}
	h.Set("Content-Length", strconv.Itoa(length))
	w.WriteHeader(r.status)
}

// requestID is the client's request id, or a new one.
func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-ID"); id != "" {
		return id
	}
	return randomID()
}

// randomID is a random UUID.
func randomID() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: see crypto/rand
	return uuidOf(b)
}

// uuidOf makes a UUID of version 4 from a hash or random bytes.
func uuidOf(sum [32]byte) string {
	h := hex.EncodeToString(sum[:])
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8" + h[17:20] + "-" + h[20:32]
}

// object is a JSON object of a response.
type object = map[string]any

// clone copies an object deeply, so that the copy can be changed.
func clone(o object) object {
	c := make(object, len(o)+1)
	for k, v := range o {
		c[k] = cloneValue(v)
	}
	return c
}

func cloneValue(v any) any {
	switch v := v.(type) {
	case object:
		return clone(v)
	case []any:
		c := make([]any, len(v))
		for i, e := range v {
			c[i] = cloneValue(e)
		}
		return c
	}
	return v
}

// lookup follows a dotted path. For a list it returns the values of all elements,
// as a filter on a list field needs them.
func lookup(v any, path string) (any, bool) {
	if path == "" {
		return v, true
	}
	name, rest, _ := strings.Cut(path, ".")
	switch v := v.(type) {
	case object:
		child, ok := v[name]
		if !ok {
			return nil, false
		}
		return lookup(child, rest)
	case []any:
		return lookupEach(v, path)
	}
	return nil, false
}

func lookupEach(list []any, path string) (any, bool) {
	found := []any{}
	for _, e := range list {
		if x, ok := lookup(e, path); ok {
			found = append(found, x)
		}
	}
	return found, len(found) > 0
}

// number reads a number of any type.
func number(v any) (float64, bool) {
	switch n := v.(type) {
	case json.Number:
		f, err := n.Float64()
		return f, err == nil
	case int64:
		return float64(n), true
	case int:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

// integer reads a whole number exactly if it is written as one.
func integer(v any) (int64, bool) {
	if n, ok := v.(json.Number); ok {
		if i, err := n.Int64(); err == nil {
			return i, true
		}
	}
	if i, ok := v.(int64); ok {
		return i, true
	}
	f, ok := number(v)
	return int64(f), ok
}

// intAt reads the whole number at a path, or zero.
func intAt(o object, path string) int64 {
	v, _ := lookup(o, path)
	n, _ := integer(v)
	return n
}

// textAt reads the string at a path, or "".
func textAt(o object, path string) string {
	v, _ := lookup(o, path)
	s, _ := v.(string)
	return s
}

// sub returns the object under a name, which may be missing.
func sub(o object, name string) object {
	s, _ := o[name].(object)
	return s
}

// setNull replaces the value at a path by null; "space.*" means every member.
func setNull(v any, path string) {
	name, rest, deeper := strings.Cut(path, ".")
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			setNull(e, path)
		}
	case object:
		for k := range v {
			if name != "*" && name != k {
				continue
			}
			if deeper {
				setNull(v[k], rest)
			} else {
				v[k] = nil
			}
		}
	}
}
