package flasharray_test

import (
	"cmp"
	"crypto/tls"
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

func TestEveryFixtureIsReadWhole(t *testing.T) {
	all, err := simulator.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		t.Run(f.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t, f.Name, simulator.Options{})
				defer l.close(t)
				stats := l.whole(t)
				if stats.Identity.ID != l.ID() || stats.Identity.Name != f.Name || stats.Identity.Model == "" || stats.Identity.Purity == "" {
					t.Errorf("identity is %+v", stats.Identity)
				}
				if !slices.Contains(f.Versions, stats.Identity.REST) {
					t.Errorf("spoke REST %s", stats.Identity.REST)
				}
				l.checkSpace(t, stats.Space)
				l.checkPerformance(t, stats.Performance)
				l.checkCounts(t, stats.Counts)
				l.checkLinks(t, stats.Links)
			})
		})
	}
}

// items fetches a list as anybody could, so that what the client made of it can
// be compared with what the array calls it.
func (l *lab) items(t *testing.T, path string, query url.Values) []map[string]any {
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

func (l *lab) checkSpace(t *testing.T, got *capability.Space) {
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
		t.Errorf("space differs (-array +reading):\n%s", diff)
	}
	if got.Used() == nil || got.Provisioned() == nil {
		t.Error("used or provisioned space is not known")
	}
}

func (l *lab) checkPerformance(t *testing.T, got *capability.Performance) {
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
	} {
		if number(n) != want[field] {
			t.Errorf("%s: the array says %v, the reading %v", field, want[field], number(n))
		}
	}
	if got.Age < 0 || got.Age > 30*time.Second || got.Resolution != 30*time.Second {
		t.Errorf("the newest sample is %s old, over %s", got.Age, got.Resolution)
	}
}

func (l *lab) checkCounts(t *testing.T, got capability.Counts) {
	t.Helper()
	for path, n := range map[string]*int64{
		"volumes": got.Volumes, "hosts": got.Hosts, "protection-groups": got.ProtectionGroups,
	} {
		if want := float64(len(l.items(t, path, nil))); number(n) != want && want < 1000 {
			t.Errorf("%s: the array lists %v, the reading says %v", path, want, number(n))
		}
	}
	if *got.LiveVolumes >= *got.Volumes {
		t.Errorf("%d of %d volumes are live; every fixture has destroyed ones", *got.LiveVolumes, *got.Volumes)
	}
}

func (l *lab) checkLinks(t *testing.T, got []capability.Link) {
	t.Helper()
	want := []capability.Link{}
	for _, o := range l.items(t, "array-connections", nil) {
		want = append(want, capability.Link{Peer: o["name"].(string), Status: o["status"].(string), Type: o["type"].(string)})
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("links differ (-array +reading):\n%s", diff)
	}
}

func TestEvergreenOne(t *testing.T) {
	for name, physical := range map[string]bool{"flasharray-eg1-01": true, "flasharray-eg1-02": false} {
		l := newLab(t, name, simulator.Options{})
		stats := l.whole(t)
		if stats.Identity.Service != "Evergreen//One" || stats.Space.TotalProvisioned != nil || stats.Space.TotalReduction != nil {
			t.Errorf("%s is not as an Evergreen//One array is: %+v", name, stats.Identity)
		}
		if (stats.Space.TotalPhysical != nil) != physical || stats.Space.Used() == nil || stats.Space.Provisioned() == nil {
			t.Errorf("%s: used %v, provisioned %v", name, stats.Space.Used(), stats.Space.Provisioned())
		}
		l.close(t)
	}
}

func TestReadingFollowsTheArray(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, "flasharray-x-01", simulator.Options{})
		defer l.close(t)
		seen := map[int64]bool{}
		for range 5 {
			stats := l.whole(t)
			seen[*stats.Performance.ReadsPerSec] = true
			if *stats.ClockSkew != 0 {
				t.Errorf("one clock, and yet a skew of %s", *stats.ClockSkew)
			}
			time.Sleep(time.Minute)
		}
		if len(seen) < 4 {
			t.Errorf("five minutes brought the rates %v", seen)
		}
		if l.Logins() != 1 || l.dials.Load() != 1 {
			t.Errorf("%d logins over %d connections", l.Logins(), l.dials.Load())
		}
	})
}

