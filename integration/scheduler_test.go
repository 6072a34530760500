//go:build integration

package integration

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/integration/cindertest"
	"github.com/poolcast/poolcast/integration/internal/scheduler"
	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/integration/rabbitmq"
	"github.com/poolcast/poolcast/publisher"
)

// TestSchedulerReceivesReports checks that a real scheduler holds of each array of the
// pool what the dry run prints, also after the arrays' numbers have changed.
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

// TestOverlayWithCinderVolume sends cinder-volume's reports beside the agent's: keys that
// the agent does not measure are forwarded unchanged, measured keys are replaced, and
// after the agent has ended, cinder-volume's report is the effective one.
func TestOverlayWithCinderVolume(t *testing.T) {
	t.Parallel()
	broker, transport := joinBroker(t)
	env := newEnvironment(t, threeArrays(t)[:1], transport)
	cinder := scheduler.Start(t, scheduler.Options{Broker: broker, Backends: env.backends()})
	host := hostName(env.arrays[0].Name())
	a := env.startAgent()
	a.awaitLog(0, "session", string(publisher.Ready))

	base := volumeReport(t, env.dryRun()[0])
	cinder.Report(scheduler.Report{Host: host, Capabilities: base})
	for frame := range 2 {
		env.setFrame(frame)
		measured := env.dryRun()[0].Capabilities
		awaitCapabilities(t, cinder, host, func(got capability.Set) error {
			if v, there := got[capability.KeyProvisionedCapacity]; there {
				return fmt.Errorf("provisioned_capacity_gb was added, though cinder-volume does not send it: %v", v)
			}
			return holds(got, withOverlay(base, measured))
		})
	}

	a.finish()
	base["unknown_integer"] = capability.OfInt(43)
	cinder.Report(scheduler.Report{Host: host, Capabilities: base})
	awaitCapabilities(t, cinder, host, func(got capability.Set) error {
		if v, there := got[capability.KeyMetricsAgent]; there {
			return fmt.Errorf("metrics_agent is still there: %v", v)
		}
		return holds(got, base)
	})
}

