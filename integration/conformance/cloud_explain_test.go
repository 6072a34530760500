//go:build conformance

package conformance

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/integration/internal/cloud"
	"github.com/poolcast/poolcast/publisher/status/client"
)

// failedCreate creates a volume that no array takes, and looks for the explanation in the
// log of each agent, at its API, on its page and in poolcast why.
func (c *wholeCloud) failedCreate() {
	ctx := c.t.Context()
	log := c.logFromNow("ctl1")
	id, err := c.API.CreateVolume(ctx, cloud.Volume{Name: "db-17", Size: 10, Type: "idle"})
	c.must(err)
	_, err = c.API.AwaitVolume(ctx, id, "error")
	c.must(err)
	c.await("a line of the failed create in the log", func() error {
		for _, line := range log.lines("") {
			if strings.Contains(line.Message, "create failed: volume "+id[:8]) {
				c.t.Log(line.Message)
				return contains(line.Message, "type idle, 10 GiB, dc1: refused:", "flasharray_x_01 total_volumes ", "is not <= 1", "flasharray_x_03 ")
			}
		}
		return errors.New("there is none")
	})
	for _, host := range []string{"ctl1", "ctl2"} {
		var failures []client.Failure
		c.await("the failure at the API of "+host, func() error {
			failures, err = c.Host(host).Client.Failures(ctx)
			if err == nil && !slices.ContainsFunc(failures, func(f client.Failure) bool { return f.VolumeID == id }) {
				err = fmt.Errorf("there are %d others", len(failures))
			}
			return err
		})
		c.must(contains(c.get(host, "/"), "Failed creates", "idle", "is not &lt;= 1"))
	}
	c.shows("ctl1", "why db-17 --os-cloud poolcast --source scheduler",
		id, "status error. The scheduler found no backend for it", "capabilities:total_volumes='<= 1'", "flasharray_x_02 refused by CapabilitiesFilter: total_volumes ")
	v := c.create(cloud.Volume{Name: "db-18", Size: 10, Type: "gold"})
	c.shows("ctl1", "why db-18 --os-cloud poolcast --source scheduler", v.ID, stanzaOfHost(v.Host))
	c.delete(id, v.ID)
}

// contains returns an error unless a text contains all of others.
func contains(text string, all ...string) error {
	for _, part := range all {
		if !strings.Contains(text, part) {
			return fmt.Errorf("there is no %q in %s", part, text)
		}
	}
	return nil
}

// preferred types what poolcast prefer prints for the type that no array takes, and
// creates a volume of it.
func (c *wholeCloud) preferred() {
	out, errs, code := c.run("ctl1", strings.Fields("prefer --os-cloud poolcast --type idle --source scheduler")...)
	if code != 0 {
		c.t.Fatalf("poolcast prefer ended with code %d:\n%s%s", code, out, errs)
	}
	p := readPreference(out)
	c.Configure(p.settings...)
	for _, h := range c.Hosts() {
		h.Configure(p.sections[h.Name]...)
	}
	c.Restart(c.Scheduler, c.Host("ctl1").Volume, c.Host("ctl2").Volume)
	for _, command := range p.commands {
		c.t.Log(command)
		c.Keystone.Client(strings.Fields(command)[1:]...)
	}
	backends := []string{firstBackend, secondBackend, thirdBackend, fullBackend}
	c.AwaitBackends(backends...)
	for _, backend := range backends {
		c.awaitReported(backend, capability.KeyGoodnessFunction, capability.OfString(p.function))
	}
	for _, zone := range []string{"dc1", "dc2"} {
		v := c.agreesOnCreate("ctl1", "--os-cloud poolcast --type idle --availability-zone "+zone, cloud.Volume{Name: "preferred", Size: 10, Type: "idle", Zone: zone})
		c.delete(v.ID)
	}
}

// preference is what poolcast prefer prints to copy.
type preference struct {
	sections map[string][]string // lines of cinder.conf by host
	settings []string            // of the scheduler
	commands []string            // of the openstack client
	function string              // goodness_function of the last section
}

// readPreference reads the three steps that are printed. The sections of the host itself
// have no host in their names.
func readPreference(printed string) *preference {
	p := &preference{sections: map[string][]string{}}
	step, host := "", ""
	for line := range strings.Lines(printed) {
		line, indented := strings.CutPrefix(strings.TrimRight(line, "\n"), "   ")
		line, _, _ = strings.Cut(line, "    #")
		switch {
		case len(line) > 2 && line[1:3] == ". ":
			step = line[:1]
		case !indented || line == "":
		case step == "1" && line[0] == '[':
			stanza := strings.Trim(line, "[]")
			host = "ctl1"
			if of, name, named := strings.Cut(stanza, "@"); named {
				host, stanza = of, name
			}
			p.sections[host] = append(p.sections[host], "["+stanza+"]")
		case step == "1":
			p.sections[host] = append(p.sections[host], line)
			_, p.function, _ = strings.Cut(line, " = ")
		case step == "2" && (strings.HasPrefix(line, "scheduler_default_weighers") || strings.Contains(line, "_multiplier = ")):
			p.settings = append(p.settings, line)
		case step == "3" && strings.HasPrefix(line, "openstack "):
			p.commands = append(p.commands, line)
		}
	}
	return p
}
