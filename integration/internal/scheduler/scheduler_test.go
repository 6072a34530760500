//go:build integration

package scheduler_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/integration/internal/scheduler"
	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/integration/rabbitmq"
)

// TestSchedulerShowsReports is the harness's own proof: a report that Cinder
// sends comes out of get_pools, and a restart forgets it.
func TestSchedulerShowsReports(t *testing.T) {
	broker := rabbitmq.Start(t, rabbitmq.Options{})
	cinder := scheduler.Start(t, scheduler.Options{
		Broker:   broker,
		Backends: []scheduler.Backend{{Host: "ctl1@gold", Zone: "dc1"}},
	})
	said, err := capability.ParseSet([]byte(`{"volume_backend_name": "pool", "total_capacity_gb": 10.5,
		"free_capacity_gb": 3, "thin_provisioning_support": true, "usec": 7, "labels": ["a", "b"]}`))
	if err != nil {
		t.Fatal(err)
	}
	cinder.Report(scheduler.Report{Host: "ctl1@gold", Capabilities: said})
	cinder.Report(scheduler.Report{Host: "ctl1@unknown", Capabilities: said})
	awaitPools(t, cinder, "ctl1@gold#pool")

	pools, err := cinder.Pools()
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range said {
		if got := pools[0].Capabilities[key]; got.String() != want.String() {
			t.Errorf("%s is %v, want %v", key, got, want)
		}
	}

	cinder.Restart()
	awaitPools(t, cinder)
	cinder.Know(scheduler.Backend{Host: "ctl1@unknown", Zone: "dc1"})
	cinder.Report(scheduler.Report{Host: "ctl1@unknown", Capabilities: said})
	awaitPools(t, cinder, "ctl1@unknown#pool")
}

func awaitPools(t *testing.T, cinder *scheduler.Scheduler, want ...string) {
	t.Helper()
	process.Await(t, 20*time.Second, "the pools to be right", func() error {
		pools, err := cinder.Pools()
		if err != nil {
			return err
		}
		var names []string
		for _, p := range pools {
			names = append(names, p.Name)
		}
		if diff := cmp.Diff(want, names); diff != "" {
			return fmt.Errorf("get_pools differs (-want +got):\n%s", diff)
		}
		return nil
	})
}
