package status

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/collector/capability"
)

type fixed View

func (f fixed) View() View { return View(f) }

func (f fixed) History(host string) []Point {
	if host != "ctl1@fa_01" {
		return nil
	}
	gap := Point{Operations: math.NaN(), BytesPerSec: math.NaN(), ReadUsec: math.NaN(), WriteUsec: math.NaN()}
	gap.At = noon.Add(-time.Minute)
	return []Point{{At: noon.Add(-2 * time.Minute), Operations: 10}, gap, {At: noon, Operations: 60000}}
}

var noon = time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)

// sampleView is a pool of two arrays, one of them without a performance sample
// and refused, as operators meet them.
func sampleView() View {
	old := capability.OfInt(800)
	consumers := 2
	busy := capability.Report{
		Host: "ctl1@fa_01", Backend: "fa_01", Pool: "gold", Zone: "dc1", CollectedAt: noon.Add(-4 * time.Second), Status: capability.OK,
		Capabilities: capability.Set{
			capability.KeyTotalCapacity: capability.OfFloat(20480), capability.KeyFreeCapacity: capability.OfFloat(5120),
			capability.KeyReadsPerSec: capability.OfInt(42000), capability.KeyWritesPerSec: capability.OfInt(18000),
			capability.KeyUsecPerRead: capability.OfInt(310), capability.KeyTotalVolumes: capability.OfInt(900),
			capability.KeyArrayModel: capability.OfString("FA-X70R4"), capability.KeyArrayID: capability.OfString("id-1"),
			capability.KeyDataReduction:  capability.OfFloat(4),
			capability.KeyFilterFunction: capability.OfString("capabilities.total_volumes < 1000 <b>"),
		},
	}
	quiet := capability.Report{
		Host: "ctl1@fa_02", Backend: "fa_02", Pool: "gold", Zone: "dc1", CollectedAt: noon.Add(-5 * time.Minute), Status: capability.Stale,
		Capabilities: capability.Set{capability.KeyTotalVolumes: capability.OfInt(300), capability.KeyDataReduction: capability.OfFloat(2)},
	}
	return View{
		Now:   noon,
		Agent: Agent{Host: "ctl1", Version: "1.2.3", LastTick: noon.Add(-time.Second)},
		Bus:   Bus{Connected: true, Exchange: true, Broker: "10.0.0.5:5672", Consumers: &consumers, Confirmed: 7},
		Backends: []Backend{
			{
				Name: "fa_01", Host: "ctl1@fa_01", Pool: "gold", Zone: "dc1", Report: &busy,
				Poll:    Poll{Up: true, Polls: 10, Failures: 1, LastOK: noon, Requests: map[int]uint64{200: 80, 401: 1}, Sessions: 1, SessionsLost: 2},
				Overlay: Overlay{State: "overlaying", PublishedAt: noon.Add(-time.Second), ReceivedAt: noon.Add(-30 * time.Second), Changes: []Change{{Key: "total_volumes", Old: &old, New: capability.OfInt(900)}}},
				Space:   &Space{Total: 20480, Ratio: 2, Provisioned: 30000, VirtualFree: 10960, Thin: true},

				EffectiveSpace: &Space{Total: 20480, Reserved: 2048, Ratio: 2, Provisioned: 30000, VirtualFree: 6864, Thin: true},
			},
			{
				Name: "fa_02", Host: "ctl1@fa_02", Pool: "gold", Zone: "dc1", Report: &quiet,
				Poll:    Poll{Polls: 10, Failures: 10, Error: "GET arrays/space: 503"},
				Overlay: Overlay{State: "no_sample", Cause: "stale", Reason: "no current sample"},
			},
		},
	}
}