func TestNewestSampleWhateverTheOrder(t *testing.T) {
	never := func(time.Time) bool { return true }
	minutesAgo := func(d time.Duration) func(time.Time) bool { // nothing since then
		end := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Hour - d)
		return func(at time.Time) bool { return at.After(end) }
	}
	for name, tc := range map[string]struct {
		history simulator.History
		age     time.Duration // at most; 0 for no sample
		cost    [2]int        // requests of the second and the third reading
	}{
		"ascending":  {simulator.History{}, 30 * time.Second, [2]int{8, 8}},
		"descending": {simulator.History{Order: simulator.Descending}, 30 * time.Second, [2]int{8, 8}},
		"unordered":  {simulator.History{Order: simulator.Unordered}, 30 * time.Second, [2]int{8, 8}},
		"late":       {simulator.History{Late: 50 * time.Second}, 80 * time.Second, [2]int{8, 8}},
		"very late":  {simulator.History{Late: 4 * time.Minute}, 5 * time.Minute, [2]int{8, 8}},
		"idle":       {simulator.History{Gap: minutesAgo(20 * time.Minute)}, 21 * time.Minute, [2]int{8, 8}},
		"empty":      {simulator.History{Empty: true}, 0, [2]int{8, 8}},
		"never":      {simulator.History{Gap: never}, 0, [2]int{8, 8}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Hour)
				l := newLab(t, "flasharray-x-01", simulator.Options{})
				defer l.close(t)
				l.whole(t)
				l.SetHistory(tc.history)
				for _, cost := range tc.cost {
					l.ResetTraffic()
					perf := l.whole(t).Performance
					switch {
					case tc.age == 0 && perf != nil:
						t.Errorf("found a sample: %+v", perf)
					case tc.age > 0 && (perf == nil || perf.Age > tc.age || perf.ReadsPerSec == nil):
						t.Errorf("found %+v, want a sample of at most %s", perf, tc.age)
					}
					if n := l.requestCount(); n != cost {
						t.Errorf("cost %d requests: %v", n, l.Requests())
					}
				}
				l.SetHistory(simulator.History{})
				for range 2 {
					if perf := l.whole(t).Performance; perf == nil || perf.Age > 30*time.Second {
						t.Errorf("after the array is busy again the newest is %+v", perf)
					}
				}
			})
		})
	}
}

func TestFaultOfOnePartLeavesTheOthers(t *testing.T) {
	for name, tc := range map[string]struct {
		fault simulator.Fault
		is    error
		part  string
	}{
		"403":      {simulator.Forbidden().On("volume-snapshots"), flasharray.ErrForbidden, "snapshots"},
		"429":      {simulator.TooManyRequests().On("array-connections"), flasharray.ErrBusy, "connections"},
		"500":      {simulator.ServerError(500).On("hosts"), nil, "hosts"},
		"503":      {simulator.ServerError(503).On("protection-groups"), flasharray.ErrBusy, "protection groups"},
		"cut":      {simulator.CutBody().On("arrays/performance"), nil, "performance"},
		"not JSON": {simulator.NotJSON().On("arrays/performance"), nil, "performance"},
		"hang":     {simulator.Hang().On("arrays/performance"), nil, "performance"},
		"text": {
			simulator.Fault{Garble: true, Body: `{"items":[],"total_item_count":"many"}`}.On("hosts"),
			nil, "hosts",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t, "flasharray-r-01", simulator.Options{})
				defer l.close(t)
				whole := l.whole(t)
				l.SetFaults(tc.fault)
				stats := l.sample(t)
				if len(stats.Faults) != 1 || stats.Faults[0].Part != tc.part {
					t.Fatalf("faults are %v", stats.Faults)
				}
				if tc.is != nil && !errors.Is(stats.Faults[0].Err, tc.is) {
					t.Errorf("%v is not %v", stats.Faults[0].Err, tc.is)
				}
				missing := map[string]bool{
					"performance": stats.Performance == nil, "snapshots": stats.Counts.Snapshots == nil,
					"hosts": stats.Counts.Hosts == nil, "protection groups": stats.Counts.ProtectionGroups == nil,
					"connections": stats.Links == nil, "volumes": stats.Counts.Volumes == nil, "space": stats.Space == nil,
				}
				for part, is := range missing {
					if is != (part == tc.part) {
						t.Errorf("%s missing: %t", part, is)
					}
				}
				if stats.Identity != whole.Identity {
					t.Errorf("it is %+v now", stats.Identity)
				}
				l.SetFaults()
				l.whole(t)
				if l.Logins() != 1 {
					t.Errorf("%d logins", l.Logins())
				}
			})
		})
	}
}

