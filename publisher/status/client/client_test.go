package client_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/publisher/status"
	"github.com/poolcast/poolcast/publisher/status/client"
)

// source is an agent with one backend, whose effective report differs from its
// own.
type source struct{ lastTick time.Time }

func (s source) View() status.View {
	own, effective := report(7), report(9)
	return status.View{
		Now: time.Now(), Agent: status.Agent{Host: "ctl1", LastTick: s.lastTick},
		Failures: status.Failures{Enabled: true, Listening: true, Latest: []status.Failure{{
			ReceivedAt: own.CollectedAt, Operation: "create_volume", VolumeID: "v", VolumeType: "gold", Size: 100, Zones: []string{"dc1"},
			Explanation: "refused: fa1", Fits: []string{"fa2"}, OtherPools: 2,
			Refused: []status.FailureRefusal{{Backend: "fa1", Filter: "CapacityFilter", Reason: "9 is not >= 100"}},
		}}},
		Backends: []status.Backend{{Name: "fa1", Host: own.Host, Report: &own, Effective: &effective, Poll: status.Poll{Up: true, Polls: 1}}},
	}
}

func (source) History(string) []status.Point { return nil }

func report(volumes int64) capability.Report {
	return capability.Report{
		Host: "ctl1@fa1", Backend: "fa1", Pool: "gold", Zone: "nova", Status: capability.OK,
		CollectedAt:  time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC),
		Capabilities: capability.Set{capability.KeyTotalVolumes: capability.OfInt(volumes)},
	}
}

// place refuses a size of 13 as a wrong query, and repeats the query otherwise.
func place(q status.Query) (status.Decision, error) {
	if q.Size == 13 {
		return status.Decision{}, errors.New("size 13: \x1b[31mnot this one")
	}
	chosen, rank, weight := "ctl1@fa1#gold", 1, 2.5
	var policy placement.Policy
	if err := policy.UnmarshalText([]byte(q.Policy)); err != nil {
		return status.Decision{}, err
	}
	listed, seconds := 2, 7.0
	return status.Decision{JSON: client.Answer{Source: client.Source{
		Kind: "agent", Listed: &listed, Backends: 3, Unlisted: []string{"ctl1@fa9"}, OldestReport: &seconds, AllocatedOnly: []string{}, Notes: []string{"a note"},
	}, DecisionJSON: placement.DecisionJSON{
		Policy: policy, Chosen: &chosen, Fit: 1, Reason: q.Zone + q.VolumeType + q.ExtraSpecs["a"] + q.ExtraSpecs["b"],
		Relaxed: []placement.Condition{{Filter: "DriverFilter", Text: "total_volumes < 5"}},
		Backends: []placement.VerdictJSON{
			{ID: chosen, Backend: "fa1", Rank: &rank, Weight: &weight, Scores: []placement.ScoreJSON{{Score: placement.Score{Weigher: "GoodnessWeigher", Raw: 50}}}},
			{ID: "ctl1@fa2#gold", Refused: &placement.RefusalJSON{Filter: "CapacityFilter", Reason: "9 is not >= 100"}},
		},
	}}}, nil
}

func handler(t *testing.T, o status.Options) http.Handler {
	t.Helper()
	o.Listen, o.Placer = "127.0.0.1:0", place
	if o.Source == nil {
		o.Source = source{lastTick: time.Now()}
	}
	s, err := status.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s.Handler()
}

