package flasharray_test

import (
	"crypto/tls"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolcast/poolcast/flasharray"
	"github.com/poolcast/poolcast/flasharray/simulator"
)

func TestSampleOnePartFails(t *testing.T) {
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
				l := newEnvironment(t, "flasharray-r-01", simulator.Options{})
				defer l.close(t)
				whole := l.sampleTurn(t)
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
					t.Errorf("identity is %+v", stats.Identity)
				}
				l.SetFaults()
				l.sampleComplete(t)
				if l.Logins() != 1 {
					t.Errorf("%d logins", l.Logins())
				}
			})
		})
	}
}

func TestSampleEverythingFails(t *testing.T) {
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
			l := newEnvironment(t, "flasharray-x-01", simulator.Options{})
			defer l.close(t)
			l.sampleComplete(t)
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
			l.sampleComplete(t)
		})
	}
}

func TestHangingArrayCostsTwoTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newEnvironment(t, "flasharray-x-01", simulator.Options{})
		defer l.close(t)
		l.sampleComplete(t)
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

func TestBusyArrayGetsNoFurtherRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newEnvironment(t, "flasharray-x-01", simulator.Options{})
		defer l.close(t)
		l.sampleComplete(t)
		l.ResetTraffic()
		l.SetFaults(simulator.RateLimited("30").On("volumes"))
		stats := l.sample(t)
		if n := l.requestCount(); n != 3 {
			t.Errorf("it got %d requests: %v", n, l.Requests())
		}
		for _, f := range stats.Faults {
			var wait interface{ RetryAfter() time.Duration }
			if !errors.As(f.Err, &wait) || wait.RetryAfter() != 30*time.Second {
				t.Errorf("%s has no Retry-After: %v", f.Part, f.Err)
			}
		}
	})
}

func TestExpiredCertificate(t *testing.T) {
	l := newNetEnvironment(t, "flasharray-x-01", simulator.Options{})
	defer l.close(t)
	l.server.ExpireCertificate(l.Name(), true)
	_, err := l.client.Sample(t.Context())
	if distrust := (*tls.CertificateVerificationError)(nil); !errors.As(err, &distrust) || !strings.Contains(err.Error(), "expired") {
		t.Errorf("got %v", err)
	}
	l.server.ExpireCertificate(l.Name(), false)
	l.sampleComplete(t)
}

func TestRoleWithoutRights(t *testing.T) {
	l := newEnvironment(t, "flasharray-x-01", simulator.Options{})
	defer l.close(t)
	l.SetFaults(simulator.WithoutRights()[0], simulator.NullFields("capacity", "space.*").On("arrays/space"))
	stats := l.sample(t)
	if stats.Space != nil || len(stats.Faults) != 1 || stats.Faults[0].Part != "space" || stats.Performance == nil {
		t.Errorf("space %+v, faults %v", stats.Space, stats.Faults)
	}
	l.SetFaults(simulator.NullFields("space.*").On("arrays/space"))
	if stats = l.sampleComplete(t); stats.Space.Capacity == nil || stats.Space.Used() != nil || stats.Space.DataReduction != nil {
		t.Errorf("space is %+v", stats.Space)
	}
}

func TestNullFields(t *testing.T) {
	l := newEnvironment(t, "flasharray-x-01", simulator.Options{})
	defer l.close(t)
	l.SetFaults(simulator.NullFields("reads_per_sec", "usec_per_write_op").On("arrays/performance"))
	perf := l.sampleComplete(t).Performance
	if perf.ReadsPerSec != nil || perf.UsecPerWrite != nil || perf.WritesPerSec == nil || perf.UsecPerRead == nil {
		t.Errorf("got %+v", perf)
	}
}

// TestLoginResponseCut checks that no session stays open when the response to a
// login is not complete: the array has opened one nevertheless.
func TestLoginResponseCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newEnvironment(t, "flasharray-x-01", simulator.Options{})
		defer l.close(t)
		l.SetFaults(simulator.CutBody().On("login"))
		l.sampleComplete(t)
		if n := l.Sessions(); n != 1 {
			t.Errorf("%d sessions are open", n)
		}
	})
}
