package flasharray

import (
	"context"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/poolcast/poolcast/collector/capability"
)

// stub responds to GETs with one body and accepts every login, without a network.
type stub struct {
	body   string
	status int
	only   string // the only path with this body; "" for all
}

// good is a valid response to every request.
const good = `{"items":[{"id":"A","name":"a","version":"6.4.10","model":"m","service":"s","capacity":1000,"time":2051222390000,` +
	`"space":{"total_physical":1},"reads_per_sec":5,"status":"connected","type":"async-replication"}],"total_item_count":7}`

func (s stub) RoundTrip(r *http.Request) (*http.Response, error) {
	response := func(status int, body string) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Request: r, Body: io.NopCloser(strings.NewReader(body)),
			Header: http.Header{headerSession: {"session"}, "Date": {"Mon, 01 Jan 2035 00:00:00 GMT"}, "Retry-After": {s.body}},
		}, nil
	}
	switch {
	case strings.HasSuffix(r.URL.Path, "/api_version"):
		return response(http.StatusOK, `{"version":["2.26"]}`)
	case r.Method == http.MethodPost:
		return response(http.StatusOK, "")
	}
	if s.only != "" && !strings.HasSuffix(r.URL.Path, "/"+s.only) {
		return response(http.StatusOK, good)
	}
	return response(s.status, s.body)
}

func stubbed(t testing.TB, s stub) *Client {
	t.Helper()
	c, err := New(Options{Address: "fa1", Token: StaticToken("token")})
	if err != nil {
		t.Fatal(err)
	}
	c.http.SetTransport(s)
	return c
}

// FuzzSample responds with one body to every request of a sample, which must never
// panic and never return an impossible number.
func FuzzSample(f *testing.F) {
	for _, seed := range bodies() {
		f.Add(http.StatusOK, seed)
		f.Add(http.StatusForbidden, seed)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		c := stubbed(t, stub{body: body, status: status})
		for range 2 {
			stats, err := c.Sample(t.Context())
			if err == nil {
				checkNumbers(t, stats)
			}
		}
	})
}

// FuzzDecode responds with a body to one endpoint while the others are valid: only
// arrays/space can make the sample fail.
func FuzzDecode(f *testing.F) {
	endpoints := []string{
		"arrays/space", "arrays", "controllers", "subscriptions", "arrays/performance",
		"volumes", "volume-snapshots", "hosts", "protection-groups", "array-connections",
		"alerts", "pods", "pod-replica-links/lag",
	}
	for i := range endpoints {
		for _, seed := range bodies() {
			f.Add(uint8(i), seed)
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, body string) {
		path := endpoints[int(i)%len(endpoints)]
		c := stubbed(t, stub{body: body, status: http.StatusOK, only: path})
		stats, err := c.Sample(t.Context())
		for range 6 * (int(i) % len(endpoints) / 10) { // until the parts that are read in turn were read
			if stats, err = c.Sample(t.Context()); err != nil {
				break
			}
		}
		switch {
		case err == nil:
			checkNumbers(t, stats)
		case path != "arrays/space" && !strings.Contains(err.Error(), "in one sample"):
			t.Errorf("%s alone made the sample fail: %v", path, err)
		}
	})
}

func bodies() []string {
	return []string{
		good, `{"items":[{"id":"A","name":7,"capacity":1e3,"space":{"total_physical":-1,"data_reduction":"x"},"time":2051222390000,"_as_of":1,` +
			`"model":"m","type":7,"service":null,"reads_per_sec":1.5}],"total_item_count":null}`,
		`{"items":null}`, `{"items":[null,7,"",[],{}],"errors":[{"message":"m"}]}`, `{}`, `[]`, `<html>`, "", `{"items":[{"time":9e99}]}`,
		`{"message":"no"}`, `{"errors":[{"context":"c","message":"m"},5]}`, `{"items":[{"capacity":1}],"total_item_count":-1}`,
	}
}

