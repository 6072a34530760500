package flasharray_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/flasharray"
	"github.com/poolcast/poolcast/flasharray/simulator"
)

// response is a response with n items, each from the function.
func response(n int, item func(i int) string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = item(i)
	}
	return `{"items":[` + strings.Join(items, ",") + `]}`
}

func alert(i int, severity, state string) string {
	text := strings.Repeat("(service:x): lookup failed. ", 20)
	return fmt.Sprintf(`{"id":"a%d","name":"%d","state":"%s","severity":"%s","category":"array","code":7,"component_type":"service",
		"component_name":"x","summary":"%s","issue":"x","description":"%s","flagged":false,"created":%d,"updated":5}`, i, i, state, severity, text, text, i)
}

// stretchedPod is one of two arrays, of which the first is this one.
func stretchedPod(i int, id, mine, other string) string {
	return fmt.Sprintf(`{"id":"p%d","name":"pod%03d","destroyed":false,"array_count":2,"arrays":[
		{"id":"%s","name":"here","status":"online","mediator_status":"%s"},{"id":"b","name":"there","status":"online","mediator_status":"%s"}]}`, i, i, id, mine, other)
}

func link(i int, status, lag string) string {
	return fmt.Sprintf(`{"id":"l%d","direction":"outbound","status":"%s","lag":%s,"local_pod":{"id":"p","name":"p"},"remote_pod":{"id":"q","name":"q"},"remotes":[{"id":"b","name":"there"}]}`, i, status, lag)
}

// troubled is the fixture of an array that replicates, with other responses.
func troubled(t testing.TB, responses map[string]string) simulator.Fixture {
	t.Helper()
	f := fixture(t, "flasharray-r-01")
	for path, text := range responses {
		var err error
		if f, err = f.With(path, text); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// idOf is the id of the array of troubled.
const idOf = "165a6c28-30d4-449c-b1a8-5ba0fe6c6e5c"

// conditionOf polls an array for ten minutes.
func conditionOf(t *testing.T, responses map[string]string) (c capability.Condition) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := newEnvironmentOf(t, troubled(t, responses), simulator.Options{SessionIdle: -1})
		defer l.close(t)
		for range 40 {
			c = l.sampleComplete(t).Condition
			time.Sleep(15 * time.Second)
		}
	})
	return c
}

func TestConditionOfBuiltinArrays(t *testing.T) {
	all, err := simulator.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		synctest.Test(t, func(t *testing.T) {
			l := newEnvironment(t, f.Name, simulator.Options{SessionIdle: -1})
			defer l.close(t)
			c := l.sampleTurn(t).Condition
			warnings := int64(0)
			if f.Name == "flasharray-x-01" {
				warnings = 1
			}
			if c.CriticalAlerts.Value != 0 || c.WarningAlerts.Value != warnings || c.InfoAlerts.Value != 0 || c.InfoAlerts.At.IsZero() {
				t.Errorf("%s: open alerts are %v, %v and %v", f.Name, c.CriticalAlerts, c.WarningAlerts, c.InfoAlerts)
			}
			for i, ct := range c.Controllers.Value {
				if ready, known := ct.Ready(); !ready || !known || ct.Name != fmt.Sprintf("CT%d", i) || ct.Model == "" || ct.Version == "" {
					t.Errorf("%s: controller %+v", f.Name, ct)
				}
			}
			stretched := strings.Contains(f.Name, "-r-")
			if stretched != (c.Mediators.Value["online"] == 1) || stretched != (c.ReplicaLinks.Value.MaxLag != nil && *c.ReplicaLinks.Value.MaxLag == 2500*time.Millisecond) {
				t.Errorf("%s: mediators %v, links %v", f.Name, c.Mediators, c.ReplicaLinks)
			}
			if len(c.Faults) > 0 || len(c.Controllers.Value) != 2 {
				t.Errorf("%s: faults %v, controllers %v", f.Name, c.Faults, c.Controllers)
			}
		})
	}
}

