package flasharray_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/flasharray"
	"github.com/poolcast/poolcast/flasharray/simulator"
)

func TestSampleOfEveryFixture(t *testing.T) {
	all, err := simulator.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		t.Run(f.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newEnvironment(t, f.Name, simulator.Options{})
				defer l.close(t)
				stats := l.sampleComplete(t)
				if stats.Identity.ID != l.ID() || stats.Identity.Name != f.Name || stats.Identity.Model == "" || stats.Identity.Purity == "" {
					t.Errorf("identity is %+v", stats.Identity)
				}
				if !slices.Contains(f.Versions, stats.Identity.REST) {
					t.Errorf("used REST %s", stats.Identity.REST)
				}
				l.checkSpace(t, stats.Space)
				l.checkPerformance(t, stats.Performance)
				l.checkCounts(t, stats.Counts)
				l.checkLinks(t, stats.Links)
			})
		})
	}
}

// items reads a list without the decoder of the client, for comparison.
func (l *environment) items(t *testing.T, path string, query url.Values) []map[string]any {
	t.Helper()
	raw, err := l.client.Get(t.Context(), path, query)
	if err != nil {
		t.Fatal(err)
	}
	var list struct{ Items []map[string]any }
	if err := json.Unmarshal(raw, &list); err != nil {
		t.Fatal(err)
	}
	return list.Items
}

func number[N int64 | float64](p *N) any {
	if p == nil {
		return nil
	}
	return float64(*p)
}

func (l *environment) checkSpace(t *testing.T, got *capability.Space) {
	t.Helper()
	array := l.items(t, "arrays/space", nil)[0]
	space := array["space"].(map[string]any)
	want := map[string]any{
		"capacity": array["capacity"], "total_physical": space["total_physical"], "total_used": space["total_used"],
		"total_provisioned": space["total_provisioned"], "used_provisioned": space["used_provisioned"],
		"data_reduction": space["data_reduction"], "total_reduction": space["total_reduction"],
	}
	if diff := gocmp.Diff(want, map[string]any{
		"capacity": number(got.Capacity), "total_physical": number(got.TotalPhysical), "total_used": number(got.TotalUsed),
		"total_provisioned": number(got.TotalProvisioned), "used_provisioned": number(got.UsedProvisioned),
		"data_reduction": number(got.DataReduction), "total_reduction": number(got.TotalReduction),
	}); diff != "" {
		t.Errorf("space differs (-array +sample):\n%s", diff)
	}
	if got.Used() == nil || got.Provisioned() == nil {
		t.Error("used or provisioned space is not known")
	}
}

func (l *environment) checkPerformance(t *testing.T, got *capability.Performance) {
	t.Helper()
	hour := l.items(t, "arrays/performance", url.Values{
		"resolution": {"30000"}, "start_time": {strconv.FormatInt(time.Now().Add(-time.Hour).UnixMilli(), 10)},
	})
	want := slices.MaxFunc(hour, func(a, b map[string]any) int { return cmp.Compare(a["time"].(float64), b["time"].(float64)) })
	if float64(got.Time.UnixMilli()) != want["time"] {
		t.Errorf("took the sample of %s", got.Time)
	}
	for field, n := range map[string]*int64{
		"reads_per_sec": got.ReadsPerSec, "writes_per_sec": got.WritesPerSec, "mirrored_writes_per_sec": got.MirroredWritesPerSec,
		"read_bytes_per_sec": got.ReadBytesPerSec, "write_bytes_per_sec": got.WriteBytesPerSec,
		"mirrored_write_bytes_per_sec": got.MirroredWriteBytesPerSec,
		"usec_per_read_op":             got.UsecPerRead, "usec_per_write_op": got.UsecPerWrite, "usec_per_mirrored_write_op": got.UsecPerMirroredWrite,
		"queue_usec_per_read_op": got.QueueUsecPerRead, "queue_usec_per_write_op": got.QueueUsecPerWrite,
		"queue_usec_per_mirrored_write_op": got.QueueUsecPerMirroredWrite, "queue_depth": got.QueueDepth,
		"qos_rate_limit_usec_per_read_op": got.QoSUsecPerRead, "qos_rate_limit_usec_per_write_op": got.QoSUsecPerWrite,
		"qos_rate_limit_usec_per_mirrored_write_op": got.QoSUsecPerMirroredWrite,
	} {
		if number(n) != want[field] {
			t.Errorf("%s: the array has %v, the sample %v", field, want[field], number(n))
		}
	}
	if got.Age < 0 || got.Age > 30*time.Second || got.Resolution != 30*time.Second {
		t.Errorf("the newest sample is %s old, over %s", got.Age, got.Resolution)
	}
}

