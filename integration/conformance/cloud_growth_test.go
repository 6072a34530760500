//go:build conformance

package conformance

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/flasharray/simulator"
	"github.com/poolcast/poolcast/integration/internal/cloud"
)

// oldPython is an interpreter with Cinder 28 and py-pure-client: POOLCAST_PYTHON_28, or
// that of the virtual environment of make conformance.
func oldPython() string {
	if path := os.Getenv("POOLCAST_PYTHON_28"); path != "" {
		return path
	}
	return "../../.venv-28/bin/python"
}

// array is a writable array of a fixture.
func array(t *testing.T, name string, settings ...string) cloud.Array {
	t.Helper()
	fixture, err := simulator.BuiltinNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	return cloud.Array{Fixture: fixture, Simulator: simulator.Options{Writable: true}, Settings: settings}
}

// goldType are the extra specs of the type gold, for poolcast place.
const goldType = "--property volume_backend_name=" + cloud.Pool

// TestCloudGrowsAndIsUpgraded adds two arrays to a cloud with Cinder 28 and upgrades it
// to the newest, while one agent runs.
func TestCloudGrowsAndIsUpgraded(t *testing.T) {
	t.Parallel()
	host, arrays := replicatedHost(t)
	o := cloud.Options{
		Python: oldPython(),
		Arrays: append(arrays, array(t, "flasharray-x-01"), array(t, "flasharray-x-02")),
		Hosts:  []cloud.Host{{Name: "ctl1", Backends: []string{"flasharray_x_01", "flasharray_x_02"}}, host},
	}
	inCloud(t, o, func(c *wholeCloud) {
		c.step("failover", c.failover)
		c.step("growth from two arrays to four", func() { c.growth(t) })
		c.step("upgrade", c.upgrade)
		if n := strings.Count(c.Host("ctl1").Agent.Log(), "poolcast starts"); n != 1 {
			c.t.Errorf("the agent was started %d times", n)
		}
	})
}

// growth follows examples/growth-1-two-arrays.conf and the next ones: a section for each
// new array and its name in enabled_backends, and a restart of cinder-volume.
func (c *wholeCloud) growth(t *testing.T) {
	_, err := c.API.CreateType(t.Context(), "gold", map[string]string{"volume_backend_name": cloud.Pool})
	c.must(err)
	log := c.logFromNow("ctl1")
	ctl1 := c.Host("ctl1")
	c.AddArrays(array(t, "flasharray-x-03"), array(t, "flasharray-c-01"))
	ctl1.Enable("flasharray_x_03", "flasharray_c_01")
	added := []string{"ctl1@flasharray_x_03", "ctl1@flasharray_c_01"}
	for _, backend := range added {
		log.await("waiting for a report of cinder-volume", backend)
	}
	c.shows("ctl1", "place --size 10 --source scheduler "+goldType, "flasharray_x_02 would take it",
		"ctl1@flasharray_x_03 is configured here, and the scheduler does not list it")
	ctl1.Volume.Restart()
	c.AwaitBackends(added...)
	for _, backend := range added {
		log.changed(backend, "listening", "suspended", "overlaying") // suspended if the restart takes long
	}
	used := map[string]int{}
	for i := range 3 {
		used[c.agreesOnCreate("ctl1", goldType, cloud.Volume{Name: fmt.Sprintf("grown %d", i), Size: 10, Type: "gold"}).Backend()]++
	}
	if used[added[0]]+used[added[1]] == 0 {
		c.t.Errorf("the new arrays have no volume: %v", used)
	}
	log.print()
}

// upgrade upgrades the services of Cinder as an operator does: they are stopped, the
// database is updated, and they are started.
func (c *wholeCloud) upgrade() {
	log := c.logFromNow("ctl1")
	const backend = "ctl1@flasharray_x_02"
	if p, _ := c.pool(backend); !p.Capabilities[capability.KeyProvisionedCapacity].IsNull() {
		c.t.Errorf("Cinder 28 reports provisioned_capacity_gb: %v", p.Capabilities[capability.KeyProvisionedCapacity])
	}
	c.Upgrade(python())
	ctl1Backends := []string{"ctl1@flasharray_x_01", backend, "ctl1@flasharray_x_03", "ctl1@flasharray_c_01"}
	c.AwaitBackends(append(ctl1Backends, replicatedBackend)...)
	if p, _ := c.pool(backend); p.Capabilities[capability.KeyProvisionedCapacity].IsNull() {
		c.t.Error("the new Cinder reports no provisioned_capacity_gb")
	}
	c.agreesOnCreate("ctl1", goldType, cloud.Volume{Name: "upgraded", Size: 10, Type: "gold"})
	c.await("the agent to be ready", func() error {
		if ready := c.get("ctl1", "/readyz"); strings.Contains(ready, "[-]") {
			return fmt.Errorf("it is not:\n%s", ready)
		}
		return nil
	})
	metrics := c.get("ctl1", "/metrics")
	if !strings.Contains(metrics, `poolcast_bus_publishes_total{result="refused"} 0`) {
		c.t.Error("the agent does not say that no report was refused")
	}
	for _, b := range ctl1Backends {
		log.changed(b, "suspended", "overlaying")
	}
	log.print()
}