func TestConditionInTrouble(t *testing.T) {
	c := conditionOf(t, map[string]string{
		"alerts": response(10, func(i int) string {
			return alert(i, []string{"critical", "warning", "info", "hidden", "critical"}[i%5], []string{"open", "closed"}[i/8])
		}),
		"controllers": `{"items":[{"name":"CT0","type":"array_controller","status":"ready","mode":"primary","model":"FA-X90R4","version":"6.10.2"},
			{"name":"SH0.SC0","type":"shelf_controller","status":"ready","mode":"primary"},
			{"name":"CT1","type":"array_controller","status":"not ready","mode":"offline","model":"FA-X90R4","version":"6.10.1"}]}`,
		"pods": response(7, func(i int) string {
			return stretchedPod(i, idOf, []string{"online", "unreachable", "flummoxed", "asleep", "online", "online", "online"}[i], "unreachable")
		}),
		"pod-replica-links/lag": response(4, func(i int) string {
			return link(i, []string{"replicating", "paused", "baselining", "replicating"}[i], []string{`{"avg":900,"max":1000}`, `{"avg":500,"max":7200000}`, `null`, `{"avg":null,"max":null}`}[i])
		}),
	})
	if c.CriticalAlerts.Value != 3 || c.WarningAlerts.Value != 2 || c.InfoAlerts.Value != 2 {
		t.Errorf("open alerts are %v, %v and %v", c.CriticalAlerts.Value, c.WarningAlerts.Value, c.InfoAlerts.Value)
	}
	if diff := cmp.Diff([]capability.Controller{
		{Name: "CT0", Mode: "primary", Status: "ready", Model: "FA-X90R4", Version: "6.10.2"},
		{Name: "CT1", Mode: "offline", Status: "not ready", Model: "FA-X90R4", Version: "6.10.1"},
	}, c.Controllers.Value); diff != "" {
		t.Errorf("controllers differ (-want +got):\n%s", diff)
	}
	if want := map[string]int64{"online": 4, "unreachable": 1, "flummoxed": 1, "other": 1}; !maps.Equal(c.Mediators.Value, want) {
		t.Errorf("mediators are %v", c.Mediators.Value)
	}
	if want := map[string]int64{"replicating": 2, "paused": 1, "baselining": 1}; !maps.Equal(c.ReplicaLinks.Value.Statuses, want) || *c.ReplicaLinks.Value.MaxLag != 2*time.Hour {
		t.Errorf("links are %+v", c.ReplicaLinks.Value)
	}
}

// TestConditionBudget polls arrays with more objects than any has.
func TestConditionBudget(t *testing.T) {
	for name, tc := range map[string]struct{ pods, links int }{"few": {2, 4}, "some": {16, 32}, "far too many": {500, 500}} {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(time.Hour)
			first := map[string]string{
				"alerts":                response(1000, func(i int) string { return alert(i, []string{"critical", "warning", "info"}[i%3], "open") }),
				"pods":                  response(tc.pods, fullPod),
				"pod-replica-links/lag": response(tc.links, fullLink),
			}
			l := newEnvironmentOf(t, troubled(t, first), simulator.Options{SessionIdle: -1})
			defer l.close(t)
			most := int64(0)
			var c capability.Condition
			for i := range 120 {
				l.ResetTraffic()
				l.bytes.Store(0)
				c = l.sampleComplete(t).Condition
				if i > 0 {
					if n := l.requestCount(); n != 8 {
						t.Fatalf("%s: sample %d cost %d requests: %v", name, i, n, l.Requests())
					}
					most = max(most, l.bytes.Load())
				}
				time.Sleep(15 * time.Second)
			}
			if most > 16<<10 {
				t.Errorf("%s: a sample cost %d bytes, TLS included", name, most)
			}
			t.Logf("%s: %d bytes at the most, TLS included", name, most)
			if c.CriticalAlerts.Value != 334 || c.WarningAlerts.Value != 333 || c.InfoAlerts.Value != 333 {
				t.Errorf("%s: open alerts are %v, %v and %v", name, c.CriticalAlerts.Value, c.WarningAlerts.Value, c.InfoAlerts.Value)
			}
			if tc.pods > 16 {
				if len(c.Faults) != 2 || c.Mediators.Value != nil || c.ReplicaLinks.Value.Statuses != nil || !strings.Contains(c.Faults[0].Err.Error(), "500 are too many") {
					t.Errorf("%s: faults %v, mediators %v", name, c.Faults, c.Mediators)
				}
			} else if c.Mediators.Value["online"] != int64(tc.pods) || c.ReplicaLinks.Value.Statuses["replicating"] != int64(tc.links) {
				t.Errorf("%s: mediators %v, links %v", name, c.Mediators.Value, c.ReplicaLinks.Value)
			}
		})
	}
}

