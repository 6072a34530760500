package flasharray

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// logoutTimeout bounds the logout of a session that the array has refused,
// before a new login.
const logoutTimeout = 2 * time.Second

const (
	pathLogin  = "login"
	pathLogout = "logout"
)

// session is an open session. It is never changed, only replaced.
type session struct {
	token   string
	version version
}

// sessionStore holds the one session that a client has with its array.
type sessionStore struct {
	lock    chan struct{} // full during a login or logout
	current atomic.Pointer[session]
	pending *pendingLogin // sent, and not waited for any more; guarded by lock
	closing sync.Once
	closed  chan struct{}
}

func newSessionStore() *sessionStore {
	return &sessionStore{lock: make(chan struct{}, 1), closed: make(chan struct{})}
}

// acquire takes the lock, unless ctx ends first.
func (s *sessionStore) acquire(ctx context.Context) error {
	select {
	case s.lock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the session: %w", context.Cause(ctx))
	}
}

func (s *sessionStore) release() { <-s.lock }

// close refuses logins from now on. A login in flight continues.
func (s *sessionStore) close() { s.closing.Do(func() { close(s.closed) }) }

func (s *sessionStore) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// usable returns the open session, unless it is the one that was refused.
func (s *sessionStore) usable(refused *session) *session {
	if t := s.current.Load(); t != refused {
		return t
	}
	return nil
}

// pendingLogin is a login request. It may take longer than the sample that sent
// it: if it were cancelled, the array might open a session that no client uses.
type pendingLogin struct {
	request
	done   chan struct{} // closed when the request has ended
	opened *session      // set before done is closed, if the login succeeded
	err    error         // set before done is closed, if the login failed
}

// failed reports whether the login has ended without a session for a reason
// that a new login may not have.
func (l *pendingLogin) failed() bool {
	select {
	case <-l.done:
		return l.err != nil && !errors.Is(l.err, ErrTokenRefused)
	default:
		return false
	}
}

// openSession returns the open session, or logs in. Pass the session that the
// array refused, and a new one is opened unless another goroutine has done so:
// of many goroutines with the same refused session one logs in.
func (c *Client) openSession(ctx context.Context, b *batch, refused *session) (*session, error) {
	if s := c.sessions.usable(refused); s != nil {
		return s, nil
	}
	if err := c.sessions.acquire(ctx); err != nil {
		return nil, err
	}
	defer c.sessions.release()
	if c.sessions.isClosed() {
		return nil, ErrClosed
	}
	if s := c.sessions.usable(refused); s != nil {
		return s, nil
	}
	c.sessions.current.Store(nil)
	if refused != nil {
		// The session may still be open, if the 401 came from a proxy, and
		// arrays allow few sessions. Most probably the array has ended it.
		ctx, cancel := context.WithTimeout(ctx, logoutTimeout)
		_ = c.sendLogout(ctx, b, refused)
		cancel()
		c.counters.addSessions(-1)
	}
	s, err := c.login(ctx, b)
	if err != nil {
		return nil, err
	}
	c.sessions.current.Store(s)
	return s, nil
}

// login returns the session of a login that an earlier sample sent, or sends one.
func (c *Client) login(ctx context.Context, b *batch) (*session, error) {
	l := c.sessions.pending
	if l == nil || l.failed() {
		c.sessions.pending = nil
		v, err := c.negotiate(ctx, b) // each time: an upgrade of the array ends its sessions
		if err != nil {
			return nil, err
		}
		token, err := c.readToken(ctx)
		if err != nil {
			return nil, err
		}
		l = c.sendLogin(ctx, b, v, token)
	}
	s, err := c.awaitLogin(ctx, l)
	if !errors.Is(err, ErrTokenRefused) || c.tokenRefused == nil {
		return s, err
	}
	c.tokenRefused()
	next, tokenErr := c.readToken(ctx)
	if tokenErr != nil || next == l.apiToken {
		return nil, errors.Join(err, tokenErr)
	}
	return c.awaitLogin(ctx, c.sendLogin(ctx, b, l.session.version, next))
}

func (c *Client) readToken(ctx context.Context) (string, error) {
	token, err := c.token(ctx)
	if err != nil {
		return "", fmt.Errorf("get the API token: %w", err)
	}
	if token = strings.TrimSpace(token); token == "" {
		return "", errors.New("get the API token: it is empty")
	}
	if c.sessions.isClosed() {
		return "", ErrClosed
	}
	return token, nil
}

// sendLogin sends a login, which continues when the context ends: loginTimeout
// alone bounds it.
func (c *Client) sendLogin(ctx context.Context, b *batch, v version, token string) *pendingLogin {
	l := &pendingLogin{
		request: request{
			method: http.MethodPost, path: pathLogin, id: b.id, apiToken: token,
			session: &session{version: v}, timeout: c.loginTimeout,
		},
		done: make(chan struct{}),
	}
	go func() {
		defer close(l.done)
		l.opened, l.err = c.requestSession(context.WithoutCancel(ctx), l.request)
	}()
	return l
}

