//go:build conformance

package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/poolcast/poolcast/integration/cindertest"
	"github.com/poolcast/poolcast/integration/internal/cloud"
)

// inThirdZone is a volume that only the third backend can take.
func inThirdZone(name string) cloud.Volume {
	return cloud.Volume{Name: name, Size: 10, Type: "gold", Zone: "dc2"}
}

const placeInThirdZone = "--size 10 --os-cloud poolcast --type gold --availability-zone dc2"

// disabledBackend disables, enables, freezes and thaws the third backend, and does with
// its volumes what OPERATIONS.md says can be done, or not.
func (c *wholeCloud) disabledBackend() {
	ctx := c.t.Context()
	log := c.logFromNow("ctl2")
	v := c.agreesOnCreate("ctl1", placeInThirdZone, inThirdZone("kept"))
	snapshot, err := c.API.CreateSnapshot(ctx, v.ID, "kept")
	c.must(err)
	_, err = c.API.AwaitSnapshot(ctx, snapshot, "available")
	c.must(err)
	spare := c.create(inThirdZone("spare"))

	c.must(c.API.Disable(ctx, thirdBackend, "firmware update"))
	c.unlisted(v, "the service is disabled (firmware update)", false)
	c.delete(spare.ID) // a disabled service still deletes
	c.enable(thirdBackend)
	c.listed("enabled")

	c.must(c.API.Freeze(ctx, thirdBackend))
	c.unlisted(v, "the service is disabled (frozen)", true)
	_, err = c.API.CreateSnapshot(ctx, v.ID, "refused")
	for what, err := range map[string]error{
		"a snapshot": err, "deletion of a volume": c.API.DeleteVolume(ctx, v.ID), "deletion of a snapshot": c.API.DeleteSnapshot(ctx, snapshot),
	} {
		if status := (*cloud.StatusError)(nil); !errors.As(err, &status) || !strings.Contains(status.Message, "not allowed on frozen") {
			c.t.Errorf("%s on a frozen backend ends with %v", what, err)
		}
	}
	c.must(c.API.Thaw(ctx, thirdBackend))
	c.listed("thawed")
	c.must(c.API.DeleteSnapshot(ctx, snapshot))
	c.must(c.API.AwaitSnapshotDeleted(ctx, snapshot))
	c.delete(v.ID)
	for _, line := range log.lines("") {
		if !strings.Contains(line.Message, " failed: volume ") { // a request that the scheduler refused
			c.t.Errorf("the agent logs a change of a service: %s", line.Message) // reports go on
		}
	}
}

// enable enables a service. cinder-api of 29.0.0 confirms that and changes nothing; a
// freeze and a thaw then do it (cinder/api/v3/services.py, enable; cinder/volume/manager.py,
// thaw_host).
func (c *wholeCloud) enable(backend string) {
	c.t.Helper()
	ctx := c.t.Context()
	c.must(c.API.Enable(ctx, backend))
	s, err := c.API.Service(ctx, backend)
	c.must(err)
	if s.Status == "enabled" {
		return
	}
	c.t.Logf("cinder-api has confirmed that %s is enabled, and it is %s (%s)", backend, s.Status, s.DisabledReason)
	c.must(c.API.Freeze(ctx, backend))
	c.must(c.API.Thaw(ctx, backend))
}

// unlisted checks what a cloud does with an unlisted third backend that has a volume.
func (c *wholeCloud) unlisted(v cloud.VolumeStatus, reason string, frozen bool) {
	c.t.Helper()
	ctx := c.t.Context()
	c.awaitListed(thirdBackend, false)
	c.shows("ctl1", "place --source scheduler "+placeInThirdZone, "no backend fits")
	c.shows("ctl2", "place --source agent "+placeInThirdZone, "refused by ServiceState", reason)
	c.refuse(inThirdZone("refused"))
	c.agreesOnCreate("ctl1", "--os-cloud poolcast --type gold", cloud.Volume{Name: "elsewhere", Size: 10, Type: "gold"})

	extend := "place --extend flasharray_x_03 --from-size 10 --size 20 --os-cloud poolcast --type gold --source "
	c.shows("ctl2", extend+"scheduler", "there is no backend", "does not list it: "+reason)
	c.shows("ctl2", extend+"agent", "refused by ServiceState", reason, "the scheduler refuses the request")
	c.must(c.API.Extend(ctx, v.ID, 20))
	if got := c.awaitVolume(v.ID); got.Size != 10 {
		c.t.Errorf("the volume has %d GiB", got.Size)
	}
	if !frozen {
		snapshot, err := c.API.CreateSnapshot(ctx, v.ID, "refused")
		if err == nil {
			_, err = c.API.AwaitSnapshot(ctx, snapshot, "error")
		}
		c.must(err)
		c.must(c.API.DeleteSnapshot(ctx, snapshot)) // it deletes snapshots too
		c.must(c.API.AwaitSnapshotDeleted(ctx, snapshot))
	}
	err := c.API.Migrate(ctx, v.ID, thirdBackend+"#"+cloud.Pool)
	if status := (*cloud.StatusError)(nil); !errors.As(err, &status) {
		c.t.Errorf("a migration ends with %v", err)
	}
}

