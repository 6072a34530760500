//go:build integration

package integration

import (
	"fmt"
	"testing"

	"github.com/poolcast/poolcast/integration/internal/scheduler"
	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/integration/rabbitmq"
	"github.com/poolcast/poolcast/publisher"
)

// TestPublisherWithScheduler lets a real cinder-scheduler judge: it is told things by
// Cinder's own class, as by cinder-volume, and by a publisher.
func TestPublisherWithScheduler(t *testing.T) {
	broker := rabbitmq.Start(t, rabbitmq.Options{})
	cinder := scheduler.Start(t, scheduler.Options{
		Broker: broker, Backends: []scheduler.Backend{{Host: publisherBackend, Zone: "dc1"}},
	})
	o := publisherOptions(t, broker.URL())
	o.VirtualHost = "/"
	a := startPublisher(t, o)

	a.awaits(publisher.Ready)
	cinder.Report(scheduler.Report{Host: publisherBackend, Capabilities: baseReport(t, 7)})
	awaitPool(t, cinder, "the report", map[string]string{"total_volumes": "7", "rack": "ä", "metrics_agent": ""})
	a.offer(1)
	awaitPool(t, cinder, "the overlay", map[string]string{"total_volumes": "1", "rack": "ä", "allocated_capacity_gb": "17", "free_capacity_gb": "400.0"})
	a.offer(2)
	awaitPool(t, cinder, "the next overlay", map[string]string{"total_volumes": "2", "rack": "ä", "allocated_capacity_gb": "17"})

	cinder.Restart()
	a.awaits(publisher.Ready)
	cinder.Report(scheduler.Report{Host: publisherBackend, Capabilities: baseReport(t, 7)})
	a.offer(3)
	awaitPool(t, cinder, "the overlay after a restart", map[string]string{"total_volumes": "3", "rack": "ä", "allocated_capacity_gb": "17"})
	if s := a.Status().Session; s.Schedulers == nil || *s.Schedulers != 1 {
		t.Errorf("the session is %+v, want one scheduler", s)
	}

	a.stop()
	awaitPool(t, cinder, "the base report once more", map[string]string{"total_volumes": "7", "rack": "ä", "metrics_agent": "", "free_capacity_gb": "500.0"})
	cinder.Report(scheduler.Report{Host: publisherBackend, Capabilities: baseReport(t, 8)})
	awaitPool(t, cinder, "cinder-volume's own report", map[string]string{"total_volumes": "8", "rack": "ä", "metrics_agent": "", "free_capacity_gb": "500.0"})
}

// busPool waits until get_pools has the values; "" stands for an absent key.
func awaitPool(t *testing.T, cinder *scheduler.Scheduler, what string, values map[string]string) {
	t.Helper()
	process.Await(t, pollBound, what, func() error {
		pools, err := cinder.Pools()
		if err != nil {
			return err
		}
		if len(pools) != 1 {
			return fmt.Errorf("there are %d pools", len(pools))
		}
		for key, want := range values {
			v, there := pools[0].Capabilities[key]
			if there != (want != "") || there && v.String() != want {
				return fmt.Errorf("%s is %v, want %q", key, v, want)
			}
		}
		return nil
	})
}