func TestFaultOfEverythingIsAnError(t *testing.T) {
	for name, tc := range map[string]struct {
		fault simulator.Fault
		is    error
		most  int // requests
	}{
		"401": {simulator.Unauthorized().On("arrays/space"), flasharray.ErrUnauthorized, 5},
		"403": {simulator.Forbidden(), flasharray.ErrForbidden, 1},
		"429": {simulator.RateLimited("30"), flasharray.ErrBusy, 1},
		"500": {simulator.ServerError(500), nil, 1},
		"502": {simulator.ServerError(502), nil, 1},
		"cut": {simulator.CutBody(), nil, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t, "flasharray-x-01", simulator.Options{})
			defer l.close(t)
			l.whole(t)
			l.ResetTraffic()
			l.SetFaults(tc.fault)
			stats, err := l.client.Sample(t.Context())
			if err == nil || stats.Space != nil || tc.is != nil && !errors.Is(err, tc.is) {
				t.Errorf("%s: got %v", name, err)
			}
			if n := l.requestCount(); n > tc.most {
				t.Errorf("%s: cost %d requests: %v", name, n, l.Requests())
			}
			l.SetFaults()
			l.whole(t)
		})
	}
}

func TestSilentArrayCostsTwoTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, "flasharray-x-01", simulator.Options{})
		defer l.close(t)
		l.whole(t)
		l.SetFaults(simulator.Hang().On("volume*"), simulator.Hang().On("hosts"))
		start := time.Now()
		stats := l.sample(t)
		if took := time.Since(start); took != 2*flasharray.DefaultTimeout {
			t.Errorf("took %s", took)
		}
		if stats.Performance == nil || len(stats.Faults) != 6 {
			t.Errorf("faults are %v", stats.Faults)
		}
		l.SetFaults(simulator.Hang())
		start = time.Now()
		if _, err := l.client.Sample(t.Context()); err == nil || time.Since(start) != flasharray.DefaultTimeout {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
	})
}

func TestBusyArrayIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, "flasharray-x-01", simulator.Options{})
		defer l.close(t)
		l.whole(t)
		l.ResetTraffic()
		l.SetFaults(simulator.RateLimited("30").On("volumes"))
		stats := l.sample(t)
		if n := l.requestCount(); n != 3 {
			t.Errorf("it was asked %d times: %v", n, l.Requests())
		}
		for _, f := range stats.Faults {
			var wait interface{ RetryAfter() time.Duration }
			if !errors.As(f.Err, &wait) || wait.RetryAfter() != 30*time.Second {
				t.Errorf("%s does not tell how long to wait: %v", f.Part, f.Err)
			}
		}
	})
}

func TestSessionMayEndAtAnyRequest(t *testing.T) {
	for skip := range 8 {
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t, "flasharray-x-01", simulator.Options{})
			defer l.close(t)
			l.whole(t)
			l.SetFaults(simulator.Expire().After(skip).Times(1))
			l.whole(t)
			if l.Logins() != 2 || l.Sessions() != 1 {
				t.Errorf("%d logins, %d sessions open", l.Logins(), l.Sessions())
			}
		})
	}
}

func TestIdleSessionExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, "flasharray-x-01", simulator.Options{SessionIdle: 5 * time.Minute})
		defer l.close(t)
		for _, pause := range []time.Duration{0, time.Minute, 6 * time.Minute, time.Minute} {
			time.Sleep(pause)
			l.whole(t)
		}
		if l.Logins() != 2 {
			t.Errorf("%d logins", l.Logins())
		}
	})
}

func TestConnectionMayBeClosedBetweenReadings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, "flasharray-x-01", simulator.Options{}, func(o *flasharray.Options) { o.IdleTimeout = -1 })
		defer l.close(t)
		for range 3 {
			l.whole(t)
		}
		if l.dials.Load() != 3 || l.Logins() != 1 {
			t.Errorf("%d connections and %d logins", l.dials.Load(), l.Logins())
		}
	})
}

func TestTokenRevoked(t *testing.T) {
	l := newLab(t, "flasharray-x-01", simulator.Options{Tokens: []string{"another"}})
	defer l.close(t)
	if _, err := l.client.Sample(t.Context()); !errors.Is(err, flasharray.ErrTokenRefused) {
		t.Errorf("got %v", err)
	}
	l.SetTokens(apiToken)
	l.whole(t)
}

