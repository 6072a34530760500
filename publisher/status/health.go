package status

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability/format"
)

// stuckAfter is the time without a tick of the main loop after which /livez fails.
// There is a tick every few seconds; a minute is a deadlock, not a slow array.
const stuckAfter = time.Minute

// maxLine is how long a line of /readyz may be, in characters.
const maxLine = 1000

// live reports whether the main loop runs; why is for a person. It does not depend
// on arrays and the broker, for which a restart would not help.
func (v View) live() (ok bool, why string) {
	if stuck := v.Now.Sub(v.Agent.LastTick); stuck > stuckAfter {
		return false, fmt.Sprintf("main loop has not run for %s", stuck.Round(time.Second))
	}
	return true, "main loop is running"
}

// check is one line of /readyz.
type check struct {
	Name    string
	OK      bool
	Reason  string
	Faults  []string // the parts of the reason, one for each fault
	Warning bool     // it has not failed yet, and needs attention
	Next    step     // what to do
	Link    *link    // where the page has more; nil for nowhere
}

// text is the reason with its parts, in one line.
func (c check) text() string {
	if len(c.Faults) == 0 {
		return c.Reason
	}
	return c.Reason + ": " + strings.Join(c.Faults, "; ")
}

// ready returns the checks that must pass for reports to reach the schedulers: of
// the broker and of each backend. A refused configuration is a warning: reports
// reach the schedulers as before, but a restarted agent would not start.
func (v View) ready() (ok bool, checks []check) {
	ok = true
	checks = append(checks, busCheck(v.Bus))
	for _, b := range v.Backends {
		checks = append(checks, b.ready(v.Now))
	}
	for _, b := range v.Invalid {
		checks = append(checks, check{
			Name: b.Name, Reason: "not served", Faults: b.Faults,
			Next: step{"poolcast check --no-bus", "reads the files now; correct the section, and they are read again"},
		})
	}
	if !v.Config.Refused.IsZero() {
		checks = append(checks, configCheck(v.Config, v.Now))
	}
	checks = append(checks, v.Failures.checks(v.Now)...)
	for _, c := range checks {
		ok = ok && c.OK
	}
	return ok, checks
}

func busCheck(b Bus) check {
	c := check{Name: "bus", Reason: b.Reason}
	switch {
	case !b.Connected:
		c.Reason = cmp.Or(b.Reason, "not connected to RabbitMQ")
	case b.Blocked:
		c.Reason = cmp.Or(b.Reason, "RabbitMQ has blocked publishers")
	case !b.Exchange:
		c.Reason = cmp.Or(b.Reason, "no scheduler is listening, or its exchange does not exist")
	default:
		c.OK = true
		return c
	}
	c.Next = b.next()
	return c
}

// ready checks whether the reports of a backend reach the schedulers. A standby
// agent is ready: another one publishes.
func (b Backend) ready(now time.Time) check {
	c := check{Name: b.Name}
	switch {
	case b.Report == nil && b.Poll.Polls == 0:
		c.Reason = "not polled yet"
	case !b.Poll.Up:
		c.Reason = cmp.Or(b.Poll.Error, "the last poll failed")
	default:
		c.Reason = b.Overlay.undelivered(now)
	}
	if c.OK = c.Reason == ""; !c.OK {
		c.Next = b.next()
	}
	return c
}

// undelivered returns why no report reaches the schedulers, "" if reports do. What
// lasts no longer than an interval of cinder-volume does not count, unless nothing
// was ever published.
func (o Overlay) undelivered(now time.Time) string {
	isLong := func(since time.Time) bool { return !since.IsZero() && now.Sub(since) > o.Interval }
	switch {
	case o.State == "suspended":
		return cmp.Or(o.Reason, "suspended")
	case o.State == "no_sample":
		return "not publishing: " + cmp.Or(o.Reason, "there is no current sample")
	case o.State == "listening" && (o.PublishedAt.IsZero() || isLong(o.Since)):
		return "waiting for cinder-volume: " + o.Reason
	case o.Failure != "" && (o.PublishedAt.IsZero() || isLong(o.FailingSince)):
		return "reports are not accepted: " + o.Failure
	}
	return ""
}

func (s *Server) livez(w http.ResponseWriter, _ *http.Request) {
	ok, why := s.opts.Source.View().live()
	writeText(w, ok, why+"\n")
}

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	ok, checks := s.opts.Source.View().ready()
	var text strings.Builder
	for _, c := range checks {
		line := fmt.Sprintf("[+] %s ok", c.Name)
		switch {
		case c.Warning:
			line = fmt.Sprintf("[!] %s: %s", c.Name, c.text())
		case !c.OK:
			line = fmt.Sprintf("[-] %s: %s", c.Name, c.text())
		}
		text.WriteString(format.Shorten(format.Printable(line), maxLine) + "\n")
	}
	writeText(w, ok, text.String())
}

func writeText(w http.ResponseWriter, ok bool, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if !ok {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = io.WriteString(w, text)
}
