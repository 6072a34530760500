package status

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// stuckAfter is how long the main loop may be silent before /livez fails. It
// turns every few seconds; a minute is a deadlock, not a slow array.
const stuckAfter = time.Minute

// maxLine is how long a line of /readyz may be, in characters.
const maxLine = 1000

// live reports whether the main loop turns; why is for a person. An array or a
// broker that is away never makes it fail: a restart would not bring it back.
func (v View) live() (ok bool, why string) {
	silent := v.Now.Sub(v.Agent.LastTick)
	if silent > stuckAfter {
		return false, fmt.Sprintf("main loop has not turned for %s", silent.Round(time.Second))
	}
	return true, "main loop turns"
}

// check is one line of /readyz.
type check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Reason string `json:"reason,omitempty"`
	// Warning is whether somebody should look at it though nothing has failed
	// yet.
	Warning bool `json:"warning,omitempty"`
}

// ready lists what has to be in order for reports to reach the scheduler: the
// broker, and each backend. A refused configuration is a warning: reports reach
// the scheduler as before, and an agent that is restarted for it does not start.
func (v View) ready() (ok bool, checks []check) {
	ok = true
	checks = append(checks, busCheck(v.Bus))
	for _, b := range v.Backends {
		checks = append(checks, b.ready(v.Now))
	}
	for _, b := range v.Invalid {
		checks = append(checks, check{Name: b.Name, Reason: "not served: " + strings.Join(b.Faults, "; ")})
	}
	if !v.Config.Refused.IsZero() {
		checks = append(checks, check{
			Name: "configuration", OK: true, Warning: true,
			Reason: fmt.Sprintf("a newer one was refused %s, and the one of %s stays: %s", ago(v.Now, v.Config.Refused),
				v.Config.Loaded.UTC().Format(time.RFC3339), strings.Join(v.Config.Faults, "; ")),
		})
	}
	for _, c := range checks {
		ok = ok && c.OK
	}
	return ok, checks
}

func busCheck(b Bus) check {
	c := check{Name: "bus", Reason: b.Reason}
	switch {
	case !b.Connected:
		c.Reason = orElse(b.Reason, "not connected to RabbitMQ")
	case b.Blocked:
		c.Reason = orElse(b.Reason, "RabbitMQ asked publishers to pause")
	case !b.Exchange:
		c.Reason = orElse(b.Reason, "no scheduler is listening, or its exchange does not exist")
	default:
		c.OK = true
	}
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
		c.Reason = orElse(b.Poll.Error, "the array does not answer")
	default:
		c.Reason = b.Overlay.undelivered(now)
	}
	c.OK = c.Reason == ""
	return c
}

// undelivered says why no report reaches the schedulers, "" if reports do. What
// lasts no longer than an interval of cinder-volume is not worth an alarm, unless
// nothing was ever published.
func (o Overlay) undelivered(now time.Time) string {
	lasting := func(since time.Time) bool { return !since.IsZero() && now.Sub(since) > o.Interval }
	switch {
	case o.State == "suspended":
		return orElse(o.Reason, "suspended")
	case o.State == "no_sample":
		return "not publishing: " + orElse(o.Reason, "there is no current sample")
	case o.State == "listening" && (o.PublishedAt.IsZero() || lasting(o.Since)):
		return "waiting for cinder-volume: " + o.Reason
	case o.Failure != "" && (o.PublishedAt.IsZero() || lasting(o.FailingSince)):
		return "reports are not accepted: " + o.Failure
	}
	return ""
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func (s *Server) livez(w http.ResponseWriter, _ *http.Request) {
	ok, why := s.source.View().live()
	writeText(w, ok, why+"\n")
}

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	ok, checks := s.source.View().ready()
	var text strings.Builder
	for _, c := range checks {
		line := fmt.Sprintf("[+] %s ok", c.Name)
		switch {
		case c.Warning:
			line = fmt.Sprintf("[!] %s: %s", c.Name, c.Reason)
		case !c.OK:
			line = fmt.Sprintf("[-] %s: %s", c.Name, c.Reason)
		}
		text.WriteString(capability.Shorten(capability.Printable(line), maxLine) + "\n")
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
