package simulator

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

const sessionHeader = "X-Auth-Token"

// sessions are the open sessions. A session ends by logout, after the idle time,
// by ExpireSessions, or when its api token is revoked.
type sessions struct {
	idle time.Duration // not positive: never

	mu     sync.Mutex
	tokens []string // nil: any
	open   map[string]*session
	logins int
}

type session struct {
	apiToken string
	used     time.Time
}

func newSessions(tokens []string, idle time.Duration) *sessions {
	return &sessions{idle: idle, tokens: slices.Clone(tokens), open: map[string]*session{}}
}

// login returns a session token, or "" if the api token is not accepted.
func (s *sessions) login(apiToken string, now time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.accepts(apiToken) {
		return ""
	}
	token := randomID()
	s.open[token] = &session{apiToken: apiToken, used: now}
	s.logins++
	return token
}

func (s *sessions) accepts(apiToken string) bool {
	return apiToken != "" && (s.tokens == nil || slices.Contains(s.tokens, apiToken))
}

// use reports whether a session is open, and restarts its idle time.
func (s *sessions) use(token string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
	open, ok := s.open[token]
	if ok {
		open.used = now
	}
	return ok
}

// sweep ends the sessions that were idle for too long.
func (s *sessions) sweep(now time.Time) {
	if s.idle <= 0 {
		return
	}
	for token, open := range s.open {
		if now.Sub(open.used) >= s.idle {
			delete(s.open, token)
		}
	}
}

func (s *sessions) close(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, token)
}

func (s *sessions) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.open)
}

func (s *sessions) count(now time.Time) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
	return len(s.open)
}

// setTokens also ends the sessions of tokens that are no longer accepted.
func (s *sessions) setTokens(tokens []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens = slices.Clone(tokens)
	for token, open := range s.open {
		if !s.accepts(open.apiToken) {
			delete(s.open, token)
		}
	}
}

// Sessions is how many sessions are open now.
func (a *Array) Sessions() int { return a.sessions.count(a.now()) }

// Logins is how many logins have succeeded so far.
func (a *Array) Logins() int {
	a.sessions.mu.Lock()
	defer a.sessions.mu.Unlock()
	return a.sessions.logins
}

// ExpireSessions ends every open session now, as a restart of the array's
// management service would. The next request of each gets 401.
func (a *Array) ExpireSessions() { a.sessions.expire() }

// SetTokens replaces the api tokens accepted at login; with none given, every
// login is refused. Sessions of other tokens end at once.
func (a *Array) SetTokens(tokens ...string) {
	a.sessions.setTokens(append([]string{}, tokens...))
}

func (a *Array) login(r *http.Request) *response {
	token := a.sessions.login(r.Header.Get("api-token"), a.now())
	if token == "" {
		return failure(http.StatusUnauthorized, "", "Invalid api token.")
	}
	res := ok(object{"items": []any{object{"username": a.fixture.Username}}})
	res.header.Set(sessionHeader, token)
	return res
}

// invalidSession has the recorded body of arrays that offer 2.38; for older ones
// it has the form of all other errors.
func (a *Array) invalidSession() *response {
	res := failure(http.StatusUnauthorized, "", "Invalid session.")
	if a.newest >= contextSince {
		res.body = object{"errors": []any{object{
			"message":          "Invalid session.",
			"location_context": object{"id": nil, "name": a.fixture.Name, "resource_type": "remote-arrays"},
		}}}
	}
	return res
}
