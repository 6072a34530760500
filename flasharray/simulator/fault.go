package simulator

import (
	"context"
	"net/http"
	"path"
	"sync"
	"time"
)

// Fault is something that goes wrong. What it does is in the first group of
// fields (several may be combined); which requests it befalls in the second.
// Make one with a constructor such as [Hang] and narrow it with [Fault.On],
// [Fault.After] and [Fault.Times].
type Fault struct {
	Delay          time.Duration // wait before answering
	Late           time.Duration // do what was asked, then wait before answering
	Hang           bool          // never answer: wait for the client to give up
	ExpireSessions bool          // end every session, then answer
	Status         int           // answer with this status and Body in place of the array's own
	Header         http.Header   // further headers of that answer
	Body           string        // its body
	Garble         bool          // the array's own status, but Body in place of its JSON
	Cut            bool          // half of the body, then a closed connection
	Null           []string      // fields of each item made null: "space.total_physical", "space.*"

	Path  string // endpoint it befalls, as path.Match has it: "arrays/space", "volumes*"; "" is any
	Skip  int    // let so many matching requests pass first
	Limit int    // then strike so many; 0 is all
}

// On narrows a fault to one endpoint: "arrays/performance", "login",
// "api_version"; a * matches within one segment of the path.
func (f Fault) On(pattern string) Fault { f.Path = pattern; return f }

// After lets n matching requests pass before the fault strikes.
func (f Fault) After(n int) Fault { f.Skip = n; return f }

// Times ends the fault after n requests have met it.
func (f Fault) Times(n int) Fault { f.Limit = n; return f }

// Latency delays every answer.
func Latency(d time.Duration) Fault { return Fault{Delay: d} }

// Late does what was asked at once and answers after a while: a client that
// gives up on a login has opened a session all the same.
func Late(d time.Duration) Fault { return Fault{Late: d} }

// Hang answers nothing until the client gives up.
func Hang() Fault { return Fault{Hang: true} }

// Expire ends every session when it strikes, so that the request that meets it
// gets 401. Expire().On("volumes").After(1).Times(1) does so between two pages.
func Expire() Fault { return Fault{ExpireSessions: true} }

// Unauthorized answers 401 whatever the session, as when the account is gone.
func Unauthorized() Fault {
	return Fault{Status: http.StatusUnauthorized, Body: `{"errors":[{"context":null,"message":"Invalid session."}]}`}
}

// Forbidden answers 403 in the shape that the official client expects.
func Forbidden() Fault {
	return Fault{Status: http.StatusForbidden, Body: `{"message":"You cannot consume this service"}`}
}

// TooManyRequests answers 429 without any header that says when to come back.
func TooManyRequests() Fault {
	return Fault{Status: http.StatusTooManyRequests, Body: `{"message":"API rate limit exceeded"}`}
}

// RateLimited answers 429 with the gateway's headers and, if retryAfter is not
// empty, with that Retry-After.
func RateLimited(retryAfter string) Fault {
	f := TooManyRequests()
	f.Header = http.Header{
		"X-Ratelimit-Limit-Second": {"10"}, "X-Ratelimit-Remaining-Second": {"0"},
		"X-Ratelimit-Limit-Minute": {"100"}, "X-Ratelimit-Remaining-Minute": {"0"},
	}
	if retryAfter != "" {
		f.Header.Set("Retry-After", retryAfter)
	}
	return f
}

// ServerError answers with a 5xx status: 500 in the array's shape, the others
// in that of a proxy in front of it.
func ServerError(status int) Fault {
	f := Fault{Status: status, Body: "<html><body><h1>" + http.StatusText(status) + "</h1></body></html>"}
	f.Header = http.Header{"Content-Type": {"text/html"}}
	if status == http.StatusInternalServerError {
		f.Body, f.Header = `{"errors":[{"context":null,"message":"Internal error."}]}`, nil
	}
	return f
}

// CutBody sends half of the body and closes the connection.
func CutBody() Fault { return Fault{Cut: true} }

// NotJSON answers 200 with a page where JSON belongs.
func NotJSON() Fault {
	return Fault{Garble: true, Body: "<html><body>Purity is starting</body></html>"}
}

// NullFields makes fields of every item null.
func NullFields(paths ...string) Fault { return Fault{Null: paths} }

// WithoutRights is what a role sees that may not read capacity: 200, with nulls.
func WithoutRights() []Fault {
	return []Fault{
		NullFields("capacity", "console_lock_enabled", "ntp_servers", "parity", "scsi_timeout", "space.*").On("arrays"),
		NullFields("space.*").On("arrays/space"),
	}
}

// SetFaults replaces all faults; with none given, the array is well again. Of
// several that match a request, the first that is due befalls it.
func (a *Array) SetFaults(faults ...Fault) {
	plan := &faultPlan{}
	for _, f := range faults {
		plan.faults = append(plan.faults, &plannedFault{Fault: f})
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = plan
}

func (a *Array) strike(endpoint string) Fault {
	a.mu.Lock()
	plan := a.faults
	a.mu.Unlock()
	return plan.strike(endpoint)
}

type faultPlan struct {
	mu     sync.Mutex
	faults []*plannedFault
}

type plannedFault struct {
	Fault
	seen int
}

func (p *faultPlan) strike(endpoint string) Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.faults {
		if f.matches(endpoint) && f.due() {
			return f.Fault
		}
	}
	return Fault{}
}

func (f *plannedFault) matches(endpoint string) bool {
	if f.Path == "" {
		return true
	}
	hit, err := path.Match(f.Path, endpoint)
	return hit && err == nil
}

// due counts a matching request and says whether the fault befalls it.
func (f *plannedFault) due() bool {
	f.seen++
	return f.seen > f.Skip && (f.Limit == 0 || f.seen <= f.Skip+f.Limit)
}

// wait returns false if there is nothing left to answer.
func (f *Fault) wait(ctx context.Context) bool {
	if f.Hang {
		<-ctx.Done()
		return false
	}
	return pause(ctx, f.Delay)
}

// pause returns false if the client gave up meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// reply is the answer that the fault puts in place of the array's, or nil.
func (f *Fault) reply() *reply {
	if f.Status == 0 {
		return nil
	}
	return &reply{status: f.Status, header: f.Header, raw: []byte(f.Body)}
}

// write sends a reply, spoilt as the fault wants it.
func (f *Fault) write(w http.ResponseWriter, r *reply) {
	if body, isObject := r.body.(object); isObject {
		for _, p := range f.Null {
			setNull(body["items"], p)
		}
	}
	if f.Garble {
		r.raw = []byte(f.Body)
	}
	if !f.Cut {
		r.write(w)
		return
	}
	// net/http closes the connection of a handler that wrote less than it announced.
	text := r.encode()
	r.writeHeader(w, len(text))
	_, _ = w.Write(text[:len(text)/2])
}
