//go:build integration

package integration

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/integration/internal/scheduler"
	"github.com/poolcast/poolcast/publisher/status"
)

// foreignPools are n pools of four hosts, as a scheduler lists them.
func foreignPools(now time.Time, n int) status.SchedulerList {
	list := status.SchedulerList{RequestedAt: now.Add(-20 * time.Second), ReceivedAt: now.Add(-20 * time.Second)}
	for i := range n {
		list.Others = append(list.Others, status.ListedPool{
			Name: fmt.Sprintf("ctl%d@netapp_production#aggregate_%03d", i%4+2, i), Zone: "dc2", ZoneAssumed: i%3 == 0,
			Capabilities: capability.Set{
				capability.KeyVolumeBackendName: capability.OfString("silver"), capability.KeyTotalCapacity: capability.OfInt(102400),
				capability.KeyFreeCapacity: capability.OfInt(51200), capability.KeyAllocatedCapacity: capability.OfInt(70000),
			},
		})
	}
	return list
}

// decidedPage is the answer of the form: the first of two backends for a type that fits.
func decidedPage(q status.Query) (status.Decision, error) {
	switch q.VolumeType {
	case "glod":
		return status.Decision{}, errors.New(`volume_type "glod": /etc/poolcast/types.json has no such type; did you mean gold?`)
	case "gold":
		return status.Decision{
			Summary: "fa_01 would take it: it weighs 1, the next, fa_02, 0.43", Fits: true, Notes: []string{"no zone was requested: dc1 by storage_availability_zone of this host's cinder.conf"},
			Rows: []status.DecisionRow{{Backend: "fa_01", Rank: "1", Weight: "1", Reason: "CapacityWeigher 1.00"}, {Backend: "fa_02", Rank: "2", Weight: "0.43", Reason: "CapacityWeigher 0.43"}},
		}, nil
	}
	return status.Decision{
		Summary: "no backend fits: 2 were refused",
		Rows:    []status.DecisionRow{{Backend: "fa_01", Reason: "CapabilitiesFilter: total_volumes 912 is not <= 800"}, {Backend: "fa_02", Reason: "CapabilitiesFilter: total_volumes 913 is not <= 800"}},
	}, nil
}

// servePage serves a view with a list, and a form.
func servePage(t *testing.T, v fixedView, list status.SchedulerList) string {
	t.Helper()
	server, err := status.New(status.Options{
		Listen: "127.0.0.1:0", Source: v, Logger: zerolog.Nop(), Placer: decidedPage, Listed: func() status.SchedulerList { return list },
	})
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(server.Handler())
	t.Cleanup(listener.Close)
	return listener.URL
}

// scripts switches the scripts of the page on or off.
func (b *browser) scripts(on bool) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return err
	}))
}

// checkWidths opens all details and checks the page at each width, light and dark.
func (b *browser) checkWidths(name string) {
	b.t.Helper()
	eval[bool](b, `(document.querySelectorAll("details").forEach((d) => (d.open = true)), true)`)
	for _, width := range []int64{320, 420, 768, 1400} {
		b.checkWidth(width)
	}
	b.checkStructure()
	for _, dark := range []bool{false, true} {
		colours := map[bool]string{false: "light", true: "dark"}[dark]
		b.dark(dark)
		b.checkContrast(colours)
		for _, width := range []int64{420, 1400} {
			b.do(chromedp.EmulateViewport(width, 900))
			b.picture(fmt.Sprintf("%s-%s-%d", name, colours, width))
		}
	}
	b.dark(false)
}

