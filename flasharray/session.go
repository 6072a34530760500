package flasharray

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// logoutPatience bounds the logout of a session that the array has disowned
// already, on the way to a new one.
const logoutPatience = 2 * time.Second

const pathLogout = "logout"

// ticket is an open session. It is never changed, only replaced.
type ticket struct {
	token   string
	version version
}

// session holds the one session that a client has with its array.
type session struct {
	turn    chan struct{} // full while somebody logs in or out
	current atomic.Pointer[ticket]
	closed  bool // guarded by turn
}

func newSession() *session { return &session{turn: make(chan struct{}, 1)} }

func (s *session) take(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *session) give() { <-s.turn }

// enter returns the open session, or opens one. Pass the ticket that the array
// refused, and a new session is opened unless somebody else has done so
// meanwhile: of many goroutines with the same refused ticket one logs in.
func (c *Client) enter(ctx context.Context, r *reading, refused *ticket) (*ticket, error) {
	if t := c.session.current.Load(); t != nil && t != refused {
		return t, nil
	}
	if err := c.session.take(ctx); err != nil {
		return nil, fmt.Errorf("wait for the session: %w", err)
	}
	defer c.session.give()
	if c.session.closed {
		return nil, ErrClosed
	}
	if t := c.session.current.Load(); t != nil && t != refused {
		return t, nil
	}
	c.session.current.Store(nil)
	if refused != nil {
		c.leave(ctx, r, refused)
	}
	t, err := c.open(ctx, r)
	if err != nil {
		return nil, err
	}
	c.session.current.Store(t)
	return t, nil
}

// leave logs a disowned session out. It may be alive still, if the 401 came
// from something in front of the array, and arrays keep few sessions.
func (c *Client) leave(ctx context.Context, r *reading, t *ticket) {
	ctx, cancel := context.WithTimeout(ctx, logoutPatience)
	defer cancel()
	_ = c.logout(ctx, r, t) // most probably the array does not know it any more
}

func (c *Client) logout(ctx context.Context, r *reading, t *ticket) error {
	_, err := c.send(ctx, request{method: http.MethodPost, path: pathLogout, id: r.id, ticket: t})
	return err
}

// open agrees on a version and logs in. The version is asked for every time:
// an upgrade of the array ends its sessions.
func (c *Client) open(ctx context.Context, r *reading) (*ticket, error) {
	v, err := c.negotiate(ctx, r)
	if err != nil {
		return nil, err
	}
	token, err := c.readToken(ctx)
	if err != nil {
		return nil, err
	}
	t, err := c.login(ctx, r, v, token)
	if !errors.Is(err, ErrTokenRefused) || c.tokenRefused == nil {
		return t, err
	}
	c.tokenRefused()
	next, tokenErr := c.readToken(ctx)
	if tokenErr != nil || next == token {
		return nil, errors.Join(err, tokenErr)
	}
	return c.login(ctx, r, v, next)
}

func (c *Client) readToken(ctx context.Context) (string, error) {
	token, err := c.token(ctx)
	if err != nil {
		return "", fmt.Errorf("get the API token: %w", err)
	}
	if token = strings.TrimSpace(token); token == "" {
		return "", errors.New("get the API token: it is empty")
	}
	return token, nil
}

func (c *Client) login(ctx context.Context, r *reading, v version, token string) (*ticket, error) {
	q := request{method: http.MethodPost, path: "login", id: r.id, apiToken: token, ticket: &ticket{version: v}}
	a, err := c.send(ctx, q)
	if refuses(err) {
		return nil, fmt.Errorf("%w: %w", ErrTokenRefused, err)
	}
	if err != nil {
		return nil, err
	}
	c.counters.login()
	t := &ticket{token: a.header.Get(headerSession), version: v}
	if t.token == "" {
		return nil, q.wrap(errors.New("the answer holds no session token; is this a FlashArray?"))
	}
	return t, nil
}

// refuses: which status a wrong token gets is not documented, so any that
// blames the caller counts.
func refuses(err error) bool {
	return hasStatus(err, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden)
}

// shut ends the session for good.
func (c *Client) shut(ctx context.Context) error {
	if err := c.session.take(ctx); err != nil {
		return fmt.Errorf("wait for the session: %w", err)
	}
	defer c.session.give()
	c.session.closed = true
	t := c.session.current.Swap(nil)
	if t == nil {
		return nil
	}
	if err := c.logout(ctx, newReading(), t); err != nil && !errors.Is(err, ErrUnauthorized) {
		return fmt.Errorf("log out: %w", err)
	}
	return nil
}