func serve(t *testing.T, o Options) *httptest.Server {
	t.Helper()
	o.Logger = zerolog.Nop()
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Source == nil {
		o.Source = fixed(sampleView())
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	return server
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestLivezFailsOnlyWithStuckLoop(t *testing.T) {
	v := sampleView()
	v.Bus = Bus{Reason: "connection refused"}
	if code, body := get(t, serve(t, Options{Source: fixed(v)}).URL+"/livez"); code != http.StatusOK {
		t.Errorf("a broker that is away made /livez say %d %s", code, body)
	}
	v.Agent.LastTick = noon.Add(-2 * time.Minute)
	if code, body := get(t, serve(t, Options{Source: fixed(v)}).URL+"/livez"); code != http.StatusServiceUnavailable || !strings.Contains(body, "2m0s") {
		t.Errorf("a stuck loop made /livez say %d %s", code, body)
	}
}

func TestReadyzGivesReasons(t *testing.T) {
	code, body := get(t, serve(t, Options{}).URL+"/readyz")
	want := "[+] bus ok\n[+] fa_01 ok\n[-] fa_02: GET arrays/space: 503\n"
	if code != http.StatusServiceUnavailable || body != want {
		t.Errorf("got %d\n%s, want\n%s", code, body, want)
	}
	v := sampleView()
	v.Backends = v.Backends[:1]
	v.Bus.Exchange = false
	if _, body := get(t, serve(t, Options{Source: fixed(v)}).URL+"/readyz"); !strings.Contains(body, "no scheduler is listening") {
		t.Errorf("a missing exchange is not explained: %s", body)
	}
}

func TestMetricsOmitMissingValues(t *testing.T) {
	_, body := get(t, serve(t, Options{}).URL+"/metrics")
	for _, want := range []string{
		`poolcast_array_up{backend="fa_01",host="ctl1@fa_01",volume_backend_name="gold"} 1`,
		`poolcast_array_up{backend="fa_02",host="ctl1@fa_02",volume_backend_name="gold"} 0`,
		`poolcast_array_capacity_bytes{backend="fa_01",host="ctl1@fa_01",volume_backend_name="gold"} 2.199023255552e+13`,
		`poolcast_array_virtual_capacity_bytes{backend="fa_01",host="ctl1@fa_01",volume_backend_name="gold"} 3.9582418599936e+13`,
		`poolcast_array_virtual_free_bytes{backend="fa_01",host="ctl1@fa_01",volume_backend_name="gold"} 7.370163879936e+12`,
		`poolcast_array_read_latency_seconds{backend="fa_01",host="ctl1@fa_01",volume_backend_name="gold"} 0.00031`,
		`poolcast_array_polls_total{backend="fa_01",host="ctl1@fa_01",result="ok",volume_backend_name="gold"} 9`,
		`poolcast_array_sessions{backend="fa_01",host="ctl1@fa_01",volume_backend_name="gold"} 1`,
		`poolcast_array_sessions_lost_total{backend="fa_01",host="ctl1@fa_01",volume_backend_name="gold"} 2`,
		`poolcast_array_rest_requests_total{backend="fa_01",code="401",host="ctl1@fa_01",volume_backend_name="gold"} 1`,
		`poolcast_pool_data_reduction_divergence_ratio{availability_zone="dc1",volume_backend_name="gold"} 1`,
		`poolcast_bus_publishes_total{result="confirmed"} 7`,
		`poolcast_scheduler_consumers 2`,
	} {
		if !strings.Contains(body, want+"\n") {
			t.Errorf("no sample %s", want)
		}
	}
	if strings.Contains(body, `poolcast_array_virtual_free_bytes{backend="fa_02"`) {
		t.Error("a space that was not computed is sent")
	}
	if strings.Contains(body, `poolcast_array_read_latency_seconds{backend="fa_02"`) {
		t.Error("a latency that was not measured has a sample")
	}
}

func TestMetricsPassPrometheusLint(t *testing.T) {
	problems, err := testutil.CollectAndLint(newViewCollector(fixed(troubledView())))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestReportsEqualDryRun(t *testing.T) {
	_, body := get(t, serve(t, Options{}).URL+"/v1/reports")
	var reports []capability.Report
	if err := json.Unmarshal([]byte(body), &reports); err != nil {
		t.Fatal(err)
	}
	if len(reports) != 2 || reports[0].Host != "ctl1@fa_01" || !strings.Contains(body, "1000 <b>") {
		t.Errorf("got %s", body)
	}
}

func TestEffectiveDiffersFromReports(t *testing.T) {
	v := sampleView()
	effective := *v.Backends[0].Report
	effective.Capabilities = effective.Capabilities.Overlay(capability.Set{"allocated_capacity_gb": capability.OfInt(17)})
	v.Backends[0].Effective = &effective
	url := serve(t, Options{Source: fixed(v)}).URL
	_, body := get(t, url+"/v1/effective")
	var reports []capability.Report
	if err := json.Unmarshal([]byte(body), &reports); err != nil {
		t.Fatal(err)
	}
	if len(reports) != 1 || !reports[0].Capabilities["allocated_capacity_gb"].Equal(capability.OfInt(17)) {
		t.Errorf("got %s", body)
	}
	if _, body := get(t, url+"/v1/reports"); strings.Contains(body, "allocated_capacity_gb") {
		t.Errorf("the effective report is among the own reports: %s", body)
	}
}

func TestPageIsEscapedAndComplete(t *testing.T) {
	code, body := get(t, serve(t, Options{}).URL+"/")
	if code != http.StatusOK {
		t.Fatalf("%d %s", code, body)
	}
	for _, want := range []string{"1 problem", "gold", "fa_02", "GET arrays/space: 503", "&lt;b&gt;", "(20\u202fTiB − 0\u202fGiB reserved) × 2.00 − 29\u202fTiB provisioned", "operations: now 60\u202f000/s, lowest 10/s, highest 60\u202f000/s; scale from 0 to 80\u202f000/s", "no data yet", "50\u202f% above the pool’s mean of 600", "reported by cinder-volume", "</html>"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not show %q", want)
		}
	}
	if strings.Contains(body, "Placement of a volume") {
		t.Error("a form is shown, without a Placer")
	}
}

func TestFormShowsDecision(t *testing.T) {
	var asked Query
	url := serve(t, Options{Placer: func(q Query) (Decision, error) {
		asked = q
		if q.Size > 1000 {
			return Decision{}, errors.New("size is too large")
		}
		return Decision{Summary: "fa_01 would take it", Fits: true, JSON: map[string]string{"chosen": "fa_01"}, Basis: []string{"On <2> backends"}, Rows: []DecisionRow{{Backend: "fa_01", Rank: "1"}}}, nil
	}}).URL
	_, body := get(t, url+"/?size=100&availability_zone=dc1&property=a%3D1%0Ab%3D%3C%3D+2&policy=prefer")
	if !strings.Contains(body, "fa_01 would take it") || !strings.Contains(body, "On &lt;2&gt; backends") {
		t.Errorf("no decision on the page: %s", body)
	}
	if asked.Size != 100 || asked.Zone != "dc1" || asked.Policy != "prefer" || asked.ExtraSpecs["b"] != "<= 2" {
		t.Errorf("asked %+v", asked)
	}
	if code, body := get(t, url+"/v1/place?size=100"); code != http.StatusOK || strings.TrimSpace(body) != `{"chosen":"fa_01"}` {
		t.Errorf("got %d %s", code, body)
	}
	for query, want := range map[string]string{"size=x": "whole number", "size=5000": "too large", "size=1&property=novalue": "key=value"} {
		if code, body := get(t, url+"/v1/place?"+query); code != http.StatusBadRequest || !strings.Contains(body, want) {
			t.Errorf("%s: got %d %s, want 400 and %q", query, code, body, want)
		}
	}
}

func TestAPIIsReadOnly(t *testing.T) {
	url := serve(t, Options{Placer: func(Query) (Decision, error) { return Decision{}, nil }}).URL
	for _, path := range []string{"/", "/metrics", "/livez", "/readyz", "/v1/reports", "/v1/effective", "/v1/place", "/assets/style.css"} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch} {
			request, err := http.NewRequest(method, url+path, strings.NewReader("x"))
			if err != nil {
				t.Fatal(err)
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if response.StatusCode < 400 {
				t.Errorf("%s %s got %d", method, path, response.StatusCode)
			}
		}
	}
}

func TestOtherAddressesNeedTLSAndToken(t *testing.T) {
	for _, listen := range []string{"0.0.0.0:9633", ":9633", "192.0.2.1:9633", "[::]:9633"} {
		if _, err := New(Options{Listen: listen, Source: fixed(sampleView())}); err == nil || !strings.Contains(err.Error(), "bearer_token_file") {
			t.Errorf("%s was accepted: %v", listen, err)
		}
	}
	for _, listen := range []string{"127.0.0.1:9633", "[::1]:0", "localhost:9633"} {
		if _, err := New(Options{Listen: listen, Source: fixed(sampleView())}); err != nil {
			t.Errorf("%s was refused: %v", listen, err)
		}
	}
}

func TestTokenIsRequired(t *testing.T) {
	url := serve(t, Options{Token: func() string { return "s3cret" }}).URL
	for path, want := range map[string]int{"/metrics": 401, "/": 401, "/v1/reports": 401, "/v1/effective": 401, "/assets/style.css": 401, "/livez": 200, "/readyz": 503} {
		if code, body := get(t, url+path); code != want || strings.Contains(body, "s3cret") {
			t.Errorf("%s without a token: %d %s", path, code, body)
		}
	}
	request, err := http.NewRequest(http.MethodGet, url+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer s3cret")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("the right token got %d", response.StatusCode)
	}
}

// A browser asks its user for a password and sends that.
func TestTokenAsBasicPassword(t *testing.T) {
	url := serve(t, Options{Token: func() string { return "s3cret" }}).URL
	for password, want := range map[string]int{"s3cret": http.StatusOK, "guess": http.StatusUnauthorized, "": http.StatusUnauthorized} {
		request, err := http.NewRequest(http.MethodGet, url+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth("anybody", password)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("password %q got %d, want %d", password, response.StatusCode, want)
		}
		if challenge := response.Header.Values("WWW-Authenticate"); want != http.StatusOK && len(challenge) != 2 {
			t.Errorf("the challenges are %q", challenge)
		}
	}
}

func TestServeStopsCleanly(t *testing.T) {
	s, err := New(Options{Listen: "127.0.0.1:0", Source: fixed(sampleView()), Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	if code, _ := get(t, "http://"+l.Addr().String()+"/livez"); code != http.StatusOK {
		t.Errorf("got %d", code)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A refused configuration does not fail readiness: reports reach the scheduler as
// before. A backend that is not served does.
func TestConfigurationIsPartOfReadiness(t *testing.T) {
	v := sampleView()
	v.Backends = v.Backends[:1]
	v.Config = Config{Loaded: noon.Add(-time.Hour), Refused: noon.Add(-time.Minute), Faults: []string{"cinder.conf:3: [poolcast] on_stale is wrong", "b"}}
	server := serve(t, Options{Source: fixed(v)})
	code, text := get(t, server.URL+"/readyz")
	want := "[!] configuration: a newer one was refused 60 s ago, and the one of 2025-01-01T11:00:00Z is still in use: cinder.conf:3: [poolcast] on_stale is wrong; b\n"
	if code != http.StatusOK || !strings.Contains(text, want) {
		t.Errorf("%d: %s", code, text)
	}
	if _, page := get(t, server.URL+"/"); !strings.Contains(page, "1 problem") || !strings.Contains(page, "on_stale is wrong") || strings.Contains(page, "All checks passed") {
		t.Error("the page does not show it")
	}

	v.Config = Config{Loaded: noon}
	v.Invalid = []InvalidBackend{{Name: "fa_09", Host: "ctl1@fa_09", Pool: "gold", Faults: []string{"cinder.conf:7: [fa_09] san_ip is missing"}}}
	server = serve(t, Options{Source: fixed(v)})
	if code, text := get(t, server.URL+"/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(text, "[-] fa_09: not served: cinder.conf:7: [fa_09] san_ip is missing\n") {
		t.Errorf("%d: %s", code, text)
	}
	if _, page := get(t, server.URL+"/"); !strings.Contains(page, "cinder.conf:7: [fa_09]") {
		t.Error("the page does not name the backend that is not served")
	}
}
