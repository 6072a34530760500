package flasharray

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"sync"
	"time"

	"github.com/go-resty/resty/v2"
)

// Client is a REST client of one array. Its methods may be called from any
// goroutine; samples are taken one after the other. It must be closed, or its
// session stays open on the array until it expires there.
type Client struct {
	host             string
	http             *resty.Client
	timeout          time.Duration
	loginTimeout     time.Duration
	closeAfterSample bool  // closes the connection
	errTimeout       error // the cause of a request's end when timeout has passed
	token            func(context.Context) (string, error)
	tokenRefused     func()

	sessions *sessionStore
	counters *counters
	sampling chan struct{} // full while a sample is taken, which uses what follows
	cache    *cache
	rotation *rotation // nil before the first sample
}

// New checks the options and returns a client. It reads CAPath, but sends
// nothing: the first request logs in.
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
		host: host, timeout: o.Timeout, loginTimeout: max(loginTimeout, o.Timeout), closeAfterSample: o.IdleTimeout < 0,
		errTimeout: timeoutError(o.Timeout),
		token:      o.Token, tokenRefused: o.TokenRefused,
		http:     newHTTP(host, newTransport(o, config), o.UserAgent),
		sessions: newSessionStore(), counters: &counters{},
		sampling: make(chan struct{}, 1), cache: newCache(nil),
	}, nil
}

// Get returns the JSON of the response to a GET of a path within the negotiated
// version, such as "arrays/space", or from the root, such as
// "/api/api_version". It opens and renews the session as [Client.Sample] does.
// Errors are *[APIError] and *[RequestError].
func (c *Client) Get(ctx context.Context, path string, query url.Values) (json.RawMessage, error) {
	res, err := c.get(ctx, newBatch(), path, query)
	if err != nil {
		return nil, err
	}
	var raw json.RawMessage
	if err := json.Unmarshal(res.body, &raw); err != nil {
		return nil, res.wrap(fmt.Errorf("response is not JSON: %w", err))
	}
	return raw, nil
}

// Close logs out and closes the connection. A sample in progress fails. If a
// login is in flight, Close waits for its response and logs out of its session.
// The context bounds the wait; pass one that is not cancelled already. When it
// ends first, Close returns an error, and the logout continues within the
// timeouts of the client.
func (c *Client) Close(ctx context.Context) error {
	c.sessions.close()
	done := make(chan error, 1)
	go func() { done <- c.logout(context.WithoutCancel(ctx)) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("log out: %w", context.Cause(ctx))
	}
}

func (c *Client) disconnect() { c.http.GetClient().CloseIdleConnections() }

// String names the array and nothing else, so that no token is ever printed
// with a client.
func (c *Client) String() string { return "FlashArray at " + c.host }

// GoString is String, for %#v.
func (c *Client) GoString() string { return c.String() }

// Counters count the requests and sessions of a client.
type Counters struct {
	// Requests by HTTP status; under 0 those without a complete response.
	Requests map[int]uint64
	// Sessions that are open: 1, or 0 before the first login and after Close.
	Sessions int
	// SessionsLost are logins that were sent and got no response, and logouts
	// that failed. Each may have left a session that is open until it expires
	// on the array.
	SessionsLost uint64
}

type counters struct {
	mu sync.Mutex
	Counters
}

func (c *counters) addRequest(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Requests == nil {
		c.Requests = map[int]uint64{}
	}
	c.Requests[status]++
}

func (c *counters) addSessions(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Sessions += n
}

func (c *counters) addSessionLost() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.SessionsLost++
}

// Counters returns the current counters. It may be called from any goroutine.
func (c *Client) Counters() Counters {
	c.counters.mu.Lock()
	defer c.counters.mu.Unlock()
	now := c.counters.Counters
	now.Requests = maps.Clone(now.Requests)
	return now
}
