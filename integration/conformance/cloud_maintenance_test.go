//go:build conformance

package conformance

import (
	"fmt"
	"net/http"

	"github.com/poolcast/poolcast/flasharray/simulator"
	"github.com/poolcast/poolcast/integration/internal/cloud"
)

// maintenance follows the chapter "Take an array out and back" of OPERATIONS.md with the
// array of the third backend.
func (c *wholeCloud) maintenance() {
	ctx := c.t.Context()
	c.shows("ctl2", "rehearse --count 20 --settings current --source scheduler "+placeInThirdZone,
		"20 of 20 volumes go to flasharray_x_03")
	c.shows("ctl2", "rehearse --count 20 --settings current --source scheduler --without flasharray_x_03 "+placeInThirdZone,
		"Without flasharray_x_03 0 of 20 creates find a backend; with all backends 20 do")
	v := c.create(inThirdZone("attached"))

	c.must(c.API.Disable(ctx, thirdBackend, "shelf replacement until 18:00"))
	c.awaitListed(thirdBackend, false)
	c.attach(v)
	c.shownAsDisabled()
	c.shows("ctl2", "probe --ready --url "+c.Host("ctl2").URL, "[+] flasharray_x_03 ok")
	c.awaitMetric("poolcast_array_up", thirdBackend, 1)
	c.switchOff()
	c.enable(thirdBackend)
	c.listed("back")
	c.delete(v.ID)
}

// attach attaches a volume to a host, and detaches it, as Nova does.
func (c *wholeCloud) attach(v cloud.VolumeStatus) {
	c.t.Helper()
	ctx := c.t.Context()
	var got struct {
		Attachment struct {
			ID   string
			Info map[string]any `json:"connection_info"`
		}
	}
	c.must(c.API.Call(ctx, http.MethodPost, "attachments", map[string]any{"attachment": map[string]any{
		"volume_uuid": v.ID, "connector": map[string]any{
			"initiator": "iqn.1993-08.org.debian:01:compute1", "host": "compute1", "ip": "127.0.0.1",
			"multipath": false, "platform": "x86_64", "os_type": "linux",
		},
	}}, &got))
	if iqns := got.Attachment.Info["target_iqns"]; iqns == nil {
		c.t.Errorf("the attachment has no target: %v", got.Attachment.Info)
	}
	c.must(c.API.Call(ctx, http.MethodDelete, "attachments/"+got.Attachment.ID, nil, nil))
	c.awaitVolume(v.ID)
}

// shownAsDisabled checks what the chapter says that each command shows.
func (c *wholeCloud) shownAsDisabled() {
	c.t.Helper()
	const reason = "the service is disabled (shelf replacement until 18:00)"
	c.shows("ctl2", "place --source agent "+placeInThirdZone, "refused by ServiceState", reason)
	c.shows("ctl2", "place --source scheduler "+placeInThirdZone, thirdBackend+" is configured here, and the scheduler does not list it: "+reason)
	c.shows("ctl2", "pools --source scheduler", thirdBackend+" is configured here, and the scheduler does not list it")
	c.shows("ctl2", "check --os-cloud poolcast", thirdBackend, reason)
}

// switchOff switches the array off and on, and starts cinder-volume meanwhile.
func (c *wholeCloud) switchOff() {
	c.t.Helper()
	log := c.logFromNow("ctl2")
	array := c.Array(stanzaOfHost(thirdBackend))
	array.SetFaults(simulator.ServerError(http.StatusServiceUnavailable))
	log.await("polling array failed", "")
	log.await("report is stale, policy keep applies", "")
	log.await("not publishing, the schedulers use the report of cinder-volume", thirdBackend)
	c.awaitMetric("poolcast_array_up", thirdBackend, 0)
	c.shownAsDisabled()
	c.shows("ctl2", "probe --ready --url "+c.Host("ctl2").URL, "[-] flasharray_x_03:")
	c.must(contains(c.get("ctl2", "/"), "stale"))
	volume := c.Host("ctl2").Volume
	volume.Stop()
	mark := len(volume.Log())
	volume.Launch() // its process for this backend ends and is started again, until the array responds
	c.await("cinder-volume to fail without the array", func() error {
		return contains(volume.Log()[mark:], "Error starting thread")
	})
	c.await("the service to be down", func() error {
		s, err := c.API.Service(c.t.Context(), thirdBackend)
		if err == nil && s.State != "down" {
			err = fmt.Errorf("it is %s", s.State)
		}
		return err
	})

	array.SetFaults()
	log.await("polling array recovered", "")
	log.await("overlaying reports of cinder-volume", thirdBackend)
	c.awaitMetric("poolcast_array_up", thirdBackend, 1)
	log.print()
}
