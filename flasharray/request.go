package flasharray

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-resty/resty/v2"

	"github.com/poolcast/poolcast/collector/capability/format"
)

// maxUnanswered is how many requests of one batch may stay without a response
// before the rest is not sent. One endpoint may hang by itself; two mean that
// the array does.
const maxUnanswered = 2

// batch is all requests of one sample, or of one call of Get or Close. They
// have one request id. It is used by one goroutine at a time.
type batch struct {
	id         string
	requests   int   // sent within a session; login and logout do not count
	unanswered int   // of those
	renewed    bool  // the session was renewed, which is done once
	stopErr    error // why no further request is sent
}

func newBatch() *batch { return &batch{id: rand.Text()} }

// observe decides after a failed request whether further ones are sent.
func (b *batch) observe(err error) {
	var api *APIError
	var lost *RequestError
	switch {
	case errors.As(err, &api):
		if api.Status == http.StatusTooManyRequests || api.retryAfter > 0 {
			b.stopErr = err
		}
	case errors.As(err, &lost):
		if b.unanswered++; b.unanswered >= maxUnanswered {
			b.stopErr = err
		}
	}
}

type request struct {
	method string
	path   string // within the version, or from the root if it begins with a slash
	query  url.Values
	id     string
	// apiToken makes it a login, in the version of session.
	apiToken string
	session  *session
	timeout  time.Duration // instead of the client's; 0 for that
}

// url is relative to the base URL of the HTTP client.
func (q request) url() string {
	if strings.HasPrefix(q.path, "/") || q.session == nil {
		return q.path
	}
	return "/api/" + q.session.version.String() + "/" + q.path
}

// secret is the token that the request carries.
func (q request) secret() string {
	if q.apiToken == "" && q.session != nil {
		return q.session.token
	}
	return q.apiToken
}

// shortestSecret is the length from which on a secret is replaced in texts. A
// shorter one is part of ordinary words, and of every JSON; real ones have 36
// characters.
const shortestSecret = 8

// redact replaces the request's secret in the response, should the array ever
// repeat it.
func (q request) redact(body []byte) []byte {
	secret := []byte(q.secret())
	if len(secret) < shortestSecret || !bytes.Contains(body, secret) {
		return body
	}
	return bytes.ReplaceAll(body, secret, []byte(redacted))
}

// wrap adds the request to an error. The text of a protocol error may quote the
// array, so it is redacted and bounded too.
func (q request) wrap(err error) error {
	text := err.Error()
	if clean := format.Shorten(string(q.redact([]byte(text))), textLimit); clean != text {
		err = &sanitizedError{text: clean, cause: err}
	}
	return &RequestError{Method: q.method, Path: q.path, RequestID: q.id, Err: err}
}

// response is a complete response, whatever its status.
type response struct {
	request
	status   int
	header   http.Header
	body     []byte
	received time.Time
}

// date is the array's time at the response.
func (r *response) date() (time.Time, bool) {
	t, err := http.ParseTime(r.header.Get("Date"))
	return t, err == nil
}

// withTimeout bounds the request.
func (q request) withTimeout(ctx context.Context, c *Client) (context.Context, context.CancelFunc) {
	if q.timeout > 0 {
		return context.WithTimeoutCause(ctx, q.timeout, timeoutError(q.timeout))
	}
	return context.WithTimeoutCause(ctx, c.timeout, c.errTimeout)
}

// timeoutError is the cause of a request's end when its timeout has passed.
func timeoutError(d time.Duration) error {
	return fmt.Errorf("no complete response within %s: %w", d, context.DeadlineExceeded)
}

// send makes one request in the session that q has. A response other than
// success is an *APIError; no usable response is a *RequestError.
func (c *Client) send(ctx context.Context, q request) (*response, error) {
	ctx, cancel := q.withTimeout(ctx, c)
	defer cancel()
	req := c.http.R().SetContext(ctx).SetHeader(headerRequestID, q.id).SetQueryParamsFromValues(q.query)
	switch {
	case q.apiToken != "":
		req.SetHeader(headerAPIToken, q.apiToken)
	case q.session != nil:
		req.SetHeader(headerSession, q.session.token)
	}
	if q.path == pathLogout {
		// net/http, which does not send this header, may then repeat the
		// request when the idle connection turns out to be closed.
		req.Header["Idempotency-Key"] = nil
	}
	res, err := req.Execute(q.method, q.url())
	if err != nil && !q.hasSession(res) {
		c.counters.addRequest(0)
		return nil, q.wrap(causeOf(ctx, err))
	}
	r := &response{request: q, status: res.StatusCode(), header: res.Header(), body: q.redact(res.Body()), received: time.Now()}
	c.counters.addRequest(r.status)
	if !res.IsSuccess() {
		return nil, newAPIError(r)
	}
	return r, nil
}

// hasSession reports whether a login succeeded although its response is not
// complete: the session token is in the header. Another login would leave the
// session open, and arrays allow few of them.
func (q request) hasSession(res *resty.Response) bool {
	return q.apiToken != "" && res != nil && res.RawResponse != nil && res.IsSuccess() && res.Header().Get(headerSession) != ""
}

// causeOf removes the URL that net/http adds to an error, since ours names the
// path already, and returns the cause if the context has ended.
func causeOf(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	if strings.Contains(err.Error(), "x509: negative serial number") { // this error has no type
		err = fmt.Errorf("%w; this program must be built with //go:debug x509negativeserial=1", err)
	}
	return err
}

// get sends a request within a session, which it opens if necessary. It renews a
// session that the array no longer accepts, at most once a batch.
func (c *Client) get(ctx context.Context, b *batch, path string, query url.Values) (*response, error) {
	if b.stopErr != nil {
		return nil, fmt.Errorf("%s not requested after %w", path, b.stopErr)
	}
	r, err := c.getInSession(ctx, b, path, query)
	if err != nil {
		b.observe(err)
	}
	return r, err
}

func (c *Client) getInSession(ctx context.Context, b *batch, path string, query url.Values) (*response, error) {
	s, err := c.openSession(ctx, b, nil)
	if err != nil {
		return nil, err
	}
	q := request{method: http.MethodGet, path: path, query: query, id: b.id, session: s}
	b.requests++
	r, err := c.send(ctx, q)
	if !errors.Is(err, ErrUnauthorized) || b.renewed {
		return r, err
	}
	b.renewed = true
	if q.session, err = c.openSession(ctx, b, s); err != nil {
		return nil, err
	}
	b.requests++
	return c.send(ctx, q)
}