func (l *environment) checkCounts(t *testing.T, got capability.Counts) {
	t.Helper()
	for path, n := range map[string]*int64{
		"volumes": got.Volumes, "hosts": got.Hosts, "protection-groups": got.ProtectionGroups,
	} {
		if want := float64(len(l.items(t, path, nil))); number(n) != want && want < 1000 {
			t.Errorf("%s: the array lists %v, the sample has %v", path, want, number(n))
		}
	}
	if *got.LiveVolumes >= *got.Volumes {
		t.Errorf("%d of %d volumes are live; every fixture has destroyed ones", *got.LiveVolumes, *got.Volumes)
	}
}

func (l *environment) checkLinks(t *testing.T, got []capability.Link) {
	t.Helper()
	want := []capability.Link{}
	for _, o := range l.items(t, "array-connections", nil) {
		want = append(want, capability.Link{Peer: o["name"].(string), Status: o["status"].(string), Type: o["type"].(string)})
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("links differ (-array +sample):\n%s", diff)
	}
}

func TestEvergreenOne(t *testing.T) {
	for name, physical := range map[string]bool{"flasharray-eg1-01": true, "flasharray-eg1-02": false} {
		l := newEnvironment(t, name, simulator.Options{})
		stats := l.sampleComplete(t)
		if stats.Identity.Service != "Evergreen//One" || stats.Space.TotalProvisioned != nil || stats.Space.TotalReduction != nil {
			t.Errorf("%s is not like an Evergreen//One array: %+v", name, stats.Identity)
		}
		if (stats.Space.TotalPhysical != nil) != physical || stats.Space.Used() == nil || stats.Space.Provisioned() == nil {
			t.Errorf("%s: used %v, provisioned %v", name, stats.Space.Used(), stats.Space.Provisioned())
		}
		l.close(t)
	}
}

func TestSampleFollowsFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newEnvironment(t, "flasharray-x-01", simulator.Options{})
		defer l.close(t)
		seen := map[int64]bool{}
		for range 5 {
			stats := l.sampleComplete(t)
			seen[*stats.Performance.ReadsPerSec] = true
			if *stats.ClockSkew != 0 {
				t.Errorf("skew of %s with one clock", *stats.ClockSkew)
			}
			time.Sleep(time.Minute)
		}
		if len(seen) < 4 {
			t.Errorf("the rates within five minutes are %v", seen)
		}
		if l.Logins() != 1 || l.dials.Load() != 1 {
			t.Errorf("%d logins over %d connections", l.Logins(), l.dials.Load())
		}
	})
}

func TestSessionEndsAtAnyRequest(t *testing.T) {
	for skip := range 8 {
		synctest.Test(t, func(t *testing.T) {
			l := newEnvironment(t, "flasharray-x-01", simulator.Options{})
			defer l.close(t)
			l.sampleComplete(t)
			l.SetFaults(simulator.Expire().After(skip).Times(1))
			l.sampleComplete(t)
			if l.Logins() != 2 || l.Sessions() != 1 {
				t.Errorf("%d logins, %d sessions open", l.Logins(), l.Sessions())
			}
		})
	}
}

func TestIdleSessionExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newEnvironment(t, "flasharray-x-01", simulator.Options{SessionIdle: 5 * time.Minute})
		defer l.close(t)
		for _, pause := range []time.Duration{0, time.Minute, 6 * time.Minute, time.Minute} {
			time.Sleep(pause)
			l.sampleComplete(t)
		}
		if l.Logins() != 2 {
			t.Errorf("%d logins", l.Logins())
		}
	})
}

func TestConnectionClosedAfterSample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newEnvironment(t, "flasharray-x-01", simulator.Options{}, func(o *flasharray.Options) { o.IdleTimeout = -1 })
		defer l.close(t)
		for range 3 {
			l.sampleComplete(t)
		}
		if l.dials.Load() != 3 || l.Logins() != 1 {
			t.Errorf("%d connections and %d logins", l.dials.Load(), l.Logins())
		}
	})
}

func TestTokenRevoked(t *testing.T) {
	l := newEnvironment(t, "flasharray-x-01", simulator.Options{Tokens: []string{"another"}})
	defer l.close(t)
	if _, err := l.client.Sample(t.Context()); !errors.Is(err, flasharray.ErrTokenRefused) {
		t.Errorf("got %v", err)
	}
	l.SetTokens(apiToken)
	l.sampleComplete(t)
}

func TestGet(t *testing.T) {
	l := newEnvironment(t, "flasharray-x-01", simulator.Options{})
	defer l.close(t)
	raw, err := l.client.Get(t.Context(), "/api/api_version", nil)
	if err != nil || !json.Valid(raw) || !strings.Contains(string(raw), `"2.26"`) {
		t.Errorf("got %.100s (%v)", raw, err)
	}
	if _, err := l.client.Get(t.Context(), "no-such-thing", nil); !errors.Is(err, flasharray.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	l.SetFaults(simulator.NotJSON())
	if raw, err := l.client.Get(t.Context(), "pods", nil); err == nil || raw != nil {
		t.Errorf("got %.100s", raw)
	}
	if n := l.client.Counters(); n.Requests[http.StatusOK] < 3 || n.Requests[http.StatusNotFound] != 1 || n.Sessions != 1 {
		t.Errorf("counted %+v", n)
	}
}

// TestIdentityReadAgain checks that an upgrade that leaves the session open is
// noticed without an additional request, and that what is missing meanwhile is
// kept.
func TestIdentityReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newEnvironment(t, "flasharray-x-01", simulator.Options{SessionIdle: -1})
		defer l.close(t)
		before := l.sampleComplete(t)
		body := func(what string) simulator.Fault {
			return simulator.Fault{Garble: true, Body: `{"items":[` + what + `]}`}
		}
		l.SetFaults(
			body(`{"id":"`+l.ID()+`","name":"renamed","version":"9.9.9"}`).On("arrays"),
			body(`{"type":"array_controller","mode":"primary","model":"FA-X90R5"}`).On("controllers"),
		)
		l.ResetTraffic()
		const samples = 60
		var last capability.Sample
		for range samples {
			time.Sleep(30 * time.Second)
			last = l.sampleComplete(t)
			if last.Links == nil {
				t.Fatal("the connections are missing")
			}
		}
		if n := l.requestCount(); n > 8*samples {
			t.Errorf("%d samples cost %d requests: %v", samples, n, l.Requests())
		}
		if id := last.Identity; id.Name != "renamed" || id.Purity != "9.9.9" || id.Model != "FA-X90R5" || id.ID != before.Identity.ID {
			t.Errorf("identity is %+v", id)
		}
		l.SetFaults(simulator.ServerError(500).On("arrays"), body(`{}`).On("controllers"))
		for range samples {
			time.Sleep(30 * time.Second)
			if got := l.sampleComplete(t).Identity; got != last.Identity {
				t.Fatalf("identity became %+v", got)
			}
		}
	})
}
