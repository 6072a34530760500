//go:build integration

package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/integration/internal/scheduler"
	"github.com/poolcast/poolcast/integration/process"
)

// answer is what place --output json prints, as far as these tests read it.
type answer struct {
	Chosen   string
	Backends []struct {
		ID      string
		Refused *struct{ Filter, Reason string }
	}
	Source struct {
		Kind     string
		Listed   int
		Backends int
		Unlisted []string
		Notes    []string
	}
}

// refused is the filter that refused a backend, "" if none did.
func (a answer) refused(id string) string {
	for _, b := range a.Backends {
		if b.ID == id && b.Refused != nil {
			return b.Refused.Filter
		}
	}
	return ""
}

// ask runs poolcast place. It may end with 4, if nothing fits.
func (env *environment) ask(args ...string) (a answer) {
	env.t.Helper()
	cmd := env.command(append([]string{"place", "--output", "json", "--size", "10"}, args...)...)
	out, err := cmd.Output()
	if exit := new(exec.ExitError); errors.As(err, &exit) && exit.ExitCode() != 4 || len(out) == 0 {
		env.t.Fatalf("run poolcast place %s: %v\n%s", strings.Join(args, " "), err, exit.Stderr)
	}
	if err := json.Unmarshal(out, &a); err != nil {
		env.t.Fatalf("read the answer: %v\n%s", err, out)
	}
	return a
}

// TestSchedulerPoolsDecide: the scheduler's list has the backends that count. A service
// that is disabled, frozen or down is avoided by the next answer, and backends of other
// hosts and vendors are taken, over the bus and by a running agent.
func TestSchedulerPoolsDecide(t *testing.T) {
	t.Parallel()
	broker, transport := joinBroker(t)
	env := newEnvironment(t, threeArrays(t), transport)
	cinder := scheduler.Start(t, scheduler.Options{Broker: broker, Backends: append(env.backends(),
		scheduler.Backend{Host: "ctl2@flasharray_x_04", Zone: zone}, scheduler.Backend{Host: "ctl2@netapp", Zone: "dc2"})})
	api := cinder.StartAPI()
	env.startVolume(broker)
	reportForeign(cinder)
	a := env.startListening()
	await := func(what string, check func(answer) error, args ...string) {
		t.Helper()
		process.Await(t, pollBound, what, func() error { return check(env.ask(append(args, "--availability-zone", zone)...)) })
	}
	places := func(id string, backends int) func(answer) error {
		return func(got answer) error {
			if got.Chosen != id || got.Source.Backends != backends || got.Source.Listed+len(got.Source.Unlisted) != backends {
				return fmt.Errorf("it would be placed on %q; source %+v", got.Chosen, got.Source)
			}
			return nil
		}
	}
	bus := []string{"--source", "scheduler", "--backend-zone", "ctl2@flasharray_x_04=" + zone, "--backend-zone", "ctl2@netapp=dc2"}
	await("the roomiest one of another host", places("ctl2@flasharray_x_04#"+pool, 7), bus...)
	api.Client("service-disable", "--reason", "maintenance", "ctl2@flasharray_x_04", "cinder-volume")
	own := env.ask(append(bus, "--availability-zone", zone)...).ranked()
	await("the roomiest one of this host", places(own[0], 6), bus...)
	if got := env.ask(append(bus, "--availability-zone", "dc2", "--property", "pool_name=aggr2")...); got.Chosen != "ctl2@netapp#aggr2" {
		t.Errorf("a volume for a pool of another vendor would be placed on %q", got.Chosen)
	}
	cinder.SetState(scheduler.State{Host: host(own[0]), Frozen: true})
	cinder.SetState(scheduler.State{Host: host(own[1]), Down: true})
	await("the only one that is left", places(own[2], 4), bus...)

	// The agent requests the list when it is asked first, which is now.
	got := env.ask("--agent", a.statusPageURL(), "--availability-zone", zone)
	if err := places(own[2], 6)(got); err != nil || got.refused(own[0]) != "ServiceState" || got.refused(own[1]) != "ServiceState" {
		t.Errorf("by the agent: %v; %+v", err, got)
	}
	unlisted := []string{host(own[0]), host(own[1])}
	slices.Sort(unlisted)
	if diff := cmp.Diff(unlisted, got.Source.Unlisted); diff != "" {
		t.Errorf("unlisted (-want +got):\n%s", diff)
	}
	checkPage(t, a.statusPageURL(), unlisted)
	checkUnlisted(t, env, unlisted)

	// What a finding advises has this effect.
	cinder.SetState(scheduler.State{Host: host(own[1])})
	cinder.SetState(scheduler.State{Host: host(own[0])})
	api.Client("service-disable", host(own[0]), "cinder-volume")
	await("the one after the disabled one", places(own[1], 5), bus...)
	api.Client("service-enable", host(own[0]), "cinder-volume")
	await("the enabled one again", places(own[0], 6), bus...)
	a.finish()
}