func checkNumbers(t *testing.T, stats capability.Sample) {
	t.Helper()
	var ints []*int64
	if s := stats.Space; s != nil {
		ints = append(ints, s.Capacity, s.TotalPhysical, s.TotalUsed, s.TotalProvisioned, s.UsedProvisioned)
		for _, f := range []*float64{s.DataReduction, s.TotalReduction} {
			if f != nil && (math.IsNaN(*f) || math.IsInf(*f, 0) || *f < 0) {
				t.Errorf("a ratio is %g", *f)
			}
		}
	}
	if p := stats.Performance; p != nil {
		ints = append(ints, p.ReadsPerSec, p.WritesPerSec, p.UsecPerRead, p.QueueUsecPerWrite)
		if p.Age < 0 || p.Time.IsZero() {
			t.Errorf("a sample of %s is %s old", p.Time, p.Age)
		}
	}
	for _, alerts := range []capability.Reading[int64]{stats.Condition.CriticalAlerts, stats.Condition.InfoAlerts} {
		ints = append(ints, &alerts.Value)
	}
	if lag := stats.Condition.ReplicaLinks.Value.MaxLag; lag != nil && *lag < 0 {
		t.Errorf("a lag is %s", *lag)
	}
	c := stats.Counts
	for _, n := range append(ints, c.Volumes, c.LiveVolumes, c.Snapshots, c.Hosts, c.ProtectionGroups) {
		if n != nil && *n < 0 {
			t.Errorf("a number is %d", *n)
		}
	}
}

// FuzzObject reads members of arbitrary types with every method.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{`1`, `-0`, `1.5e3`, `1e999`, `"x"`, `null`, `[]`, `{"x":{"x":1}}`, `tru`, `9223372036854775807`, `[1,"a",null]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var warnings []error
		body := []byte(`{"items":[],"x":` + string(raw) + `}`)
		p, err := parsePage(body, "o", &warnings)
		if err != nil {
			return
		}
		if i := p.int("x"); i != nil && *i < 0 {
			t.Errorf("%s was read as %d", raw, *i)
		}
		if f := p.float("x"); f != nil && !(*f >= 0 && *f <= math.MaxFloat64) {
			t.Errorf("%s was read as %g", raw, *f)
		}
		if at, ok := p.time("x"); ok && (at.Before(time.UnixMilli(1)) || at.Year() > 9999) {
			t.Errorf("%s was read as %s", raw, at)
		}
		p.text("x")
		p.texts("x")
		p.object.object("x").text("x")
	})
}

// FuzzVersion checks that the chosen version is within the range.
func FuzzVersion(f *testing.F) {
	f.Add("2.4,2.26")
	f.Add("1.0,2.DEV,2.100,2.05")
	f.Fuzz(func(t *testing.T, offered string) {
		list := strings.Split(offered, ",")
		v, err := chooseVersion(list)
		if err != nil {
			return
		}
		if v.major != 2 || v.minor < 4 || v.minor > 56 {
			t.Errorf("chose %s of %q", v, list)
		}
	})
}

// FuzzErrors reads bodies of failed requests.
func FuzzErrors(f *testing.F) {
	f.Add(`{"errors":[{"context":"c","message":"m"}]}`, "5")
	f.Add(`{"message":"m\u0000\n"}`, "Mon, 01 Jan 2035 00:00:00 GMT")
	f.Fuzz(func(t *testing.T, body, after string) {
		e := newAPIError(&response{status: 429, body: []byte(body), header: http.Header{"Retry-After": {after}}, received: time.Now()})
		if strings.ContainsAny(e.Error(), "\r\n\x1b\x00") || utf8.RuneCountInString(e.Error()) > 4*textLimit {
			t.Errorf("not suitable for a log: %q", e.Error())
		}
		if e.RetryAfter() < 0 || e.RetryAfter() > longestWait {
			t.Errorf("Retry-After %q gives %s", after, e.RetryAfter())
		}
	})
}

// TestDebugOutputIsRedacted enables the debug output of resty, which prints every
// header.
func TestDebugOutputIsRedacted(t *testing.T) {
	c := stubbed(t, stub{body: good, status: http.StatusOK})
	var log logbook
	c.token = StaticToken("very-secret")
	c.http.SetDebug(true).SetLogger(&log)
	if _, err := c.Sample(context.Background()); err != nil {
		t.Fatal(err)
	}
	text := log.String()
	if !strings.Contains(text, headerAPIToken) || !strings.Contains(text, headerSession) {
		t.Fatalf("nothing was printed: %s", text)
	}
	if strings.Contains(text, "very-secret") || strings.Contains(text, ": session") {
		t.Errorf("a token was printed: %s", text)
	}
}

type logbook struct{ strings.Builder }

func (l *logbook) Errorf(format string, v ...any) { l.note(format, v) }
func (l *logbook) Warnf(format string, v ...any)  { l.note(format, v) }
func (l *logbook) Debugf(format string, v ...any) { l.note(format, v) }

func (l *logbook) note(format string, v []any) {
	l.WriteString(strings.ReplaceAll(format, "%v", ""))
	for _, x := range v {
		if s, ok := x.(string); ok {
			l.WriteString(s)
		}
	}
}