func plain(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func secure(t *testing.T, h http.Handler) (string, *x509.CertPool) {
	t.Helper()
	server := httptest.NewTLSServer(h)
	t.Cleanup(server.Close)
	cas := x509.NewCertPool()
	cas.AddCert(server.Certificate())
	return server.URL, cas
}

func connect(t *testing.T, o client.Options) *client.Client {
	t.Helper()
	c, err := client.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestReports(t *testing.T) {
	token := "s3cret"
	url, cas := secure(t, handler(t, status.Options{Token: func() string { return token }}))
	c := connect(t, client.Options{URL: url + "/", Token: token, CAs: cas})
	for name, get := range map[string]func(context.Context) ([]capability.Report, error){"own": c.Reports, "effective": c.Effective} {
		want := map[string]capability.Report{"own": report(7), "effective": report(9)}[name]
		got, err := get(t.Context())
		if err != nil || len(got) != 1 || !got[0].Capabilities.Equal(want.Capabilities) || !got[0].CollectedAt.Equal(want.CollectedAt) || got[0].Host != want.Host {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	_, err := connect(t, client.Options{URL: url, CAs: cas}).Reports(t.Context())
	var refused *client.Error
	if !errors.As(err, &refused) || refused.StatusCode != http.StatusUnauthorized || !strings.Contains(err.Error(), "401 Unauthorized: a bearer token is needed") {
		t.Errorf("without a token: %v", err)
	}
	_, err = connect(t, client.Options{URL: url, Token: token}).Reports(t.Context())
	if unknown := (x509.UnknownAuthorityError{}); !errors.As(err, &unknown) {
		t.Errorf("without the authority: %v", err)
	}
}

// TestFailures: every field of the server's type is one of the client's.
func TestFailures(t *testing.T) {
	got, err := connect(t, client.Options{URL: plain(t, handler(t, status.Options{}))}).Failures(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ours, err := json.Marshal(got)
	theirs, theirErr := json.Marshal(source{}.View().Failures.Latest)
	if err != nil || theirErr != nil || string(ours) != string(theirs) {
		t.Errorf("got %s, want %s", ours, theirs)
	}
}

func TestScheduler(t *testing.T) {
	at, age := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), 3.5
	want := client.SchedulerList{
		ReceivedAt: &at, Age: &age, Broker: "10.0.0.5:5672", Unlisted: []string{"ctl1@fa2"},
		Pools: []client.SchedulerPool{{Name: "ctl1@fa1#gold", Capabilities: capability.Set{"n": capability.OfInt(1)}}},
	}
	c := connect(t, client.Options{URL: plain(t, handler(t, status.Options{Scheduler: func() any { return want }}))})
	got, err := c.Scheduler(t.Context())
	if err != nil || !got.Pools[0].Capabilities.Equal(want.Pools[0].Capabilities) || !got.ReceivedAt.Equal(at) || *got.Age != age || got.Unlisted[0] != "ctl1@fa2" {
		t.Errorf("got %+v, %v", got, err)
	}
	c = connect(t, client.Options{URL: plain(t, handler(t, status.Options{}))})
	var missing *client.Error
	if _, err := c.Scheduler(t.Context()); !errors.As(err, &missing) || missing.StatusCode != http.StatusNotFound {
		t.Errorf("without a list: %v", err)
	}
}

func TestPlace(t *testing.T) {
	c := connect(t, client.Options{URL: plain(t, handler(t, status.Options{}))})
	got, err := c.Place(t.Context(), client.Query{Size: 10, Zone: "nova", VolumeType: "gold", Policy: "prefer", ExtraSpecs: map[string]string{"a": "<is> True", "b": "x=y&z"}})
	if err != nil {
		t.Fatal(err)
	}
	answer, _ := place(status.Query{Size: 10, Zone: "nova", VolumeType: "gold", Policy: "prefer", ExtraSpecs: map[string]string{"a": "<is> True", "b": "x=y&z"}})
	if want := answer.JSON.(client.Answer); !reflect.DeepEqual(*got, want) {
		t.Errorf("got %+v, want %+v", *got, want)
	}
	if got, err := c.Place(t.Context(), client.Query{Size: 10}); err != nil || got.Policy != placement.Strict {
		t.Errorf("without a policy: %+v, %v", got, err)
	}
	for want, q := range map[string]client.Query{
		`size "0": want`:                {},
		`size 13: \x1b[31mnot this one`: {Size: 13},
		"neither key nor value a line":  {Size: 10, ExtraSpecs: map[string]string{"a": "b\nc=d"}},
		"a key cannot contain =":        {Size: 10, ExtraSpecs: map[string]string{"a=b": "c"}},
	} {
		if _, err := c.Place(t.Context(), q); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", q, err, want)
		}
	}
}

func TestHealth(t *testing.T) {
	stuck := source{lastTick: time.Now().Add(-time.Hour)}
	c := connect(t, client.Options{URL: plain(t, handler(t, status.Options{Source: stuck}))})
	if h, err := c.Live(t.Context()); err != nil || h.OK || !strings.HasPrefix(h.Text, "main loop") {
		t.Errorf("a stuck loop: %+v, %v", h, err)
	}
	c = connect(t, client.Options{URL: plain(t, handler(t, status.Options{}))})
	if h, err := c.Live(t.Context()); err != nil || !h.OK {
		t.Errorf("alive: %+v, %v", h, err)
	}
	if h, err := c.Ready(t.Context()); err != nil || h.OK || !strings.Contains(h.Text, "[-] bus: ") || !strings.Contains(h.Text, "[+] fa1 ok") {
		t.Errorf("without a broker: %+v, %v", h, err)
	}
}

// TestSameHost: the certificate is not verified, and the scheme may be the other
// one.
func TestSameHost(t *testing.T) {
	h := handler(t, status.Options{})
	overTLS, _ := secure(t, h)
	for name, url := range map[string]string{
		"http": plain(t, h), "https": overTLS,
		"https on http": strings.Replace(plain(t, h), "http:", "https:", 1),
		"http on https": strings.Replace(overTLS, "https:", "http:", 1),
	} {
		if got, err := connect(t, client.Options{URL: url, SameHost: true}).Live(t.Context()); err != nil || !got.OK {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if got, err := connect(t, client.Options{URL: url}).Live(t.Context()); (err == nil) != (name == "http") {
			t.Errorf("%s, without SameHost: %+v, %v", name, got, err)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for want, o := range map[string]client.Options{
		`read URL ""`:                     {},
		"read URL of the agent: want":     {URL: "127.0.0.1:9748"},
		`read URL "ftp://127.0.0.1"`:      {URL: "ftp://127.0.0.1"},
		"SameHost and Token exclude each": {URL: "http://127.0.0.1:9748", SameHost: true, Token: "s3cret"},
	} {
		if _, err := client.New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", o, err, want)
		}
	}
}

func TestBadServers(t *testing.T) {
	respond := func(code int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = w.Write([]byte(body))
		})
	}
	for want, h := range map[string]http.Handler{
		"404 Not Found: not here":  respond(http.StatusNotFound, " not here\n"),
		"502 Bad Gateway: xxx":     respond(http.StatusBadGateway, strings.Repeat("x", 1<<20)),
		"decode http":              respond(http.StatusOK, "<html>"),
		"more than 67108864 bytes": respond(http.StatusOK, strings.Repeat(" ", 64<<20+1)),
	} {
		_, err := connect(t, client.Options{URL: plain(t, h)}).Reports(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 2000 {
			t.Errorf("got %.200v, want %s", err, want)
		}
	}
	url := plain(t, respond(http.StatusMisdirectedRequest, "ask for localhost"))
	if _, err := connect(t, client.Options{URL: url}).Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "421 Misdirected Request: ask for localhost") {
		t.Errorf("health: %v", err)
	}
}

func TestCallsEndInTime(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // it never accepts
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	started := time.Now()
	_, err = connect(t, client.Options{URL: "http://" + l.Addr().String(), Timeout: 50 * time.Millisecond}).Effective(t.Context())
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(started) > 5*time.Second {
		t.Errorf("after %s: %v", time.Since(started), err)
	}
}

func TestErrorsHaveNoPassword(t *testing.T) {
	url := strings.Replace(plain(t, handler(t, status.Options{Token: func() string { return "s3cret" }})), "http://", "http://any:pa55@", 1)
	_, err := connect(t, client.Options{URL: url}).Reports(t.Context())
	_, scheme := client.New(client.Options{URL: "ftp://any:pa55@host"})
	_, syntax := client.New(client.Options{URL: "http://any:pa55@host:port"})
	for _, err := range []error{err, scheme, syntax} {
		if err == nil || strings.Contains(err.Error(), "pa55") {
			t.Errorf("got %v", err)
		}
	}
	url = strings.Replace(url, "pa55", "s3cret", 1)
	if _, err := connect(t, client.Options{URL: url}).Reports(t.Context()); err != nil {
		t.Errorf("with the token as a password: %v", err)
	}
}