// ranked are the IDs of the backends of this host that were not refused, best first.
func (a answer) ranked() (ids []string) {
	for _, b := range a.Backends {
		if b.Refused == nil && strings.HasPrefix(b.ID, "ctl1@") {
			ids = append(ids, b.ID)
		}
	}
	return ids
}

// host is a pool's ID without the pool.
func host(id string) string {
	name, _, _ := strings.Cut(id, "#")
	return name
}

// startListening runs an agent with a status page on any free port.
func (env *environment) startListening() *agent {
	env.t.Helper()
	text, err := os.ReadFile(env.config)
	if err != nil {
		env.t.Fatal(err)
	}
	env.write(env.config, strings.Replace(string(text), "listen = off", "listen = 127.0.0.1:0", 1))
	return env.startAgent()
}

// reportForeign sends reports of another host: an array with much room, and another
// vendor's backend with pools.
func reportForeign(cinder *scheduler.Scheduler) {
	set := func(total int64) capability.Set {
		return capability.Set{
			capability.KeyVolumeBackendName: capability.OfString(pool), capability.KeyStorageProtocol: capability.OfString("iSCSI"),
			capability.KeyTotalCapacity: capability.OfInt(total), capability.KeyFreeCapacity: capability.OfInt(total),
			capability.KeyAllocatedCapacity: capability.OfInt(0), capability.KeyReservedPercentage: capability.OfInt(0),
		}
	}
	cinder.Report(scheduler.Report{Host: "ctl2@flasharray_x_04", Capabilities: set(9000000)})
	var pools []capability.Value
	for _, name := range []string{"aggr1", "aggr2", "aggr3"} {
		p := set(100)
		p["pool_name"] = capability.OfString(name)
		pools = append(pools, capability.OfSet(p))
	}
	netapp := set(300)
	netapp["pools"] = capability.OfList(pools...)
	cinder.Report(scheduler.Report{Host: "ctl2@netapp", Capabilities: netapp})
}

// checkPage checks what the page and /v1/scheduler show of the list.
func checkPage(t *testing.T, base string, unlisted []string) {
	t.Helper()
	for path, want := range map[string]string{
		"/?size=10":     "Not listed by the scheduler, so disabled, frozen or down: " + strings.Join(unlisted, " and ") + ".",
		"/v1/scheduler": `"unlisted":["` + strings.Join(unlisted, `","`) + `"]`,
	} {
		response, err := http.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err := errors.Join(err, response.Body.Close()); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(body), want) {
			t.Errorf("%s: %q is not in it", path, want)
		}
	}
}

// checkUnlisted checks that poolcast check lists the backends that the scheduler does
// not, and judges those of other hosts.
func checkUnlisted(t *testing.T, env *environment, want []string) {
	t.Helper()
	types := filepath.Join(filepath.Dir(env.config), "types.json")
	env.write(types, `[{"Name":"netapp","Properties":{"pool_name":"aggr3"}},{"Name":"any","Properties":{}}]`)
	out, _ := env.command("check", "--types", types, "--output", "json").Output()
	var got struct {
		Backends int
		Findings []struct{ Code, Problem string }
		Types    []struct{ Fit []string }
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("read the findings: %v\n%s", err, out)
	}
	var unlisted []string
	for _, f := range got.Findings {
		if f.Code == "not-listed" {
			host, _, _ := strings.Cut(f.Problem, " ")
			unlisted = append(unlisted, host)
		}
	}
	if diff := cmp.Diff(want, unlisted); diff != "" {
		t.Errorf("check lists (-want +got):\n%s\n%s", diff, out)
	}
	if got.Backends != 6 || len(got.Types) != 2 || len(got.Types[0].Fit) != 1 || len(got.Types[1].Fit) != 4 {
		t.Errorf("check judged %d backends: %+v", got.Backends, got.Types)
	}
}
