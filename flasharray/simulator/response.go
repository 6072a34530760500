package simulator

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
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