func TestExpiredCertificate(t *testing.T) {
	l := newNetLab(t, "flasharray-x-01", simulator.Options{})
	defer l.close(t)
	l.server.ExpireCertificate(l.Name(), true)
	_, err := l.client.Sample(t.Context())
	if distrust := (*tls.CertificateVerificationError)(nil); !errors.As(err, &distrust) || !strings.Contains(err.Error(), "expired") {
		t.Errorf("got %v", err)
	}
	l.server.ExpireCertificate(l.Name(), false)
	l.whole(t)
}

func TestRoleWithoutRights(t *testing.T) {
	l := newLab(t, "flasharray-x-01", simulator.Options{})
	defer l.close(t)
	l.SetFaults(simulator.WithoutRights()[0], simulator.NullFields("capacity", "space.*").On("arrays/space"))
	stats := l.sample(t)
	if stats.Space != nil || len(stats.Faults) != 1 || stats.Faults[0].Part != "space" || stats.Performance == nil {
		t.Errorf("space %+v, faults %v", stats.Space, stats.Faults)
	}
	l.SetFaults(simulator.NullFields("space.*").On("arrays/space"))
	if stats = l.whole(t); stats.Space.Capacity == nil || stats.Space.Used() != nil || stats.Space.DataReduction != nil {
		t.Errorf("space is %+v", stats.Space)
	}
}

func TestNullFieldsAreMissing(t *testing.T) {
	l := newLab(t, "flasharray-x-01", simulator.Options{})
	defer l.close(t)
	l.SetFaults(simulator.NullFields("reads_per_sec", "usec_per_write_op").On("arrays/performance"))
	perf := l.whole(t).Performance
	if perf.ReadsPerSec != nil || perf.UsecPerWrite != nil || perf.WritesPerSec == nil || perf.UsecPerRead == nil {
		t.Errorf("got %+v", perf)
	}
}

func TestWrongClocks(t *testing.T) {
	for _, skew := range []time.Duration{-48 * time.Hour, -5 * time.Minute, 0, 7 * time.Minute, 30 * 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(60 * 24 * time.Hour)
			l := newLab(t, "flasharray-x-01", simulator.Options{
				Clock: func() time.Time { return time.Now().Add(skew) }, SessionIdle: -1,
			})
			defer l.close(t)
			for range 2 {
				stats := l.whole(t)
				if stats.ClockSkew == nil || (*stats.ClockSkew-skew).Abs() > time.Second {
					t.Errorf("a skew of %s was measured as %v", skew, stats.ClockSkew)
				}
				if stats.Performance == nil || stats.Performance.Age > 31*time.Second {
					t.Errorf("with a skew of %s the newest sample is %+v", skew, stats.Performance)
				}
				time.Sleep(time.Minute)
			}
		})
	}
}

func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Hour)
		l := newLab(t, "flasharray-r-01", simulator.Options{Population: simulator.Population{
			"volumes": {Live: 20000, Destroyed: 500}, "volume-snapshots": {Live: 100000},
			"hosts": {Live: 500}, "protection-groups": {Live: 200},
		}})
		defer l.close(t)
		check := func(what string) {
			t.Helper()
			l.ResetTraffic()
			l.bytes.Store(0)
			stats := l.whole(t)
			if n := *stats.Counts.Snapshots; n != 100000 {
				t.Errorf("%d snapshots", n)
			}
			if n, b := l.requestCount(), l.bytes.Load(); n > 8 || b > 16<<10 {
				t.Errorf("%s: cost %d requests and %d bytes, TLS included: %v", what, n, b, l.Requests())
			} else {
				t.Logf("%s: %d requests and %d bytes, TLS included", what, n, b)
			}
		}
		l.whole(t)
		check("busy")
		l.SetHistory(simulator.History{Late: 10 * time.Minute})
		check("just idle")
		check("idle")
		l.SetHistory(simulator.History{Late: 10 * time.Minute, Order: simulator.Unordered})
		check("idle, unordered")
		l.SetHistory(simulator.History{Empty: true})
		check("empty")
		l.SetHistory(simulator.History{})
		check("busy again")
	})
}

func TestGetFetchesWhatever(t *testing.T) {
	l := newLab(t, "flasharray-x-01", simulator.Options{})
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
	if n := l.client.Counters(); n.Requests[http.StatusOK] < 3 || n.Requests[http.StatusNotFound] != 1 || n.Logins != 1 || n.BodyBytes == 0 {
		t.Errorf("counted %+v", n)
	}
}
