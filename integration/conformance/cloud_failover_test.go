//go:build conformance

package conformance

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/integration/internal/cloud"
)

// replicatedBackend replicates to an array with the same capacity, as identical arrays
// have it.
const (
	replicatedBackend = "ctl2@flasharray_r_01"
	replicatedPool    = "pure_replicated"
	replicaStanza     = "flasharray_r_02"
)

// replicatedHost is a host whose array replicates to another one.
func replicatedHost(t *testing.T) (cloud.Host, []cloud.Array) {
	t.Helper()
	primary := array(t, "flasharray-r-01", "volume_backend_name = "+replicatedPool)
	primary.Replicas = []cloud.Replica{{Stanza: replicaStanza, Type: "async"}}
	return cloud.Host{Name: "ctl2", Backends: []string{"flasharray_r_01"}}, []cloud.Array{primary, array(t, "flasharray-r-02")}
}

// failover fails a backend over to the array that it replicates to, and back. The agent
// publishes nothing meanwhile: cinder-volume's report is about the other array.
func (c *wholeCloud) failover() {
	ctx := c.t.Context()
	_, err := c.API.CreateType(ctx, "replicated", map[string]string{"volume_backend_name": replicatedPool, "replication_enabled": "<is> True"})
	c.must(err)
	v := c.create(cloud.Volume{Name: "replicated", Size: 10, Type: "replicated"})
	c.awaitOverlaid(replicatedBackend, true)
	log := c.logFromNow("ctl2")
	place := "place --size 10 --source agent --property volume_backend_name=" + replicatedPool

	c.must(c.API.FailOver(ctx, replicatedBackend, replicaStanza))
	c.awaitService(replicatedBackend, cloud.BackendService{Status: "disabled", DisabledReason: "failed-over", ActiveBackendID: replicaStanza})
	c.awaitListed(replicatedBackend, false)
	log.await("suspended, the schedulers use the report of cinder-volume", replicatedBackend)
	c.shows("ctl2", place, "no backend fits")
	c.awaitMetric("poolcast_backend_ready", replicatedBackend, 0)

	c.enable(replicatedBackend) // to use the other array
	c.awaitOverlaid(replicatedBackend, false)
	c.awaitReported(replicatedBackend, capability.KeyTotalVolumes, capability.OfInt(int64(c.volumesEver("ctl2@"+replicaStanza))))
	if got, err := c.API.Volume(ctx, v.ID); err != nil || got.Host == "" {
		c.t.Errorf("the volume is %+v, %v", got, err)
	}

	c.must(c.API.FailOver(ctx, replicatedBackend, "default"))
	c.awaitService(replicatedBackend, cloud.BackendService{Status: "enabled"})
	log.await("overlaying reports of cinder-volume", replicatedBackend)
	c.awaitOverlaid(replicatedBackend, true)
	c.awaitMetric("poolcast_backend_ready", replicatedBackend, 1)
	c.agreesOnCreate("ctl2", "--property volume_backend_name="+replicatedPool, cloud.Volume{Name: "failed back", Size: 10, Type: "replicated"})
	if got := log.states(replicatedBackend); !slices.Equal(got, []string{"suspended", "overlaying"}) {
		c.t.Errorf("the log has the states %v", got)
	}
	log.print()
}

// awaitService waits until a service has a status, its reason and an active backend.
func (c *wholeCloud) awaitService(backend string, want cloud.BackendService) {
	c.t.Helper()
	c.await(fmt.Sprintf("the service %s to be %s", backend, want.Status), func() error {
		got, err := c.API.Service(c.t.Context(), backend)
		if err == nil && (got.Status != want.Status || strings.TrimSpace(got.DisabledReason) != want.DisabledReason || got.ActiveBackendID != want.ActiveBackendID) {
			err = fmt.Errorf("it is %+v", got)
		}
		return err
	})
}
