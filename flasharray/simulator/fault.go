package simulator

import (
	"context"
	"net/http"
	"path"
	"time"
)

// Fault is a fault of an array. The first group of fields is its effect (several
// may be combined), the second the requests that it applies to. Make one with a
// constructor such as [Hang] and restrict it with [Fault.On], [Fault.After] and
// [Fault.Times].
type Fault struct {
	Delay          time.Duration // wait before the response
	Late           time.Duration // process the request, then wait before the response
	Hang           bool          // no response: wait until the client closes
	ExpireSessions bool          // end every session, then respond
	Status         int           // respond with this status and Body instead of the array's own
	Header         http.Header   // further headers of that response
	Body           string        // its body
	Garble         bool          // the array's own status, but Body instead of its JSON
	Cut            bool          // half of the body, then a closed connection
	Null           []string      // fields of each item made null: "space.total_physical", "space.*"

	Path  string // endpoint, a pattern of path.Match: "arrays/space", "volumes*"; "" is any
	Skip  int    // number of matching requests without the fault at first
	Limit int    // number of requests with the fault after that; 0 is all
}

// On restricts a fault to one endpoint: "arrays/performance", "login",
// "api_version"; a * matches within one segment of the path.
func (f Fault) On(pattern string) Fault { f.Path = pattern; return f }

// After makes the fault begin after n matching requests.
func (f Fault) After(n int) Fault { f.Skip = n; return f }

// Times ends the fault after n requests.
func (f Fault) Times(n int) Fault { f.Limit = n; return f }

// Latency delays every response.
func Latency(d time.Duration) Fault { return Fault{Delay: d} }

// Late processes the request at once and responds after d: a login opens a
// session even if the client does not wait for the response.
func Late(d time.Duration) Fault { return Fault{Late: d} }

// Hang sends no response until the client closes the connection.
func Hang() Fault { return Fault{Hang: true} }

// Expire ends every session, so that the request gets 401.
// Expire().On("volumes").After(1).Times(1) does so between two pages.
func Expire() Fault { return Fault{ExpireSessions: true} }

// Unauthorized returns 401 whatever the session, as when the account was removed.
func Unauthorized() Fault {
	return Fault{Status: http.StatusUnauthorized, Body: `{"errors":[{"context":null,"message":"Invalid session."}]}`}
}

// Forbidden returns 403 in the form that the official client expects.
func Forbidden() Fault {
	return Fault{Status: http.StatusForbidden, Body: `{"message":"You cannot consume this service"}`}
}

// TooManyRequests returns 429 without any header that says when to retry.
func TooManyRequests() Fault {
	return Fault{Status: http.StatusTooManyRequests, Body: `{"message":"API rate limit exceeded"}`}
}

// RateLimited returns 429 with the gateway's headers and, if retryAfter is not
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

// ServerError returns a 5xx status: 500 in the array's form, the others in that
// of a proxy.
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

// NotJSON returns 200 with an HTML page instead of JSON.
func NotJSON() Fault {
	return Fault{Garble: true, Body: "<html><body>Purity is starting</body></html>"}
}

// NullFields makes fields of every item null.
func NullFields(paths ...string) Fault { return Fault{Null: paths} }

// WithoutRights are the responses for a role that may not read capacity: 200,
// with nulls.
func WithoutRights() []Fault {
	return []Fault{
		NullFields("capacity", "console_lock_enabled", "ntp_servers", "parity", "scsi_timeout", "space.*").On("arrays"),
		NullFields("space.*").On("arrays/space"),
	}
}

// SetFaults replaces all faults; without arguments there are none. Of several
// that match a request, the first that is due applies.
func (a *Array) SetFaults(faults ...Fault) {
	planned := make([]*plannedFault, len(faults))
	for i, f := range faults {
		planned[i] = &plannedFault{Fault: f}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = planned
}

// dueFault is the fault that applies to a request, or one without effect.
func (a *Array) dueFault(endpoint string) Fault {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range a.faults {
		if f.matches(endpoint) && f.due() {
			return f.Fault
		}
	}
	return Fault{}
}

type plannedFault struct {
	Fault
	seen int
}

func (f *plannedFault) matches(endpoint string) bool {
	if f.Path == "" {
		return true
	}
	hit, err := path.Match(f.Path, endpoint)
	return hit && err == nil
}

// due counts a matching request and reports whether the fault applies to it.
func (f *plannedFault) due() bool {
	f.seen++
	return f.seen > f.Skip && (f.Limit == 0 || f.seen <= f.Skip+f.Limit)
}

// wait returns false if no response is to be sent.
func (f *Fault) wait(ctx context.Context) bool {
	if f.Hang {
		<-ctx.Done()
		return false
	}
	return pause(ctx, f.Delay)
}

// pause returns false if the client has closed the connection.
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

// response is the response of the fault instead of the array's, or nil.
func (f *Fault) response() *response {
	if f.Status == 0 {
		return nil
	}
	return &response{status: f.Status, header: f.Header, raw: []byte(f.Body)}
}

// write sends a response with the changes of the fault.
func (f *Fault) write(w http.ResponseWriter, r *response) {
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
