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

// TestSchedulerShowsReports tests the package itself: a report that Cinder sends is in
// get_pools, and is lost at a restart.
func TestSchedulerShowsReports(t *testing.T) {
	broker := rabbitmq.Start(t, rabbitmq.Options{})
	cinder := scheduler.Start(t, scheduler.Options{
		Broker:   broker,
		Backends: []scheduler.Backend{{Host: "ctl1@gold", Zone: "dc1"}},
	})
	capabilities, err := capability.ParseSet([]byte(`{"volume_backend_name": "pool", "total_capacity_gb": 10.5,
		"free_capacity_gb": 3, "thin_provisioning_support": true, "usec": 7, "labels": ["a", "b"]}`))
	if err != nil {
		t.Fatal(err)
	}
	cinder.Report(scheduler.Report{Host: "ctl1@gold", Capabilities: capabilities})
	cinder.Report(scheduler.Report{Host: "ctl1@unknown", Capabilities: capabilities})
	pools := awaitPools(t, cinder, "ctl1@gold#pool")
	for key, want := range capabilities {
		if got := pools[0].Capabilities[key]; got.String() != want.String() {
			t.Errorf("%s is %v, want %v", key, got, want)
		}
	}

	cinder.Restart()
	awaitPools(t, cinder)
	cinder.AddBackend(scheduler.Backend{Host: "ctl1@unknown", Zone: "dc1"})
	cinder.Report(scheduler.Report{Host: "ctl1@unknown", Capabilities: capabilities})
	awaitPools(t, cinder, "ctl1@unknown#pool")
}

func awaitPools(t *testing.T, cinder *scheduler.Scheduler, want ...string) (pools []scheduler.Pool) {
	t.Helper()
	process.Await(t, 90*time.Second, "these pools", func() (err error) {
		pools, err = cinder.Pools()
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
	return pools
}
