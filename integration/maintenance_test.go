//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/flasharray/simulator"
	"github.com/poolcast/poolcast/integration/internal/scheduler"
	"github.com/poolcast/poolcast/integration/process"
)

// TestMaintenanceOfArray follows the chapter "Take an array out and back" of
// OPERATIONS.md, with a real scheduler and API: each step of it, and what it says that
// the scheduler and poolcast show.
func TestMaintenanceOfArray(t *testing.T) {
	t.Parallel()
	m := startMaintenance(t)
	m.createsOn(3, 2, "before")
	m.shows("rehearse --size 100 --count 20 --without flasharray_x_03 --settings current --source scheduler",
		"Without flasharray_x_03 20 of 20 creates find a backend")

	t.Log(m.api.Client("service-disable", "--reason", "shelf replacement until 18:00", m.host, "cinder-volume"))
	m.createsOn(2, 1, "disabled")
	if list := m.api.Client("service-list", "--binary", "cinder-volume"); !strings.Contains(list, "shelf replacement until 18:00") {
		t.Errorf("no reason in the list:\n%s", list)
	}
	m.showsDisabled()
	m.shows("check", "ctl1@flasharray_x_03 reports, and the scheduler does not list it: disabled, frozen or down")
	m.shows("probe --ready --url URL", "[+] flasharray_x_03 ok")
	m.metric(`poolcast_array_up`, "1")

	m.arrays[2].SetFaults(simulator.ServerError(http.StatusServiceUnavailable))
	m.agent.awaitLog(0, "message", "polling array failed")
	m.agent.awaitLog(0, "message", "report is stale, policy keep applies")
	m.agent.awaitLog(0, "message", "not publishing, the schedulers use the report of cinder-volume")
	m.metric(`poolcast_array_up`, "0")
	m.createsOn(2, 1, "off")
	m.showsDisabled()
	m.shows("probe --ready --url URL", "[-] flasharray_x_03: GET arrays/space")
	if page, err := get(t.Context(), m.url+"/"); err != nil || !strings.Contains(page, "stale") {
		t.Errorf("the status page has no stale array: %v", err)
	}

	m.arrays[2].SetFaults()
	m.agent.awaitLog(0, "message", "polling array recovered")
	m.metric(`poolcast_array_up`, "1")
	m.createsOn(2, 1, "on again, and still disabled")
	m.shows("check --no-bus", "volume") // it reads the array

	t.Log(m.api.Client("service-enable", m.host, "cinder-volume"))
	m.createsOn(3, 2, "enabled")
	m.shows("place --size 100 --source scheduler", "flasharray_x_03 would take it")
}

// showsDisabled checks what the commands show of the array while its service is disabled,
// on or off. The agent requests the scheduler's list for the first of them.
func (m *maintenance) showsDisabled() {
	m.t.Helper()
	if list := m.api.Client("get-pools"); strings.Contains(list, m.host) || !strings.Contains(list, hostName(m.arrays[1].Name())) {
		m.t.Errorf("cinder get-pools shows the disabled backend, or not the others:\n%s", list)
	}
	m.shows("place --size 100 --agent URL", "flasharray_x_02 would take it")
	m.shows("place --size 100 --agent URL", "refused by ServiceState: reports, and is not in the scheduler's list: the service is disabled, frozen or down, or has another name")
	m.shows("place --size 100 --source scheduler", "flasharray_x_02 would take it")
	m.shows("place --size 100 --source scheduler", "ctl1@flasharray_x_03 is configured here, and the scheduler does not list it: it is disabled, frozen or down")
	m.shows("pools --agent URL", "pure_performance in dc1: 3 arrays")
	m.shows("pools --agent URL", "Not listed by the scheduler, so disabled, frozen or down: ctl1@flasharray_x_03.")
}

// maintenance is a scheduler with an API, an agent and its arrays, of which the third is
// taken out.
type maintenance struct {
	*environment
	cinder *scheduler.Scheduler
	api    *scheduler.API
	agent  *agent
	url    string // of the status page
	host   string
}

func startMaintenance(t *testing.T) *maintenance {
	t.Helper()
	broker, transport := joinBroker(t)
	env := newEnvironment(t, threeArrays(t), transport)
	m := &maintenance{environment: env, host: hostName(env.arrays[2].Name())}
	m.cinder = scheduler.Start(t, scheduler.Options{
		Broker: broker, Backends: env.backends(), Settings: []string{"quota_volumes = -1", "quota_gigabytes = -1"},
	})
	m.api = m.cinder.StartAPI()
	env.startVolume(broker)
	m.agent, m.url = env.startWithStatusPage()
	env.awaitPools(m.cinder, pollBound)
	return m
}

// createsOn wants so many pools at the scheduler, and a volume on the array.
func (m *maintenance) createsOn(pools, array int, when string) {
	m.t.Helper()
	process.Await(m.t, pollBound, fmt.Sprintf("%s: %d pools", when, pools), func() error {
		list, err := m.cinder.Pools()
		if err == nil && len(list) != pools {
			err = fmt.Errorf("it has %d", len(list))
		}
		return err
	})
	got, err := m.cinder.Create(scheduler.Volume{Size: 100, Zone: zone})
	if err != nil {
		m.t.Fatalf("%s: %v", when, err)
	}
	if want := hostName(m.arrays[array].Name()) + "#" + pool; got != want {
		m.t.Errorf("%s: the volume is on %q, want %q", when, got, want)
	}
}

// shows runs a command of the program, in which URL is that of the agent's page.
func (m *maintenance) shows(command, want string) {
	m.t.Helper()
	args := strings.Fields(strings.ReplaceAll(command, "URL", m.url))
	cmd := m.command(args...)
	if args[0] == "probe" {
		cmd = exec.Command(program(m.t), args...) // it reads no configuration
	}
	printed, _ := cmd.CombinedOutput() // whatever it ends with
	m.t.Logf("$ poolcast %s\n%s", command, printed)
	if !strings.Contains(strings.Join(strings.Fields(string(printed)), " "), want) {
		m.t.Errorf("poolcast %s does not show %q", command, want)
	}
}

// metric waits for the value of a metric of the third array.
func (m *maintenance) metric(name, value string) {
	m.t.Helper()
	process.Await(m.t, pollBound, name+" to be "+value, func() error {
		text, err := get(m.t.Context(), m.url+"/metrics")
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, name+"{") && strings.Contains(line, m.host+`"`) && strings.HasSuffix(line, " "+value+"\n") {
				return err
			}
		}
		return fmt.Errorf("it is not (%w)", err)
	})
}
