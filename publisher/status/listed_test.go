package status

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// listOf has n pools of other hosts.
func listOf(n int) SchedulerList {
	list := SchedulerList{RequestedAt: noon.Add(-20 * time.Second), ReceivedAt: noon.Add(-20 * time.Second)}
	for i := range n {
		list.Others = append(list.Others, ListedPool{
			Name: fmt.Sprintf("ctl%d@netapp#aggr%03d", i%4, i), Zone: "dc2", ZoneAssumed: i%2 == 0,
			Capabilities: capability.Set{
				capability.KeyVolumeBackendName: capability.OfString("silver"), capability.KeyTotalCapacity: capability.OfInt(100),
				capability.KeyFreeCapacity: capability.OfString("infinite"),
			},
		})
	}
	return list
}

func TestPageShowsBackendsOfOtherHosts(t *testing.T) {
	failed := listOf(1)
	failed.RequestedAt, failed.Failure = noon.Add(-3*time.Second), "ACCESS_REFUSED <b>"
	for name, c := range map[string]struct {
		connected bool
		list      SchedulerList
		want, not []string
	}{
		"before the first reply": {true, SchedulerList{}, []string{"The list was requested from the scheduler, and is shown when the page is next refreshed."}, []string{"data-key=\"others\"", " failed: "}},
		"not connected":          {false, SchedulerList{}, []string{"Not requested: poolcast is not connected to RabbitMQ."}, []string{"requested once a minute"}},
		"none":                   {true, listOf(0), []string{"The scheduler listed none 20 s ago."}, []string{"data-key=\"others\""}},
		"some": {true, listOf(200), []string{
			"As the scheduler listed them 20 s ago.", "<summary>200 pools on 4 hosts</summary>",
			`<tr><th scope="row">ctl1@netapp#aggr001</th><td>silver</td><td>dc2</td><td class="number">100` + "\u202f" + `GiB</td><td class="number">infinite</td><td class="number">–</td></tr>`,
			"<td>dc2 <small>assumed</small></td>",
		}, []string{"further pool"}},
		"very many":       {true, listOf(600), []string{"<summary>600 pools on 4 hosts</summary>", `100 further pools: <a href="/v1/scheduler">`}, []string{"aggr500"}},
		"failed at once":  {true, SchedulerList{RequestedAt: noon, Failure: "no reply"}, []string{"There is no list.", "The request now failed: no reply"}, nil},
		"failed since":    {true, failed, []string{"As the scheduler listed them 20 s ago.", "The request 3 s ago failed: ACCESS_REFUSED &lt;b&gt;", "1 pool on 1 host"}, nil},
		"connection lost": {false, listOf(1), []string{"As the scheduler listed them 20 s ago.", "1 pool on 1 host"}, []string{"requested once a minute"}},
	} {
		t.Run(name, func(t *testing.T) {
			v := healthyView()
			v.Bus.Connected = c.connected
			views := 0
			server := serve(t, Options{Source: fixed(v), Listed: func() SchedulerList { views++; return c.list }})
			for _, path := range []string{"/metrics", "/readyz", "/livez", "/v1/reports"} {
				get(t, server.URL+path)
			}
			if views != 0 {
				t.Errorf("%d views of the page before it was requested", views)
			}
			_, page := get(t, server.URL+"/")
			for _, want := range c.want {
				if !strings.Contains(page, want) {
					t.Errorf("the page has no %q", want)
				}
			}
			for _, not := range c.not {
				if strings.Contains(page, not) {
					t.Errorf("the page has %q", not)
				}
			}
			if views != 1 {
				t.Errorf("%d views", views)
			}
		})
	}
	if _, page := get(t, serve(t, Options{Source: fixed(healthyView())}).URL+"/"); strings.Contains(page, "other hosts") {
		t.Error("there is a section without a list")
	}
}