// TestStatusPageForm uses the form with volume types by keyboard and without scripts, and
// looks at answers that fit, that are refused and that are errors.
func TestStatusPageForm(t *testing.T) {
	t.Parallel()
	v := healthyView(2)
	v.Types = status.VolumeTypes{File: "/etc/poolcast/types.json", Names: []string{"gold", "silver", strings.Repeat("a_long_name_", 20)}}
	url := servePage(t, v, foreignPools(v.Now, 200))
	b := startBrowser(t, url)
	b.do(chromedp.EmulateViewport(1300, 1000), chromedp.Navigate(url+"/"))

	t.Run("is reached by keyboard", func(t *testing.T) {
		eval[bool](b, `(document.querySelector('header a[href="#place"]').focus(), true)`)
		b.do(chromedp.KeyEvent("\r"))
		b.await("the form to be in view", `(() => { const r = document.querySelector("#place").getBoundingClientRect(); return r.top >= -1 && r.top < innerHeight; })()`)
		b.do(chromedp.Focus(chromedp.CSS("#type")), chromedp.KeyEvent("g"))
		if got := eval[string](b, `document.querySelector("#type").value`); got != "gold" {
			t.Errorf("the type is %q", got)
		}
	})
	t.Run("fits", func(t *testing.T) {
		if _, err := chromedp.RunResponse(b.ctx, chromedp.Click(chromedp.CSS("form button"))); err != nil {
			t.Fatal(err)
		}
		if got := eval[string](b, `document.querySelector("#decision").innerText + document.querySelector("#type").value`); !strings.Contains(got, "fa_01 would take it") || !strings.HasSuffix(got, "gold") {
			t.Errorf("the answer is %s", got)
		}
		b.checkWidths("form-fits")
	})
	t.Run("is refused", func(t *testing.T) {
		b.do(chromedp.Navigate(url + "/?size=10&volume_type=silver&hint=same_host%3Dfa_01#place"))
		if got := eval[string](b, `document.querySelector("#decision .bad").innerText`); got != "no backend fits: 2 were refused" {
			t.Errorf("the answer is %s", got)
		}
		if !eval[bool](b, `document.querySelector("details.more").open`) {
			t.Error("the hints are hidden")
		}
		b.checkWidths("form-refused")
	})
	t.Run("has an error without scripts", func(t *testing.T) {
		b.scripts(false)
		b.do(chromedp.Navigate(url + "/?size=10&volume_type=glod#place"))
		b.scripts(true)
		if got := eval[string](b, `document.querySelector("#type").value + ": " + document.querySelector("#error").innerText`); !strings.HasPrefix(got, "glod: ") || !strings.HasSuffix(got, "did you mean gold?") {
			t.Errorf("the error is %s", got)
		}
		b.checkWidths("form-error")
	})
}

// TestStatusPageAttention looks at the list of what to look at, and at the backends of
// other hosts, in the states that they have.
func TestStatusPageAttention(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a_very_long_name_", 9)
	for name, c := range map[string]struct {
		change func(v *fixedView, list *status.SchedulerList)
		want   []string
	}{
		"all": {func(v *fixedView, list *status.SchedulerList) {
			v.Failures = failedCreates(v.Now, long)
			v.Failures.Listening, v.Failures.Reason = false, "ACCESS_REFUSED - access to exchange 'openstack' refused for user 'poolcast'"
			v.Config = status.Config{Loaded: v.Now.Add(-time.Hour), Refused: v.Now.Add(-time.Minute), RefusedSince: v.Now.Add(-20 * time.Minute), Faults: []string{
				`/etc/cinder/cinder.conf:12: [poolcast] on_stale "perhaps": want keep, down or drop. Did you mean keep?`, "/etc/cinder/cinder.conf:13: " + long,
			}}
			v.Types = status.VolumeTypes{File: "/etc/poolcast/" + long, Names: []string{"gold"}, Fault: "read volume types: /etc/poolcast/" + long + ": it is a table: add -f json", Since: v.Now.Add(-time.Hour)}
			v.Invalid = []status.InvalidBackend{{Name: "fa_09", Faults: []string{"/etc/cinder/cinder.conf:70: [fa_09] san_ip: is missing"}}}
			v.Backends[1].Poll = status.Poll{Polls: 9, Error: "GET https://10.21.0.12/api/2.26/arrays/space: context deadline exceeded"}
			list.Unlisted = []string{"ctl1@fa_01", "ctl1@" + long}
		}, []string{"7 problems", "the first one 20 min ago", "40 in the last hour", "failed creates", "without ctl1@fa_01", "200 pools on 4 hosts"}},
		"requested": {func(_ *fixedView, list *status.SchedulerList) { *list = status.SchedulerList{} }, []string{"All checks passed", "is shown when the page is next refreshed"}},
		"failed list": {func(v *fixedView, list *status.SchedulerList) {
			list.RequestedAt, list.Failure = v.Now.Add(-5*time.Second), "the user needs the right to write to the exchange openstack: "+long
		}, []string{"As the scheduler listed them 20 s ago", "The request 5 s ago failed: the user needs the right"}},
	} {
		t.Run(name, func(t *testing.T) {
			v := healthyView(2)
			list := foreignPools(v.Now, 200)
			c.change(&v, &list)
			url := servePage(t, v, list)
			b := startBrowser(t, url)
			b.do(chromedp.EmulateViewport(1400, 1000), chromedp.Navigate(url+"/"))
			text := eval[string](b, `document.body.innerText`)
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("the page has no %q:\n%s", want, text)
				}
			}
			if height := eval[float64](b, `document.querySelector("#listed").getBoundingClientRect().height`); height > 250 {
				t.Errorf("the section of 200 backends is %g pixels high", height)
			}
			for _, where := range eval[[]string](b, `[...document.querySelectorAll(".next a")].map((a) => a.getAttribute("href"))`) {
				if !eval[bool](b, fmt.Sprintf(`!!document.querySelector(%q)`, where)) {
					t.Errorf("the link %s leads nowhere", where)
				}
			}
			b.checkWidths("attention-" + strings.ReplaceAll(name, " ", "-"))
		})
	}
}

