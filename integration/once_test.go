//go:build integration

package integration

import (
	"errors"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/integration/cindertest"
	"github.com/poolcast/poolcast/integration/internal/scheduler"
	"github.com/poolcast/poolcast/integration/process"
)

// TestOncePublishesAndExits lets cinder-volume report once while --once waits for
// it: the overlay of each array reaches a real scheduler and stays there, and
// nothing is left behind.
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
			t.Errorf("%d sessions were left open on %s", n, a.Name())
		}
	}
}
