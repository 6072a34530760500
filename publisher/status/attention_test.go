package status

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// healthyView is the sample view without the array that is down.
func healthyView() View {
	v := sampleView()
	v.Backends = v.Backends[:1]
	return v
}

// TestPageListsWhatToLookAt: each entry says what to do next, and none of those that are
// no failure of the agent changes /readyz from ready to not ready.
func TestPageListsWhatToLookAt(t *testing.T) {
	for name, c := range map[string]struct {
		change func(v *View, list *SchedulerList)
		ready  bool
		want   []string
	}{
		"nothing": {func(*View, *SchedulerList) {}, true, []string{"All checks passed", "<title>poolcast"}},
		"refused reload": {func(v *View, _ *SchedulerList) {
			v.Config = Config{
				Loaded: noon.Add(-time.Hour), Refused: noon.Add(-time.Minute), RefusedSince: noon.Add(-10 * time.Minute),
				Faults: []string{"/etc/cinder/cinder.conf:7: [poolcast] listen: off <b>", "/etc/cinder/cinder.conf:9: [poolcast] overlay: perhaps"},
			}
		}, true, []string{
			"1 problem", "<title>(1) poolcast", "a newer one was refused 60 s ago, the first one 10 min ago, and the one of 2025-01-01T11:00:00Z is still in use</span>",
			`<li class="bad">/etc/cinder/cinder.conf:7: [poolcast] listen: off &lt;b&gt;</li>`, `<li class="bad">/etc/cinder/cinder.conf:9:`, "poolcast check --no-bus",
		}},
		"invalid backend": {
			func(v *View, _ *SchedulerList) {
				v.Invalid = []InvalidBackend{{Name: "fa_09", Faults: []string{"/etc/cinder/cinder.conf:70: san_ip: is missing"}}}
			},
			false,
			[]string{"<b>fa_09</b> <span class=\"bad\">not served</span>", `<li class="bad">/etc/cinder/cinder.conf:70: san_ip: is missing</li>`},
		},
		"volume types": {
			func(v *View, _ *SchedulerList) {
				v.Types = VolumeTypes{File: "/etc/t.json", Names: []string{"gold"}, Fault: "read volume types: /etc/t.json: it is empty", Since: noon.Add(-time.Hour)}
			},
			true,
			[]string{
				"the file cannot be used since 2025-01-01T11:00:00Z (60 min ago), and the form has the 1 type read before", "/etc/t.json: it is empty</li>",
				"openstack volume type list --long -f json &gt; /etc/t.json",
			},
		},
		"failed creates": {
			func(v *View, _ *SchedulerList) { v.Failures = failedView(3).Failures },
			true,
			[]string{"1 problem", "3 in the last hour", `<a href="#failures">failed creates</a>`},
		},
		"notifications": {
			func(v *View, _ *SchedulerList) {
				v.Failures = Failures{Enabled: true, Reason: "ACCESS_REFUSED"}
			},
			true,
			[]string{"failed creates are not explained: ACCESS_REFUSED", "the rights of explain_failures in OPERATIONS.md"},
		},
		"unlisted": {
			func(_ *View, list *SchedulerList) { list.Unlisted = []string{"ctl1@fa_01"} },
			true,
			[]string{"without ctl1@fa_01 20 s ago: disabled, frozen or down", `<a href="#listed">the list</a>`, "<code>openstack volume service list --service cinder-volume --long</code>"},
		},
		"unlisted a day ago": {
			func(_ *View, list *SchedulerList) {
				list.Unlisted, list.ReceivedAt = []string{"ctl1@fa_01"}, noon.Add(-24*time.Hour)
			},
			true,
			[]string{"All checks passed", "or not reported since the scheduler started: ctl1@fa_01"},
		},
		"no broker": {
			func(v *View, _ *SchedulerList) { v.Bus = Bus{Reason: "refused"} },
			false,
			[]string{"compare transport_url with that of cinder-volume"},
		},
		"all at once": {func(v *View, list *SchedulerList) {
			v.Config = Config{Refused: noon}
			v.Failures = failedView(1).Failures
			list.Unlisted = []string{"ctl1@fa_01"}
			for i := range 40 {
				v.Invalid = append(v.Invalid, InvalidBackend{Name: fmt.Sprint("fa_1", i), Faults: []string{"no san_ip"}})
			}
		}, false, []string{"43 problems", "<summary>31 further problems</summary>"}},
	} {
		t.Run(name, func(t *testing.T) {
			v, list := healthyView(), SchedulerList{RequestedAt: noon.Add(-20 * time.Second), ReceivedAt: noon.Add(-20 * time.Second)}
			c.change(&v, &list)
			server := serve(t, Options{Source: fixed(v), Listed: func() SchedulerList { return list }})
			_, page := get(t, server.URL+"/")
			for _, want := range c.want {
				if !strings.Contains(page, want) {
					t.Errorf("the page has no %q", want)
				}
			}
			if entries, next := strings.Count(page, "<li><b>"), strings.Count(page, `<p class="next">`); name != "failed creates" && name != "all at once" && entries != next {
				t.Errorf("%d entries have %d next steps", entries, next)
			}
			if code, text := get(t, server.URL+"/readyz"); (code == http.StatusOK) != c.ready {
				t.Errorf("/readyz is %d: %s", code, text)
			}
		})
	}
}

// TestEachFailureHasANextStep: of each state in which reports do not reach the
// schedulers.
func TestEachFailureHasANextStep(t *testing.T) {
	for want, b := range map[string]Backend{
		"wait for the first poll":                {},
		"write the new token":                    {Poll: Poll{Polls: 1, Error: "the array refused the API token"}},
		"poolcast --dry-run --backend fa_01":     {Poll: Poll{Polls: 1, Error: "connection refused"}},
		"poolcast diff --backend fa_01":          {Report: &capability.Report{}, Poll: Poll{Polls: 1, Up: true}, Overlay: Overlay{State: "suspended", Cause: "different_array"}},
		"overlay = true":                         {Report: &capability.Report{}, Poll: Poll{Polls: 1, Up: true}, Overlay: Overlay{State: "suspended", Cause: "cinder_volume_reports"}},
		"poolcast check compares the names with": {Report: &capability.Report{}, Poll: Poll{Polls: 1, Up: true}, Overlay: Overlay{State: "suspended", Cause: "no_recent_base"}},
		"openstack volume service list":          {Report: &capability.Report{}, Poll: Poll{Polls: 1, Up: true}, Overlay: Overlay{State: "listening"}},
		"more about the broker":                  {Report: &capability.Report{}, Poll: Poll{Polls: 1, Up: true}, Overlay: Overlay{State: "overlaying", Failure: "nack"}},
		"prints the reason":                      {Report: &capability.Report{}, Poll: Poll{Polls: 1, Up: true}, Overlay: Overlay{State: "no_sample"}},
	} {
		b.Name = "fa_01"
		if c := b.ready(noon); c.OK || !strings.Contains(c.Next.Command+" "+c.Next.Text, want) {
			t.Errorf("%+v: got %+v, want the next step %q", b.Overlay, c, want)
		}
	}
}
