package flasharray

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// logoutPatience bounds the logout of a session that the array has disowned
// already, on the way to a new one.
const logoutPatience = 2 * time.Second

const (
	pathLogin  = "login"
	pathLogout = "logout"
)

// ticket is an open session. It is never changed, only replaced.
type ticket struct {
	token   string
	version version
}

// session holds the one session that a client has with its array.
type session struct {
	turn    chan struct{} // full while somebody logs in or out
	current atomic.Pointer[ticket]
	pending *login // sent, and not waited for any more; guarded by turn
	closing sync.Once
	closed  chan struct{}
}

func newSession() *session {
	return &session{turn: make(chan struct{}, 1), closed: make(chan struct{})}
}

func (s *session) take(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *session) give() { <-s.turn }

// close refuses logins from now on. A login in flight goes on.
func (s *session) close() { s.closing.Do(func() { close(s.closed) }) }

func (s *session) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// login is a login request. It may take longer than the reading that sent it:
// if it were cancelled, the array would open a session that nobody knows.
type login struct {
	request
	version version
	token   string        // the API token
	done    chan struct{} // closed when the request has ended
	ticket  *ticket       // set before done is closed, if the login succeeded
	err     error         // set before done is closed, if the login failed
}

// lost reports whether the login has ended without a session for a reason that
// a new login may not meet again.
func (l *login) lost() bool {
	select {
	case <-l.done:
		return l.err != nil && !errors.Is(l.err, ErrTokenRefused)
	default:
		return false
	}
}

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
	if c.session.isClosed() {
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
	c.counters.sessionEnded()
}

func (c *Client) logout(ctx context.Context, r *reading, t *ticket) error {
	_, err := c.send(ctx, request{method: http.MethodPost, path: pathLogout, id: r.id, ticket: t})
	return err
}

// open returns the session of a login that an earlier reading sent, or logs in.
func (c *Client) open(ctx context.Context, r *reading) (*ticket, error) {
	l := c.session.pending
	if l == nil || l.lost() {
		c.session.pending = nil
		var err error
		if l, err = c.begin(ctx, r); err != nil {
			return nil, err
		}
	}
	t, err := c.await(ctx, l)
	if !errors.Is(err, ErrTokenRefused) || c.tokenRefused == nil {
		return t, err
	}
	c.tokenRefused()
	next, tokenErr := c.readToken(ctx)
	if tokenErr != nil || next == l.token {
		return nil, errors.Join(err, tokenErr)
	}
	return c.await(ctx, c.sendLogin(ctx, r, l.version, next))
}

// begin agrees on a version and sends a login. The version is asked for every
// time: an upgrade of the array ends its sessions.
func (c *Client) begin(ctx context.Context, r *reading) (*login, error) {
	v, err := c.negotiate(ctx, r)
	if err != nil {
		return nil, err
	}
	token, err := c.readToken(ctx)
	if err != nil {
		return nil, err
	}
	return c.sendLogin(ctx, r, v, token), nil
}

func (c *Client) readToken(ctx context.Context) (string, error) {
	token, err := c.token(ctx)
	if err != nil {
		return "", fmt.Errorf("get the API token: %w", err)
	}
	if token = strings.TrimSpace(token); token == "" {
		return "", errors.New("get the API token: it is empty")
	}
	if c.session.isClosed() {
		return "", ErrClosed
	}
	return token, nil
}

// sendLogin sends a login, which goes on when the context ends: loginTimeout
// alone bounds it.
func (c *Client) sendLogin(ctx context.Context, r *reading, v version, token string) *login {
	l := &login{
		request: request{
			method: http.MethodPost, path: pathLogin, id: r.id, apiToken: token,
			ticket: &ticket{version: v}, timeout: c.loginTimeout,
		},
		version: v, token: token, done: make(chan struct{}),
	}
	go func() {
		defer close(l.done)
		l.ticket, l.err = c.login(context.WithoutCancel(ctx), l.request)
	}()
	return l
}

func (c *Client) login(ctx context.Context, q request) (*ticket, error) {
	var sent atomic.Bool
	a, err := c.send(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(info httptrace.WroteRequestInfo) { sent.Store(info.Err == nil) },
	}), q)
	if refuses(err) {
		return nil, fmt.Errorf("%w: %w", ErrTokenRefused, err)
	}
	if err != nil {
		if unanswered := (*RequestError)(nil); sent.Load() && errors.As(err, &unanswered) {
			c.counters.sessionLost()
		}
		return nil, err
	}
	t := &ticket{token: a.header.Get(headerSession), version: q.ticket.version}
	if t.token == "" {
		return nil, q.wrap(errors.New("the answer holds no session token; is this a FlashArray?"))
	}
	c.counters.login()
	return t, nil
}

// await waits for a login as long as for any other request. A login that takes
// longer is left to the next reading, or to Close.
func (c *Client) await(ctx context.Context, l *login) (*ticket, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, c.late)
	defer cancel()
	c.session.pending = l
	select {
	case <-l.done:
		c.session.pending = nil
		return l.ticket, l.err
	case <-c.session.closed:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, l.wrap(context.Cause(ctx))
	}
}

// refuses: which status a wrong token gets is not documented, so any that
// blames the caller counts.
func refuses(err error) bool {
	return hasStatus(err, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden)
}

// shut ends the session for good, that of a login in flight too. It returns
// when the context ends; the logout goes on within its own bounds.
func (c *Client) shut(ctx context.Context) error {
	c.session.close()
	done := make(chan error, 1)
	go func() { done <- c.end(context.WithoutCancel(ctx)) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("log out: %w", context.Cause(ctx))
	}
}

// end logs out of the session, or of that of a login in flight.
func (c *Client) end(ctx context.Context) error {
	defer c.disconnect()
	if err := c.session.take(ctx); err != nil {
		return fmt.Errorf("wait for the session: %w", err)
	}
	defer c.session.give()
	t := c.session.current.Swap(nil)
	if l := c.session.pending; l != nil {
		<-l.done
		c.session.pending, t = nil, l.ticket
	}
	if t == nil {
		return nil
	}
	if err := c.logout(ctx, newReading(), t); err != nil && !errors.Is(err, ErrUnauthorized) {
		c.counters.sessionLost()
		return fmt.Errorf("log out: %w", err)
	}
	c.counters.sessionEnded()
	return nil
}