// volumeReport is a report of a cinder-volume of another release: old numbers, unknown
// keys, and no provisioned_capacity_gb.
func volumeReport(t *testing.T, r capability.Report) capability.Set {
	t.Helper()
	report, err := capability.ParseSet([]byte(`{
		"unknown_integer": 42, "unknown_float": 1.0, "unknown_text": "naïve \u65e5 <&>",
		"unknown_list": [1, {"a": [null, true]}], "unknown_null": null,
		"allocated_capacity_gb": 977, "backend_state": "up",
		"total_volumes": 1, "reads_per_sec": 1, "usec_per_read_op": 1, "free_capacity_gb": 1.5,
		"tier": "of cinder-volume"
	}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{
		capability.KeyVolumeBackendName, capability.KeyTotalCapacity, capability.KeyThinProvisioning,
		capability.KeyStorageProtocol, capability.KeyReservedPercentage, capability.KeyMaxOverSubscription,
		capability.KeyVendorName, capability.KeyDriverVersion,
	} {
		report[key] = r.Capabilities[key]
	}
	return report
}

// withOverlay is a base report with some of the measured keys replaced or added.
func withOverlay(base, measured capability.Set) capability.Set {
	out := base.Clone()
	for _, key := range []string{
		"total_volumes", "reads_per_sec", "usec_per_read_op", "free_capacity_gb",
		"writes_per_sec", "load_percent", "array_id", "metrics_status", "metrics_agent",
	} {
		out[key] = measured[key]
	}
	return out
}

// awaitPools waits until the scheduler has, of every array, all that the dry run
// prints.
func (env *environment) awaitPools(cinder *scheduler.Scheduler, within time.Duration) {
	env.t.Helper()
	reports := env.dryRun()
	if len(reports) != len(env.arrays) {
		env.t.Fatalf("the dry run has %d reports of %d arrays", len(reports), len(env.arrays))
	}
	process.Await(env.t, within, "get_pools to be as the dry run", func() error {
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

// awaitCapabilities waits until a check of a backend's capabilities at the scheduler
// returns nil.
func awaitCapabilities(t *testing.T, cinder *scheduler.Scheduler, host string, check func(capability.Set) error) {
	t.Helper()
	process.Await(t, pollBound, "the capabilities of "+host, func() error {
		pools, err := cinder.Pools()
		if err != nil {
			return err
		}
		return check(find(pools, host))
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

// holds returns an error unless a set has every key of another with its value. The age
// of a sample may differ.
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
			// The scheduler makes a list of all spellings that a volume type may have
			// (cinder/scheduler/host_manager.py, BackendState).
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

// TestAgentBrokerAndSchedulerOutages stops scheduler and broker, one after the other,
// beginning without a scheduler. Each time the agent waits, logs it once and publishes
// again afterwards. It declares nothing that a scheduler declares, and leaves nothing on
// the broker.
func TestAgentBrokerAndSchedulerOutages(t *testing.T) {
	t.Parallel()
	broker, transport := startBroker(t)
	env := newEnvironment(t, threeArrays(t), transport)
	a := env.startAgent()
	a.awaitLog(0, "session", string(publisher.NoScheduler))
	if found := broker.Exchanges(); len(found) != 0 {
		t.Errorf("the agent has declared exchanges: %+v", found)
	}

	cinder := scheduler.Start(t, scheduler.Options{Broker: broker, Backends: env.backends()})
	env.startVolume(broker)
	env.awaitPools(cinder, reconnectBound)
	declared := broker.Exchanges()

	seen := len(a.log())
	broker.Kill()
	env.setFrame(1)
	a.awaitLog(seen, "session", string(publisher.Connecting))
	broker.Start()
	env.awaitPools(cinder, reconnectBound)

	seen = len(a.log())
	cinder.Stop()
	env.setFrame(2)
	a.awaitLog(seen, "session", string(publisher.NoScheduler))
	cinder.Start()
	env.awaitPools(cinder, reconnectBound)

	a.finish()
	awaitOnlyCinderQueues(t, broker)
	if now := broker.Exchanges(); !sameNames(declared, now) {
		t.Errorf("exchanges were %+v and are %+v", declared, now)
	}
}

// awaitOnlyCinderQueues waits until every queue on the broker is one of Cinder's.
func awaitOnlyCinderQueues(t *testing.T, broker *rabbitmq.Broker) {
	t.Helper()
	process.Await(t, pollBound, "the agent's queue to be gone", func() error {
		for _, q := range broker.Queues() {
			if q.Exclusive {
				return fmt.Errorf("%+v is left", q)
			}
		}
		return nil
	})
}

// sameNames says whether two lists of exchanges have the same names. Those of RPC replies
// are left out, because they are new at each start.
func sameNames(a, b []rabbitmq.Exchange) bool {
	names := func(list []rabbitmq.Exchange) (names []string) {
		for _, e := range list {
			if !strings.HasPrefix(e.Name, "reply_") {
				names = append(names, e.Name)
			}
		}
		slices.Sort(names)
		return names
	}
	return slices.Equal(names(a), names(b))
}

// TestOncePublishesAndExits sends cinder-volume's report once while --once waits for it:
// the overlay of each array reaches a real scheduler and stays there, and nothing is
// left on the broker and the arrays.
func TestOncePublishesAndExits(t *testing.T) {
	t.Parallel()
	broker, transport := joinBroker(t)
	env := newEnvironment(t, threeArrays(t), transport)
	cinder := scheduler.Start(t, scheduler.Options{Broker: broker, Backends: env.backends()})
	reports := env.driverReports()
	ended := make(chan string)
	go func() {
		out, code := env.try(t, "--once")
		if code != 0 {
			t.Errorf("poolcast --once ended with code %d:\n%s", code, out)
		}
		ended <- out
	}()
	process.Await(t, pollBound, "the agent to listen", func() error {
		for _, queue := range broker.Bound("cinder-scheduler_fanout") {
			if strings.HasPrefix(queue, "amq.gen") {
				return nil
			}
		}
		return errors.New("it has no queue at the exchange")
	})
	volume := cindertest.StartVolume(t, broker.URL())
	for host, report := range reports {
		volume.Report(host, report)
	}
	<-ended
	env.awaitPools(cinder, pollBound)
	awaitOnlyCinderQueues(t, broker)
	for _, a := range env.arrays {
		if n := a.Sessions(); n != 0 {
			t.Errorf("%d sessions are open on %s after the end", n, a.Name())
		}
	}
}

var update = flag.Bool("update", false, "write the golden files")

// TestGetPoolsTranscript checks the transcript that the documents show: what the client
// of Cinder prints of the arrays while the agent runs.
func TestGetPoolsTranscript(t *testing.T) {
	t.Parallel()
	broker, transport := joinBroker(t)
	env := newEnvironment(t, threeArrays(t), transport)
	cinder := scheduler.Start(t, scheduler.Options{Broker: broker, Backends: env.backends()})
	api := cinder.StartAPI()
	env.startVolume(broker)
	a := env.startAgent()
	env.awaitPools(cinder, pollBound)

	got := "$ cinder get-pools --detail\n" + normalized(api.Client("get-pools", "--detail"))
	a.finish()
	checkTranscript(t, "get-pools.txt", got)
}

// checkTranscript compares what was printed with a golden file, which -update writes.
func checkTranscript(t *testing.T, name, got string) {
	t.Helper()
	golden := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("the transcript differs; run make golden if that is intended (-want +got):\n%s", diff)
	}
}

// normalized sorts the pools by name, because the scheduler does not, and replaces the
// two values that differ at each run.
func normalized(transcript string) string {
	table := regexp.MustCompile(`(?m)(\+-.*\n)\| Property[^+]*\+-.*\n[^+]*\+-.*\n`)
	name := regexp.MustCompile(`\| name +\| (\S+)`)
	tables := table.FindAllString(transcript, -1)
	slices.SortFunc(tables, func(a, b string) int {
		return strings.Compare(name.FindString(a), name.FindString(b))
	})
	text := strings.Join(tables, "")
	text = mask(text, `metrics_age_seconds +\| (\d+ )`, "26 ")
	return mask(text, `timestamp +\| (\S+)`, "2026-01-01T12:00:00.000000")
}

// mask replaces the only group of a pattern and keeps the width of the column.
func mask(text, pattern, value string) string {
	cell := regexp.MustCompile(pattern + ` *`)
	return cell.ReplaceAllStringFunc(text, func(found string) string {
		at := cell.FindStringSubmatchIndex(found)[2]
		return fmt.Sprintf("%-*s", len(found), found[:at]+value)
	})
}