// fullPod has every member that the API of today has.
func fullPod(i int) string {
	member := func(id, kind string) string {
		return fmt.Sprintf(`{"id":"%s","name":"flasharray-r-01","resource_type":"%s"}`, id, kind)
	}
	array := func(id, kind string) string {
		return fmt.Sprintf(`{"id":"%s","name":"flasharray-r-01","status":"online","mediator_status":"online","pre_elected":false,"frozen_at":null,"progress":null,"member":%s}`, id, member(id, kind))
	}
	const there = "f75fc3b3-c4a3-48ad-bd82-7d5bade032b4"
	return fmt.Sprintf(`{"id":"%036d","name":"production-pod-%03d","destroyed":false,"time_remaining":null,"array_count":2,"link_source_count":0,"link_target_count":0,
		"promotion_status":"promoted","requested_promotion_state":"promoted","mediator":"purestorage","mediator_version":null,"failover_preferences":[],
		"source":{"id":null,"name":null},"eradication_config":{"manual_eradication":"all-enabled"},"footprint":0,"quota_limit":null,"arrays":[%s,%s],"members":[%s,%s],
		"space":{"data_reduction":4.0,"thin_provisioning":0.75,"total_reduction":16.0,"total_provisioned":549755813888,"used_provisioned":137438953472,"virtual":137438953472,
		"unique":25769803776,"shared":8589934592,"snapshots":2147483648,"system":null,"replication":0,"total_physical":36507222016,"total_used":36507222016,
		"shared_effective":null,"replication_effective":null,"footprint":null}}`, i, i, array(idOf, "arrays"), array(there, "remote-arrays"), member(idOf, "arrays"), member(there, "arrays"))
}

func fullLink(i int) string {
	return fmt.Sprintf(`{"id":"%036d","direction":"outbound","status":"replicating","local_pod":{"id":"%036d","name":"production-pod-%03d"},
		"remote_pod":{"id":"%036d","name":"production-pod-%03d-dr"},"remotes":[{"id":"%036d","name":"flasharray-c-01","resource_type":"remote-arrays"}],
		"local_pod_members":[{"id":"%036d","name":"flasharray-r-01","resource_type":"arrays"}],"lag":{"avg":1500,"max":2500},"recovery_point":1764000060000,"time":1764000062500}`, i, i, i, i, i, i, i)
}

// TestEveryPartHasItsTurn checks how old a part gets at a poll interval, and that the
// connections are not neglected.
func TestEveryPartHasItsTurn(t *testing.T) {
	for interval, most := range map[time.Duration]time.Duration{
		15 * time.Second: 5 * time.Minute, 30 * time.Second: 6 * time.Minute, time.Minute: 10 * time.Minute,
	} {
		for _, name := range []string{"flasharray-x-01", "flasharray-r-01"} {
			synctest.Test(t, func(t *testing.T) {
				l := newEnvironment(t, name, simulator.Options{SessionIdle: -1})
				defer l.close(t)
				oldest := map[string]time.Duration{}
				links, linksAsked := time.Now(), time.Duration(0)
				for i := range int(time.Hour / interval) {
					l.ResetTraffic()
					c := l.sampleComplete(t).Condition
					if l.Requests()["GET array-connections"] > 0 {
						links = time.Now()
					}
					if i > 10 {
						ages := map[string]time.Time{"critical": c.CriticalAlerts.At, "warning": c.WarningAlerts.At, "info": c.InfoAlerts.At, "controllers": c.Controllers.At}
						if name == "flasharray-r-01" {
							ages["mediators"], ages["replica links"] = c.Mediators.At, c.ReplicaLinks.At
						}
						for part, at := range ages {
							oldest[part] = max(oldest[part], time.Since(at))
						}
						linksAsked = max(linksAsked, time.Since(links))
					}
					time.Sleep(interval)
				}
				for part, age := range oldest {
					if age > most || part == "critical" && age > most*6/10 {
						t.Errorf("%s every %s: %s were up to %s old", name, interval, part, age)
					}
				}
				if linksAsked > most*6/10 {
					t.Errorf("%s every %s: connections were up to %s old", name, interval, linksAsked)
				}
				t.Logf("%s every %s: critical alerts up to %s, connections %s, all parts %s", name, interval, oldest["critical"], linksAsked, slices.Max(slices.Collect(maps.Values(oldest))))
			})
		}
	}
}

