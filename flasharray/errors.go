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

// Errors to be distinguished with errors.Is.
var (
	// ErrUnauthorized: the array did not accept the session (401).
	ErrUnauthorized = errors.New("not authorised")
	// ErrForbidden: the token's role lacks the right (403).
	ErrForbidden = errors.New("forbidden")
	// ErrNotFound: the array has no such path in this version (404).
	ErrNotFound = errors.New("not found")
	// ErrBusy: the array asks for fewer requests (429, 503).
	ErrBusy = errors.New("busy")
	// ErrTokenRefused: the array did not accept the API token at login.
	ErrTokenRefused = errors.New("the array refused the API token")
	// ErrUnsupportedVersion: there is no REST version that both sides support.
	ErrUnsupportedVersion = errors.New("no common REST version")
	// ErrClosed: the client was closed.
	ErrClosed = errors.New("client is closed")
)

const (
	redacted     = "[redacted]"
	textLimit    = 300 // of any text from an array, in characters
	messageLimit = 190 // of an array's text within an error, in characters
	longestWait  = time.Hour
)

// APIError is a response other than success.
type APIError struct {
	Method  string
	Path    string // within the API, such as arrays/space
	Status  int
	Context string // the object that the error is about, if the array named one
	Message string // as the array wrote it
	// RequestID was sent as X-Request-ID, so that it can be found in the array's logs.
	RequestID string

	retryAfter time.Duration
}

// Error names the request and the response. It contains no secret.
func (e *APIError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: array returned %d %s", e.Method, e.Path, e.Status, http.StatusText(e.Status))
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

// Is maps a status to the errors of this package.
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

// RetryAfter is the Retry-After of the response, at most an hour; zero if there
// was none.
func (e *APIError) RetryAfter() time.Duration { return e.retryAfter }

func hasStatus(err error, statuses ...int) bool {
	var api *APIError
	return errors.As(err, &api) && slices.Contains(statuses, api.Status)
}

// RequestError is a request without a usable response: no connection, a
// certificate that cannot be verified, a timeout, or a body that is not what the
// API sends. It unwraps to the cause, such as context.DeadlineExceeded or
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
func newAPIError(r *response) *APIError {
	e := &APIError{
		Method: r.method, Path: r.path, Status: r.status, RequestID: r.id,
		retryAfter: retryAfter(r),
	}
	if r.status >= 300 && r.status < 400 {
		e.Message = "redirects are not followed; is this the array's own management address?"
		return e
	}
	e.Context, e.Message = arrayMessage(r.body)
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
	var warnings []error
	o := parseObject(raw, "", &warnings)
	return sanitize(o.text("context")), sanitize(o.text("message"))
}

// sanitize makes text from outside fit for one line of a log.
func sanitize(s string) string {
	return format.Shorten(strings.Join(strings.Fields(format.Printable(s)), " "), messageLimit)
}

// sanitizedError is an error whose text was changed before it is shown.
// errors.Is and errors.As still find the cause.
type sanitizedError struct {
	text  string
	cause error
}

func (e *sanitizedError) Error() string { return e.text }
func (e *sanitizedError) Unwrap() error { return e.cause }

func retryAfter(r *response) time.Duration {
	text := r.header.Get("Retry-After")
	var wait time.Duration
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if until, err := http.ParseTime(text); err == nil {
		now, ok := r.date()
		if !ok {
			now = r.received
		}
		wait = until.Sub(now)
	}
	return min(max(wait, 0), longestWait)
}
