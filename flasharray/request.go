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

// patience is how many requests of one reading may stay without an answer
// before the rest is given up. One endpoint may hang by itself; two mean that
// the array does.
const patience = 2

// reading is one conversation with the array: everything asked under one
// request id. It is used by one goroutine at a time.
type reading struct {
	id         string
	requests   int   // sent within a session; login and logout do not count
	unanswered int   // of those
	renewed    bool  // the session was renewed; once is enough
	halt       error // why nothing more will be asked
}

func newReading() *reading { return &reading{id: rand.Text()} }

// observe learns from a failed request whether it makes sense to go on.
func (r *reading) observe(err error) {
	var api *APIError
	var lost *RequestError
	switch {
	case errors.As(err, &api):
		if api.Status == http.StatusTooManyRequests || api.retryAfter > 0 {
			r.halt = err
		}
	case errors.As(err, &lost):
		if r.unanswered++; r.unanswered >= patience {
			r.halt = err
		}
	}
}

type request struct {
	method string
	path   string // within the version, or from the root if it begins with a slash
	query  url.Values
	id     string
	// apiToken makes it a login, in the version that the ticket names.
	apiToken string
	ticket   *ticket
	timeout  time.Duration // in place of the client's; 0 for that
}

func (q request) url(host string) string {
	u := url.URL{Scheme: "https", Host: host, Path: q.path, RawQuery: q.query.Encode()}
	if !strings.HasPrefix(q.path, "/") && q.ticket != nil {
		u.Path = "/api/" + q.ticket.version.String() + "/" + q.path
	}
	return u.String()
}

// secret is what the request carries that nobody else may see.
func (q request) secret() string {
	if q.apiToken == "" && q.ticket != nil {
		return q.ticket.token
	}
	return q.apiToken
}

// shortestSecret is the length from which on a secret is taken out of texts. A
// shorter one is part of ordinary words, and of every JSON; real ones have
// 36 characters.
const shortestSecret = 8

// censor takes the request's secret out of what the array sent, should it ever
// repeat it.
func (q request) censor(body []byte) []byte {
	secret := []byte(q.secret())
	if len(secret) < shortestSecret || !bytes.Contains(body, secret) {
		return body
	}
	return bytes.ReplaceAll(body, secret, []byte(redacted))
}

// wrap says which request an error belongs to. The text of a protocol error
// may quote the array, so it is censored and bounded too.
func (q request) wrap(err error) error {
	text := err.Error()
	if clean := format.Shorten(string(q.censor([]byte(text))), textLimit); clean != text {
		err = &cleaned{text: clean, cause: err}
	}
	return &RequestError{Method: q.method, Path: q.path, RequestID: q.id, Err: err}
}

// answer is what came back, whatever its status.
type answer struct {
	request
	status   int
	header   http.Header
	body     []byte
	received time.Time
}

// date is the array's clock when it answered.
func (a *answer) date() (time.Time, bool) {
	t, err := http.ParseTime(a.header.Get("Date"))
	return t, err == nil
}

// bounded gives the request its time.
func (q request) bounded(ctx context.Context, c *Client) (context.Context, context.CancelFunc) {
	if q.timeout > 0 {
		return context.WithTimeoutCause(ctx, q.timeout, tooLate(q.timeout))
	}
	return context.WithTimeoutCause(ctx, c.timeout, c.late)
}

// tooLate is the cause of a request's end when its time has passed.
func tooLate(d time.Duration) error {
	return fmt.Errorf("no complete answer within %s: %w", d, context.DeadlineExceeded)
}

// send makes one request, without a thought for sessions. An answer other than
// success is an *APIError; no usable answer is a *RequestError.
func (c *Client) send(ctx context.Context, q request) (*answer, error) {
	ctx, cancel := q.bounded(ctx, c)
	defer cancel()
	req := c.http.R().SetContext(ctx).SetHeader(headerRequestID, q.id)
	switch {
	case q.apiToken != "":
		req.SetHeader(headerAPIToken, q.apiToken)
	case q.ticket != nil:
		req.SetHeader(headerSession, q.ticket.token)
	}
	if q.path == pathLogout {
		// Tells net/http, and not the array, that it may be sent again when
		// the idle connection turns out to be closed.
		req.Header["Idempotency-Key"] = nil
	}
	res, err := req.Execute(q.method, q.url(c.host))
	if err != nil && !q.opened(res) {
		c.counters.count(0, 0)
		return nil, q.wrap(plainCause(ctx, err))
	}
	a := &answer{request: q, status: res.StatusCode(), header: res.Header(), body: q.censor(res.Body()), received: time.Now()}
	c.counters.count(a.status, len(a.body))
	if a.status < 200 || a.status > 299 {
		return nil, newAPIError(a)
	}
	return a, nil
}

// opened says whether a login went well although its answer broke off: all that
// matters of it is in the header. To log in again would leave the session
// behind, and arrays keep few of them.
func (q request) opened(res *resty.Response) bool {
	return q.apiToken != "" && res != nil && res.RawResponse != nil && res.IsSuccess() && res.Header().Get(headerSession) != ""
}

// plainCause drops the URL that net/http puts in front of an error, since ours
// names the path already, and says whose deadline it was that passed.
func plainCause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if strings.Contains(err.Error(), "x509: negative serial number") { // which is no error of a type
		err = fmt.Errorf("%w; this program must be built with //go:debug x509negativeserial=1", err)
	}
	return err
}

// get asks within a session, opening it if need be, and renews a session that
// the array no longer accepts, at most once a reading.
func (c *Client) get(ctx context.Context, r *reading, path string, query url.Values) (*answer, error) {
	if r.halt != nil {
		return nil, fmt.Errorf("%s not asked for after %w", path, r.halt)
	}
	a, err := c.getInSession(ctx, r, path, query)
	if err != nil {
		r.observe(err)
	}
	return a, err
}

func (c *Client) getInSession(ctx context.Context, r *reading, path string, query url.Values) (*answer, error) {
	t, err := c.enter(ctx, r, nil)
	if err != nil {
		return nil, err
	}
	q := request{method: http.MethodGet, path: path, query: query, id: r.id, ticket: t}
	r.requests++
	a, err := c.send(ctx, q)
	if !errors.Is(err, ErrUnauthorized) || r.renewed {
		return a, err
	}
	r.renewed = true
	if q.ticket, err = c.enter(ctx, r, t); err != nil {
		return nil, err
	}
	r.requests++
	return c.send(ctx, q)
}
