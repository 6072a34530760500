package flasharray

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability/format"
)

// Errors to be told apart with errors.Is.
var (
	// ErrUnauthorized: the array did not accept the session (401).
	ErrUnauthorized = errors.New("not authorised")
	// ErrForbidden: the token's role lacks the right (403).
	ErrForbidden = errors.New("forbidden")
	// ErrNotFound: the array knows no such path in this version (404).
	ErrNotFound = errors.New("not found")
	// ErrBusy: the array asks to be left alone for a while (429, 503).
	ErrBusy = errors.New("busy")
	// ErrTokenRefused: the array did not accept the API token at login.
	ErrTokenRefused = errors.New("the array refused the API token")
	// ErrUnsupportedVersion: there is no REST version that both sides speak.
	ErrUnsupportedVersion = errors.New("no common REST version")
	// ErrClosed: the client was closed.
	ErrClosed = errors.New("client is closed")
)

const (
	redacted     = "[redacted]"
	textLimit    = 300 // of any text of an array, in characters
	messageLimit = 190 // of an array's text in an error, in characters
	longestWait  = time.Hour
)

// APIError is an answer other than success.
type APIError struct {
	Method  string
	Path    string // within the API, such as arrays/space
	Status  int
	Context string // the object at fault, if the array named one
	Message string // the array's own words
	// RequestID was sent as X-Request-ID; the array's support can look for it.
	RequestID string

	retryAfter time.Duration
}

// Error says what was asked and what the array answered. It holds no secret.
func (e *APIError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: array answered %d %s", e.Method, e.Path, e.Status, http.StatusText(e.Status))
	if e.Message != "" {
		b.WriteString(": ")
		if e.Context != "" {
			b.WriteString(e.Context + ": ")
		}
		b.WriteString(e.Message)
	}
	fmt.Fprintf(&b, " (request %s)", e.RequestID)
	return b.String()
}

// Is relates a status to the errors of this package.
func (e *APIError) Is(target error) bool {
	switch e.Status {
	case http.StatusUnauthorized:
		return target == ErrUnauthorized
	case http.StatusForbidden:
		return target == ErrForbidden
	case http.StatusNotFound:
		return target == ErrNotFound
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return target == ErrBusy
	}
	return false
}

// RetryAfter is how long the array asked to be left alone, at most an hour;
// zero if it did not say.
func (e *APIError) RetryAfter() time.Duration { return e.retryAfter }

func hasStatus(err error, statuses ...int) bool {
	var api *APIError
	return errors.As(err, &api) && slices.Contains(statuses, api.Status)
}

// RequestError is a request that got no usable answer: no connection, no
// trust, no time left, or bytes that are not what the API sends. It unwraps to
// the cause, such as context.DeadlineExceeded or
// *tls.CertificateVerificationError.
type RequestError struct {
	Method    string
	Path      string
	RequestID string
	Err       error
}

func (e *RequestError) Error() string {
	return fmt.Sprintf("%s %s: %v (request %s)", e.Method, e.Path, e.Err, e.RequestID)
}

func (e *RequestError) Unwrap() error { return e.Err }

// newAPIError reads either shape of error body: the array's own list of
// errors, and the single message of the gateway in front of it.
func newAPIError(a *answer) *APIError {
	e := &APIError{
		Method: a.method, Path: a.path, Status: a.status, RequestID: a.id,
		retryAfter: retryAfter(a),
	}
	if a.status >= 300 && a.status < 400 {
		e.Message = "redirects are not followed; is this the array's own management address?"
		return e
	}
	e.Context, e.Message = arrayMessage(a.body)
	return e
}

func arrayMessage(body []byte) (object, message string) {
	var list struct {
		Errors []json.RawMessage `json:"errors"`
	}
	if json.Unmarshal(body, &list) == nil {
		for _, raw := range list.Errors {
			if object, message = oneMessage(raw); message != "" {
				return object, message
			}
		}
	}
	return oneMessage(body)
}

func oneMessage(raw []byte) (object, message string) {
	var odd []error
	o := parseObject(raw, "", &odd)
	return tidy(o.text("context")), tidy(o.text("message"))
}

// tidy makes text from outside fit for one line of a log.
func tidy(s string) string {
	return format.Shorten(strings.Join(strings.Fields(format.Printable(s)), " "), messageLimit)
}

// cleaned is an error whose text is fit to be shown. It is still the error that
// it was to errors.Is and errors.As.
type cleaned struct {
	text  string
	cause error
}

func (e *cleaned) Error() string { return e.text }
func (e *cleaned) Unwrap() error { return e.cause }

func retryAfter(a *answer) time.Duration {
	text := a.header.Get("Retry-After")
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		return clampWait(time.Duration(seconds) * time.Second)
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, ok := a.date()
	if !ok {
		now = a.received
	}
	return clampWait(until.Sub(now))
}

func clampWait(d time.Duration) time.Duration { return min(max(d, 0), longestWait) }
