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

func (s *sessions) accepts(apiToken string) bool {
	return apiToken != "" && (s.tokens == nil || slices.Contains(s.tokens, apiToken))
}

// lock removes the sessions that were idle for too long and returns the function
// that unlocks.
func (s *sessions) lock(now time.Time) (unlock func()) {
	s.mu.Lock()
	for token, open := range s.open {
		if s.idle > 0 && now.Sub(open.used) >= s.idle {
			delete(s.open, token)
		}
	}
	return s.mu.Unlock
}

// use reports whether a session is open, and restarts its idle time.
func (s *sessions) use(token string, now time.Time) bool {
	defer s.lock(now)()
	open, ok := s.open[token]
	if ok {
		open.used = now
	}
	return ok
}

// Sessions is how many sessions are open now.
func (a *Array) Sessions() int {
	defer a.sessions.lock(a.now())()
	return len(a.sessions.open)
}

// Logins is how many logins have succeeded so far.
func (a *Array) Logins() int {
	defer a.sessions.lock(a.now())()
	return a.sessions.logins
}

// ExpireSessions ends every open session now, as a restart of the array's
// management service would. The next request of each gets 401.
func (a *Array) ExpireSessions() {
	defer a.sessions.lock(a.now())()
	clear(a.sessions.open)
}

// SetTokens replaces the api tokens accepted at login; with none given, every
// login is refused. Sessions of other tokens end at once.
func (a *Array) SetTokens(tokens ...string) {
	s := &a.sessions
	defer s.lock(a.now())()
	s.tokens = append([]string{}, tokens...)
	for token, open := range s.open {
		if !s.accepts(open.apiToken) {
			delete(s.open, token)
		}
	}
}

func (a *Array) login(r *http.Request) *response {
	s, apiToken := &a.sessions, r.Header.Get("api-token")
	defer s.lock(a.now())()
	if !s.accepts(apiToken) {
		return failure(http.StatusUnauthorized, "", "Invalid api token.")
	}
	token := randomID()
	s.open[token] = &session{apiToken: apiToken, used: a.now()}
	s.logins++
	res := ok(object{"items": []any{object{"username": a.fixture.Username}}})
	res.header.Set(sessionHeader, token)
	return res
}

func (a *Array) logout(r *http.Request) *response {
	defer a.sessions.lock(a.now())()
	delete(a.sessions.open, r.Header.Get(sessionHeader))
	return &response{status: http.StatusOK}
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