func (c *Client) requestSession(ctx context.Context, q request) (*session, error) {
	var sent atomic.Bool
	res, err := c.send(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(info httptrace.WroteRequestInfo) { sent.Store(info.Err == nil) },
	}), q)
	// The status for a wrong token is not documented: any that blames the client counts.
	if hasStatus(err, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden) {
		return nil, fmt.Errorf("%w: %w", ErrTokenRefused, err)
	}
	if err != nil {
		if _, unanswered := errors.AsType[*RequestError](err); unanswered && sent.Load() {
			c.counters.addSessionLost()
		}
		return nil, err
	}
	s := &session{token: res.header.Get(headerSession), version: q.session.version}
	if s.token == "" {
		return nil, q.wrap(errors.New("the response has no session token; is this a FlashArray?"))
	}
	c.counters.addSessions(1)
	return s, nil
}

// awaitLogin waits for a login no longer than for any other request. A login
// that takes longer is left to the next sample, or to Close.
func (c *Client) awaitLogin(ctx context.Context, l *pendingLogin) (*session, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, c.errTimeout)
	defer cancel()
	c.sessions.pending = l
	select {
	case <-l.done:
		c.sessions.pending = nil
		return l.opened, l.err
	case <-c.sessions.closed:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, l.wrap(context.Cause(ctx))
	}
}

func (c *Client) sendLogout(ctx context.Context, b *batch, s *session) error {
	_, err := c.send(ctx, request{method: http.MethodPost, path: pathLogout, id: b.id, session: s})
	return err
}

// logout ends the session, or that of a login in flight, and disconnects.
func (c *Client) logout(ctx context.Context) error {
	defer c.disconnect()
	if err := c.sessions.acquire(ctx); err != nil {
		return err
	}
	defer c.sessions.release()
	s := c.sessions.current.Swap(nil)
	if l := c.sessions.pending; l != nil {
		<-l.done
		c.sessions.pending, s = nil, l.opened
	}
	if s == nil {
		return nil
	}
	if err := c.sendLogout(ctx, newBatch(), s); err != nil && !errors.Is(err, ErrUnauthorized) {
		c.counters.addSessionLost()
		return fmt.Errorf("log out: %w", err)
	}
	c.counters.addSessions(-1)
	return nil
}

// The REST versions that this client supports. The oldest is the one that
// introduced array-connections, which is also the oldest that Cinder's driver
// accepts; the newest is the last whose specification the client was checked
// against. With a newer array the newest common version is used.
const (
	OldestVersion = "2.4"
	NewestVersion = "2.56"
)

// version is a REST version; versions are compared by number, 2.9 < 2.10.
type version struct{ major, minor int }

func (v version) String() string { return fmt.Sprintf("%d.%d", v.major, v.minor) }

func compareVersions(v, w version) int {
	return cmp.Or(cmp.Compare(v.major, w.major), cmp.Compare(v.minor, w.minor))
}

func (v version) atLeast(w version) bool { return compareVersions(v, w) >= 0 }

// parseVersion accepts two numbers only, not 2.DEV for instance.
func parseVersion(s string) (version, bool) {
	major, minor, _ := strings.Cut(s, ".")
	a, err1 := strconv.ParseUint(major, 10, 16)
	b, err2 := strconv.ParseUint(minor, 10, 16)
	return version{int(a), int(b)}, err1 == nil && err2 == nil
}

// chooseVersion returns the newest version of the array's list within our range.
// The list is sorted here because its order is not documented.
func chooseVersion(offered []string) (version, error) {
	oldest, _ := parseVersion(OldestVersion)
	newest, _ := parseVersion(NewestVersion)
	var versions []version
	for _, s := range offered {
		if v, ok := parseVersion(s); ok {
			versions = append(versions, v)
		}
	}
	if len(versions) == 0 {
		return version{}, fmt.Errorf("%w: the array offers none", ErrUnsupportedVersion)
	}
	slices.SortFunc(versions, compareVersions)
	for _, v := range slices.Backward(versions) {
		if v.atLeast(oldest) && newest.atLeast(v) {
			return v, nil
		}
	}
	return version{}, fmt.Errorf("%w: the array offers %s to %s, this client supports %s to %s",
		ErrUnsupportedVersion, versions[0], versions[len(versions)-1], oldest, newest)
}

// negotiate reads the versions that the array offers. This needs no session.
func (c *Client) negotiate(ctx context.Context, b *batch) (version, error) {
	q := request{method: http.MethodGet, path: "/api/api_version", id: b.id}
	res, err := c.send(ctx, q)
	if err != nil {
		return version{}, err
	}
	var warnings []error
	o, err := parseBody(res.body, "api_version", &warnings)
	if err != nil {
		return version{}, q.wrap(err)
	}
	offered := o.texts("version")
	if len(offered) == 0 {
		return version{}, q.wrap(errors.New("the response lists no version; is this a FlashArray?"))
	}
	return chooseVersion(offered)
}