// TestConditionRefused checks that what a role may not read is requested rarely, keeps
// no sample from being complete, and is read again once it may be.
func TestConditionRefused(t *testing.T) {
	for name, fault := range map[string]simulator.Fault{
		"403": simulator.Forbidden(), "404": {Status: http.StatusNotFound}, "400": {Status: http.StatusBadRequest},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := newEnvironment(t, "flasharray-r-01", simulator.Options{SessionIdle: -1})
			defer l.close(t)
			l.SetFaults(fault.On("alerts"), fault.On("pods"), fault.On("pod-replica-links/lag"))
			l.ResetTraffic()
			var c capability.Condition
			for range 50 {
				c = l.sampleComplete(t).Condition
				time.Sleep(time.Minute)
			}
			var parts []string
			for _, f := range c.Faults {
				parts = append(parts, f.Part)
				if name == "403" && !errors.Is(f.Err, flasharray.ErrForbidden) {
					t.Errorf("%s: %v", f.Part, f.Err)
				}
			}
			if want := []string{"critical alerts", "warning alerts", "info alerts", "pods", "pod replica links"}; !slices.Equal(parts, want) {
				t.Errorf("%s: faults are %v", name, c.Faults)
			}
			if n := l.Requests()["GET alerts"]; n != 3 || !c.CriticalAlerts.At.IsZero() {
				t.Errorf("%s: %d requests for alerts within an hour, read at %v", name, n, c.CriticalAlerts.At)
			}
			l.SetFaults()
			for range 30 {
				c = l.sampleComplete(t).Condition
				time.Sleep(time.Minute)
			}
			if len(c.Faults) > 0 || c.CriticalAlerts.At.IsZero() {
				t.Errorf("%s: after the right was given: %v", name, c.Faults)
			}
		})
	}
}

// TestConditionKept checks that one failure changes nothing, that a lasting one is
// reported while the reading is kept, and that another session keeps it too.
func TestConditionKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newEnvironment(t, "flasharray-x-01", simulator.Options{SessionIdle: -1})
		defer l.close(t)
		before := l.sampleTurn(t).Condition.WarningAlerts
		l.SetFaults(simulator.ServerError(500).On("alerts").Times(1), simulator.Expire().On("volumes").Times(1))
		time.Sleep(time.Minute)
		for range 3 {
			if c := l.sampleComplete(t).Condition; len(c.Faults) > 0 || c.WarningAlerts != before {
				t.Errorf("after one failure: %v, %v", c.Faults, c.WarningAlerts)
			}
		}
		l.SetFaults(simulator.ServerError(500).On("alerts"))
		var c capability.Condition
		for range 20 {
			time.Sleep(time.Minute)
			c = l.sampleComplete(t).Condition
		}
		if len(c.Faults) != 3 || c.WarningAlerts != before {
			t.Errorf("after failures of 20 minutes: %v, %v", c.Faults, c.WarningAlerts)
		}
	})
}

// TestConditionOfAnotherArray checks that nothing of an array is left when another one
// has its address.
func TestConditionOfAnotherArray(t *testing.T) {
	f := newFakeArray(t)
	f.respond("alerts", `{"items":[],"total_item_count":4}`)
	c := f.client(t)
	defer closeClient(t, c)
	var s capability.Sample
	for range 3 {
		var err error
		if s, err = c.Sample(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if s.Condition.CriticalAlerts.Value != 4 {
		t.Fatalf("condition is %+v", s.Condition)
	}
	f.respond("arrays", `{"items":[{"id":"B","name":"fb","version":"6.4.10"}]}`)
	f.respond("arrays/space", `{"items":[{"id":"B","name":"fb","capacity":1000,"space":{}}]}`)
	f.respond("alerts", `{"items":[],"total_item_count":null}`)
	if s, err := c.Sample(t.Context()); err != nil || !s.Condition.CriticalAlerts.At.IsZero() || s.Identity.ID != "B" {
		t.Errorf("condition is %+v (%v)", s.Condition, err)
	}
}