// listed checks that the third backend takes volumes.
func (c *wholeCloud) listed(when string) {
	c.t.Helper()
	c.awaitListed(thirdBackend, true)
	if v := c.agreesOnCreate("ctl1", placeInThirdZone, inThirdZone(when)); v.Backend() != thirdBackend {
		c.t.Errorf("%s: the volume is on %q", when, v.Host)
	}
}

// killedVolume kills a cinder-volume and starts it again.
func (c *wholeCloud) killedVolume() {
	log := c.logFromNow("ctl2")
	c.Host("ctl2").Volume.Kill()
	log.await("suspended, the schedulers use the report of cinder-volume", thirdBackend)
	c.awaitListed(thirdBackend, false)
	c.shows("ctl2", "place --source agent "+placeInThirdZone, "refused by ServiceState", "the service is down")
	c.refuse(inThirdZone("down"))
	if ready := c.get("ctl2", "/readyz"); !strings.Contains(ready, "[-] flasharray_x_03") {
		c.t.Errorf("the agent is ready without cinder-volume:\n%s", ready)
	}
	c.awaitMetric("poolcast_backend_ready", thirdBackend, 0)
	c.Host("ctl2").Volume.Start()
	log.await("overlaying reports of cinder-volume", thirdBackend)
	c.awaitMetric("poolcast_backend_ready", thirdBackend, 1)
	c.awaitOverlaid(thirdBackend, true)
	c.listed("started again")
	for _, stanza := range []string{"flasharray_x_03", "flasharray_c_01"} {
		if got := log.states("ctl2@" + stanza); !slices.Equal(got, []string{"suspended", "overlaying"}) {
			c.t.Errorf("the log has the states %v of %s", got, stanza)
		}
	}
	log.print()
}

// stoppedAgents compares what the scheduler has after the end of the agents with the
// reports of cinder-volume: of one agent that is stopped, and of one that is killed.
func (c *wholeCloud) stoppedAgents() {
	bus := cindertest.ConnectScheduler(c.t, c.Broker.URL())
	c.must(bus.ConsumeFanout(cindertest.Layout{Exclusive: true}))
	for _, host := range []string{"ctl1", "ctl2"} {
		c.await("a report of each cinder-volume", func() error {
			for _, r := range bus.Reports() {
				if strings.HasPrefix(r.Host, host+"@") && !r.FromAgent() {
					return nil
				}
			}
			return errors.New("there is none")
		})
	}
	c.Host("ctl1").Agent.Stop()
	for _, backend := range []string{firstBackend, secondBackend} { // at once
		c.await("cinder-volume's own report of "+backend, func() error { return c.ownReport(bus, backend) })
	}
	c.Host("ctl2").Agent.Kill()
	killed := time.Now()
	for _, backend := range []string{thirdBackend, fullBackend} {
		c.await("cinder-volume's own report of "+backend, func() error { return c.ownReport(bus, backend) })
	}
	if took := time.Since(killed); took > 5*reportInterval { // one interval on an idle machine
		c.t.Errorf("cinder-volume's reports were back after %s", took)
	}
	c.t.Logf("cinder-volume's own reports were at the scheduler %s after the end of an agent", time.Since(killed).Round(time.Second))
}

// ownReport compares what the scheduler has of a backend with the last report of its
// cinder-volume: key by key, with each number as it was written.
func (c *wholeCloud) ownReport(bus *cindertest.Scheduler, backend string) error {
	var got struct {
		Pools []struct {
			Name         string
			Capabilities map[string]json.RawMessage
		}
	}
	if err := c.API.Call(c.t.Context(), "GET", "scheduler-stats/get_pools?detail=true", nil, &got); err != nil {
		return err
	}
	var own *cindertest.Report
	for _, r := range bus.ReportsOf(backend) {
		if !r.FromAgent() {
			own = &r
		}
	}
	if own == nil {
		return errors.New("cinder-volume has not reported")
	}
	for _, p := range got.Pools {
		if p.Name != backend+"#"+cloud.Pool {
			continue
		}
		return sameReport(p.Capabilities, own)
	}
	return errors.New("the scheduler does not list it")
}

// sameReport compares a pool of the scheduler with a report. The scheduler adds the time
// of the report.
func sameReport(pool map[string]json.RawMessage, own *cindertest.Report) error {
	var differences []string
	keys := own.Capabilities.SortedKeys()
	for _, key := range keys {
		if string(pool[key]) != own.Value(key) {
			differences = append(differences, fmt.Sprintf("%s is %s, not %s", key, pool[key], own.Value(key)))
		}
	}
	for key := range pool {
		if _, there := own.Capabilities[key]; !there && key != "timestamp" {
			differences = append(differences, key+" is added")
		}
	}
	if len(differences) > 0 {
		return errors.New(strings.Join(differences, "; "))
	}
	return nil
}
