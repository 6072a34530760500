package flasharray

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/go-resty/resty/v2"
)

// Client speaks to one array. Any goroutine may call its methods; readings are
// taken one after the other. It must be closed, or its session stays open on
// the array until it expires there.
type Client struct {
	host         string
	http         *resty.Client
	timeout      time.Duration
	loginTimeout time.Duration
	hangUp       bool  // after each reading
	late         error // the cause of a request's end when timeout has passed
	token        func(context.Context) (string, error)
	tokenRefused func()

	session  *session
	counters *counters
	sampling chan struct{} // full while a reading is taken, which owns memory
	memory   *memory
}

// New checks the options and returns a client. It reads CAPath, and speaks to
// nobody: the first request logs in.
func New(o Options) (*Client, error) {
	host, err := hostPort(o.Address)
	if err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("array %s: %w", host, err)
	}
	o = o.withDefaults()
	config, err := tlsConfig(o)
	if err != nil {
		return nil, fmt.Errorf("array %s: %w", host, err)
	}
	return &Client{
		host: host, timeout: o.Timeout, loginTimeout: o.LoginTimeout, hangUp: o.IdleTimeout < 0,
		late:  tooLate(o.Timeout),
		token: o.Token, tokenRefused: o.TokenRefused,
		http:    newHTTP(newTransport(o, config), o.UserAgent),
		session: newSession(), counters: &counters{},
		sampling: make(chan struct{}, 1), memory: newMemory(nil),
	}, nil
}

// Get returns the JSON that the array answers to a GET of a path within the
// negotiated version, such as "arrays/space", or from the root, such as
// "/api/api_version". It opens and renews the session as [Client.Sample] does.
// Errors are *[APIError] and *[RequestError].
func (c *Client) Get(ctx context.Context, path string, query url.Values) (json.RawMessage, error) {
	r := newReading()
	a, err := c.get(ctx, r, path, query)
	if err != nil {
		return nil, err
	}
	var raw json.RawMessage
	if err := json.Unmarshal(a.body, &raw); err != nil {
		return nil, a.wrap(fmt.Errorf("answer is not JSON: %w", err))
	}
	return raw, nil
}

// Close logs out and closes the connection. A reading under way fails. A login
// that the array has not answered yet is waited for, and its session is logged
// out. The context bounds the wait; give it one that is not cancelled already.
// When it ends first, Close returns an error, and what it began goes on within
// the bounds of the client.
func (c *Client) Close(ctx context.Context) error {
	return c.shut(ctx)
}

func (c *Client) disconnect() { c.http.GetClient().CloseIdleConnections() }

// String names the array and nothing else, so that no token is ever printed
// with a client.
func (c *Client) String() string { return "FlashArray at " + c.host }

// GoString is String, for %#v.
func (c *Client) GoString() string { return c.String() }
