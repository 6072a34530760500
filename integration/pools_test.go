//go:build integration

package integration

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/integration/internal/scheduler"
	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/publisher"
)

// TestSchedulerReceivesReports is the program's promise: what the dry run prints
// is what a real scheduler believes of each array of the pool, and when the
// arrays' numbers move, so does the scheduler's belief.
func TestSchedulerReceivesReports(t *testing.T) {
	t.Parallel()
	broker, transport := joinBroker(t)
	env := newEnvironment(t, threeArrays(t), transport)
	cinder := scheduler.Start(t, scheduler.Options{Broker: broker, Backends: env.backends()})
	env.startVolume(broker)
	a := env.startAgent()
	for frame := range 3 {
		env.setFrame(frame)
		env.awaitPools(cinder, pollBound)
	}
	a.finish()
}

// TestOverlayWithCinderVolume lets cinder-volume speak beside the agent: what the
// agent knows nothing of passes through, what it measures wins, and once it has
// gone, cinder-volume has the word again.
func TestOverlayWithCinderVolume(t *testing.T) {
	t.Parallel()
	broker, transport := joinBroker(t)
	env := newEnvironment(t, threeArrays(t)[:1], transport)
	cinder := scheduler.Start(t, scheduler.Options{Broker: broker, Backends: env.backends()})
	host := hostName(env.arrays[0].Name())
	a := env.startAgent()
	a.awaitLog(0, "session", string(publisher.Ready))

	said := volumeReport(t, env.dryRun()[0])
	cinder.Report(scheduler.Report{Host: host, Capabilities: said})
	for frame := range 2 {
		env.setFrame(frame)
		measured := env.dryRun()[0].Capabilities
		awaitCapabilities(t, cinder, host, func(got capability.Set) error {
			if v, there := got[capability.KeyProvisionedCapacity]; there {
				return fmt.Errorf("provisioned_capacity_gb was added, though cinder-volume does not send it: %v", v)
			}
			return holds(got, withOverlay(said, measured))
		})
	}

	a.finish()
	said["unknown_integer"] = capability.OfInt(43)
	cinder.Report(scheduler.Report{Host: host, Capabilities: said})
	awaitCapabilities(t, cinder, host, func(got capability.Set) error {
		if v, there := got[capability.KeyMetricsAgent]; there {
			return fmt.Errorf("metrics_agent is still there: %v", v)
		}
		return holds(got, said)
	})
}

// volumeReport is what a cinder-volume of another release might say of an
// array: old numbers, keys that nobody knows, and no provisioned_capacity_gb.
func volumeReport(t *testing.T, r capability.Report) capability.Set {
	t.Helper()
	said, err := capability.ParseSet([]byte(`{
		"unknown_integer": 42, "unknown_float": 1.0, "unknown_text": "naïve \u65e5 <&>",
		"unknown_list": [1, {"a": [null, true]}], "unknown_null": null,
		"allocated_capacity_gb": 977, "backend_state": "up",
		"total_volumes": 1, "reads_per_sec": 1, "usec_per_read_op": 1, "free_capacity_gb": 1.5,
		"tier": "as cinder-volume says"
	}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{
		capability.KeyVolumeBackendName, capability.KeyTotalCapacity, capability.KeyThinProvisioning,
		capability.KeyStorageProtocol, capability.KeyReservedPercentage, capability.KeyMaxOverSubscription,
		capability.KeyVendorName, capability.KeyDriverVersion,
	} {
		said[key] = r.Capabilities[key]
	}
	return said
}

// withOverlay is cinder-volume's report with some of the measured keys replaced or
// added: enough of them to see that the rule works in both directions.
func withOverlay(said, measured capability.Set) capability.Set {
	out := said.Clone()
	for _, key := range []string{
		"total_volumes", "reads_per_sec", "usec_per_read_op", "free_capacity_gb",
		"writes_per_sec", "load_percent", "array_id", "metrics_status", "metrics_agent",
	} {
		out[key] = measured[key]
	}
	return out
}

// awaitPools waits until the scheduler believes, of every array, all that the
// dry run prints.
func (env *environment) awaitPools(cinder *scheduler.Scheduler, within time.Duration) {
	env.t.Helper()
	reports := env.dryRun()
	if len(reports) != len(env.arrays) {
		env.t.Fatalf("the dry run has %d reports of %d arrays", len(reports), len(env.arrays))
	}
	process.Await(env.t, within, "get_pools to say what the dry run says", func() error {
		pools, err := cinder.Pools()
		if err != nil {
			return err
		}
		if len(pools) != len(reports) {
			return fmt.Errorf("get_pools has %d pools, want %d", len(pools), len(reports))
		}
		for _, r := range reports {
			if err := holds(find(pools, r.Host), r.Capabilities); err != nil {
				return fmt.Errorf("%s: %w", r.Host, err)
			}
		}
		return nil
	})
}

// awaitCapabilities waits until a backend's capabilities at the scheduler are
// as they should be.
func awaitCapabilities(t *testing.T, cinder *scheduler.Scheduler, host string, wrong func(capability.Set) error) {
	t.Helper()
	process.Await(t, pollBound, "the scheduler to know "+host+" rightly", func() error {
		pools, err := cinder.Pools()
		if err != nil {
			return err
		}
		return wrong(find(pools, host))
	})
}

// find returns the capabilities of a backend's only pool, nil if it has none.
func find(pools []scheduler.Pool, host string) capability.Set {
	for _, p := range pools {
		if p.Name == host+"#"+pool {
			return p.Capabilities
		}
	}
	return nil
}

// holds is an error unless a set has every key of another with its value. The
// age of a measurement is its own business.
func holds(got, want capability.Set) error {
	for _, key := range want.SortedKeys() {
		value, there := got[key]
		switch {
		case !there:
			return fmt.Errorf("%s is missing", key)
		case key == capability.KeyMetricsAge:
			if age, whole := value.Int(); !whole || age < 0 {
				return fmt.Errorf("%s is %v", key, value)
			}
		case key == capability.KeyStorageProtocol && value.Kind() == capability.List:
			// The scheduler itself spells it in every way that a volume type
			// may (cinder/scheduler/host_manager.py, BackendState).
			if !among(value, want[key]) {
				return fmt.Errorf("%s is %v, want %v among them", key, value, want[key])
			}
		case !value.Equal(want[key]):
			return fmt.Errorf("%s is %v, want %v", key, value, want[key])
		}
	}
	return nil
}

// among says whether a value is a list that has a member.
func among(list, member capability.Value) bool {
	members, _ := list.List()
	return slices.ContainsFunc(members, member.Equal)
}
