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

// reply is an answer before a fault has had its way with it.
type reply struct {
	status int
	header http.Header
	body   any    // encoded as JSON; nil is an empty body
	raw    []byte // sent as it is, in place of body
}

func ok(body object) *reply {
	return &reply{status: http.StatusOK, header: http.Header{}, body: body}
}

// apiError is what an array says when it refuses: the object at fault, if any,
// and a sentence.
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

func failure(status int, context, message string) *reply {
	e := object{"context": nil, "message": message}
	if context != "" {
		e["context"] = context
	}
	return &reply{status: status, header: http.Header{}, body: object{"errors": []any{e}}}
}

func badRequest(err error) *reply {
	var refused *apiError
	if errors.As(err, &refused) {
		return failure(http.StatusBadRequest, refused.context, refused.message)
	}
	return failure(http.StatusBadRequest, "", err.Error())
}

func notFound(path string) *reply {
	return failure(http.StatusNotFound, path, "Not found.")
}

// encode returns the body's bytes.
func (r *reply) encode() []byte {
	if r.raw != nil || r.body == nil {
		return r.raw
	}
	text, err := json.Marshal(r.body)
	if err != nil {
		return []byte(`{"errors":[{"context":null,"message":"Internal error."}]}`)
	}
	return text
}

func (r *reply) write(w http.ResponseWriter) {
	text := r.encode()
	r.writeHeader(w, len(text))
	_, _ = w.Write(text) // a client that went away is no concern of the array
}

func (r *reply) writeHeader(w http.ResponseWriter, length int) {
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

// requestID echoes the client's correlation id or makes one.
func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-ID"); id != "" {
		return id
	}
	return randomID()
}

func randomID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: see crypto/rand
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