// TestStatusPageShowsTheSchedulersList: with a real scheduler, the page of an agent shows
// the backends of another host and vendor, and that one of its own is frozen.
func TestStatusPageShowsTheSchedulersList(t *testing.T) {
	t.Parallel()
	broker, transport := joinBroker(t)
	env := newEnvironment(t, threeArrays(t), transport)
	cinder := scheduler.Start(t, scheduler.Options{Broker: broker, Backends: append(env.backends(),
		scheduler.Backend{Host: "ctl2@flasharray_x_04", Zone: zone}, scheduler.Backend{Host: "ctl2@netapp", Zone: "dc2"})})
	frozen := env.backends()[0].Host
	cinder.SetState(scheduler.State{Host: frozen, Frozen: true})
	env.startVolume(broker)
	reportForeign(cinder)
	types := filepath.Join(filepath.Dir(env.config), "types.json")
	env.write(types, `[{"Name":"aggr2","Properties":{"pool_name":"aggr2"}}]`)
	env.add("\n[poolcast]\nvolume_types = " + types + "\n")
	a := env.startListening()
	url := a.statusPageURL()
	b := startBrowser(t, url)
	b.do(chromedp.EmulateViewport(1300, 1000), chromedp.Navigate(url+"/"))
	b.await("the backends of other hosts", `document.querySelector("#listed").textContent.includes("ctl2@netapp#aggr2")`)
	section := eval[string](b, `document.querySelector("#listed").textContent`)
	for _, want := range []string{"4 pools on 1 host", "ctl2@flasharray_x_04#" + pool, "ctl2@netapp#aggr1", "ctl2@netapp#aggr3", "GiB"} {
		if !strings.Contains(section, want) {
			t.Errorf("the section has no %q: %s", want, section)
		}
	}
	if strings.Contains(section, "ctl1@flasharray_x_03#") {
		t.Errorf("the section has a backend of the agent: %s", section)
	}
	b.await("the frozen backend among the things to look at", fmt.Sprintf(`document.querySelector(".checks")?.textContent.includes("without %s")`, frozen))
	eval[bool](b, `(document.querySelectorAll("#listed details").forEach((d) => (d.open = true)), true)`)
	b.picture("listed-real")
	b.do(chromedp.Navigate(url + "/?size=10&volume_type=aggr2&availability_zone=" + zone + "#place"))
	if got := eval[string](b, `document.querySelector("#decision").innerText`); !strings.Contains(got, "ctl2@netapp#aggr2 would take it") {
		t.Errorf("the decision with a type is %s", got)
	}
	b.picture("listed-real-decision")
	a.finish()
}
