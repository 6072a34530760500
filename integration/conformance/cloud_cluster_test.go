//go:build conformance

package conformance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/integration/internal/cloud"
)

// clusterBackends are the backends of the cluster.
func clusterBackends() []string { return []string{"pure@flasharray_x_01", "pure@flasharray_x_02"} }

// TestCloudCluster kills and starts a host of an active-active cluster of two.
func TestCloudCluster(t *testing.T) {
	t.Parallel()
	stanzas := []string{"flasharray_x_01", "flasharray_x_02"}
	o := cloud.Options{
		Cluster: "pure",
		Arrays:  []cloud.Array{array(t, "flasharray-x-01"), array(t, "flasharray-x-02")},
		Hosts:   []cloud.Host{{Name: "ctl1", Backends: stanzas}, {Name: "ctl2", Backends: stanzas}},
	}
	inCloud(t, o, func(c *wholeCloud) {
		c.clusterCreates("both hosts")
		publishing, standby := c.roles()
		c.step("killed host of a cluster", func() { c.killedMember(publishing, standby) })
		c.step("started host of a cluster", func() { c.startedMember(publishing) })
	})
}

// clusterCreates creates a volume, which any host of the cluster may do.
func (c *wholeCloud) clusterCreates(when string) {
	c.t.Helper()
	for _, h := range c.Hosts() {
		if !h.Volume.Running() {
			continue
		}
		want := chosen(c.answer(h.Name, "--size 10"))
		got := c.create(cloud.Volume{Name: when, Size: 10})
		if stanzaOfHost(got.Host) != stanzaOfHost(want) {
			c.t.Errorf("%s: the volume is on %s, and place on %s named %s", when, got.Host, h.Name, want)
		}
		c.sizedAs(h.Name, got, 10)
	}
}

// sizedAs checks the size of a volume on its array.
func (c *wholeCloud) sizedAs(host string, v cloud.VolumeStatus, gib int) {
	c.t.Helper()
	if got := c.onArray(host+"@"+stanzaOfHost(v.Host), "volumes", v.ID)["provisioned"]; got != float64(gib<<30) {
		c.t.Errorf("the volume %s has %v bytes on its array", v.Name, got)
	}
}

// roles waits until one agent publishes and the other is on standby for every backend.
func (c *wholeCloud) roles() (publishing, standby string) {
	c.t.Helper()
	c.await("one agent to publish and one to be on standby", func() error {
		publishing, standby = "", ""
		for _, h := range c.Hosts() {
			switch states := c.lastStates(h.Name); {
			case slices.Equal(states, []string{"overlaying", "overlaying"}):
				publishing = h.Name
			case slices.Equal(states, []string{"standby", "standby"}):
				standby = h.Name
			default:
				return fmt.Errorf("the agent of %s is %v", h.Name, states)
			}
		}
		if publishing == "" || standby == "" {
			return fmt.Errorf("%q publishes and %q is on standby", publishing, standby)
		}
		return nil
	})
	return publishing, standby
}

// lastStates are the states of the backends in the log of a host's agent.
func (c *wholeCloud) lastStates(host string) (states []string) {
	c.t.Helper()
	log := &agentLog{c: c, host: host}
	for _, backend := range clusterBackends() {
		last := ""
		if all := log.states(backend); len(all) > 0 {
			last = all[len(all)-1]
		}
		states = append(states, last)
	}
	return states
}

// killedMember kills the host whose agent publishes. The other one goes on over its own
// cinder-volume's reports.
func (c *wholeCloud) killedMember(killed, other string) {
	log := c.logFromNow(other)
	c.Host(killed).Agent.Kill()
	c.Host(killed).Volume.Kill()
	for _, backend := range clusterBackends() {
		log.await("overlaying reports of cinder-volume", backend)
	}
	c.t.Logf("the agent of %s has taken over", other)
	c.clusterCreates("one host")
	for since := time.Now(); time.Since(since) < 3*reportInterval; {
		for _, backend := range clusterBackends() {
			if _, listed := c.pool(backend); !listed {
				c.t.Fatalf("the scheduler does not list %s of a cluster with one host", backend)
			}
		}
	}
	for _, backend := range clusterBackends() {
		c.awaitOverlaid(backend, true)
		if got := log.states(backend); !slices.Equal(got, []string{"overlaying"}) {
			c.t.Errorf("the agent of %s has logged the states %v of %s", other, got, backend)
		}
	}
}

// startedMember starts the host again. Its agent is one of two again.
func (c *wholeCloud) startedMember(started string) {
	c.Host(started).Volume.Start()
	c.Host(started).Agent.Start()
	publishing, standby := c.roles()
	c.t.Logf("the agent of %s publishes, that of %s is on standby", publishing, standby)
	c.clusterCreates("both hosts again")
	c.Host(publishing).Agent.Stop() // the other one takes over at once
	c.await("the standby to publish", func() error {
		if states := c.lastStates(standby); !slices.Equal(states, []string{"overlaying", "overlaying"}) {
			return fmt.Errorf("it is %s", strings.Join(states, ", "))
		}
		return nil
	})
	for _, backend := range clusterBackends() {
		c.awaitOverlaid(backend, true)
	}
}
