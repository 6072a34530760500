//go:build integration

package integration

import (
	"context"
	"fmt"
	"math"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/publisher/status"
)

// browser is a headless Chromium with one tab. In every test nothing may be written to
// its console, and no other server may be requested than that of the page.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	console  []string // messages and exceptions
	requests []string
}

func startBrowser(t *testing.T, origin string) *browser {
	t.Helper()
	b := &browser{t: t}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
	)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithListener(b.listen))
	t.Cleanup(cancel)
	b.ctx, cancel = context.WithTimeout(ctx, 10*time.Minute)
	t.Cleanup(cancel)
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, text := range b.console {
			t.Errorf("on the console: %s", text)
		}
		if len(b.requests) == 0 {
			t.Error("no request was seen")
		}
		for _, url := range b.requests {
			if !strings.HasPrefix(url, origin+"/") && !strings.HasPrefix(url, "data:") {
				t.Errorf("the page requested %s", url)
			}
		}
	})
	return b
}

func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		for _, arg := range e.Args {
			b.console = append(b.console, string(arg.Value))
		}
	case *runtime.EventExceptionThrown:
		b.console = append(b.console, fmt.Sprintf("%+v", e.ExceptionDetails))
	case *log.EventEntryAdded:
		if e.Entry.Source != log.EntrySourceNetwork { // has an error when the agent has stopped
			b.console = append(b.console, e.Entry.Text)
		}
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	}
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// eval runs a script and returns its value.
func eval[T any](b *browser, script string) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
	return value
}

// await waits until a script returns true.
func (b *browser) await(what, script string) {
	b.t.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Poll[bool](script, chromedp.WithPollingTimeout(pollBound))); err != nil {
		b.t.Fatalf("waited for %s: %v", what, err)
	}
}

// picture writes a screenshot to the folder POOLCAST_SCREENSHOTS, if that is set.
func (b *browser) picture(name string) {
	b.t.Helper()
	folder := os.Getenv("POOLCAST_SCREENSHOTS")
	if folder == "" {
		return
	}
	image, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name+".png"), image, 0o600)
	}
	if err != nil {
		b.t.Error(err)
	}
}

// dark selects the dark colours, or the light ones.
func (b *browser) dark(on bool) {
	b.t.Helper()
	scheme := "light"
	if on {
		scheme = "dark"
	}
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	}))
}

// checkWidth fails if an element is wider than the window or than its card.
func (b *browser) checkWidth(width int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, 900))
	for _, fault := range eval[[]string](b, `(() => {
		const found = [], root = document.documentElement;
		if (root.scrollWidth > root.clientWidth) found.push("the page scrolls sideways: " + root.scrollWidth);
		for (const card of document.querySelectorAll(".array, .failure, form")) {
			const edge = card.getBoundingClientRect().right;
			for (const part of card.querySelectorAll("*")) {
				if (part.closest(".wide, .unseen, svg") && !part.matches(".wide, svg")) continue;
				if (part.getBoundingClientRect().right > edge + 1) found.push(part.outerHTML.slice(0, 80));
			}
		}
		return found;
	})()`) {
		b.t.Errorf("%d pixels wide: %s", width, fault)
	}
}

// checkContrast fails if the contrast of a text is below that of WCAG 2.1, level AA.
func (b *browser) checkContrast(name string) {
	b.t.Helper()
	for _, fault := range eval[[]string](b, `(() => {
		const rgb = (text) => text.match(/[\d.]+/g).map(Number);
		const light = (c) => { const [r, g, b] = c.slice(0, 3).map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
			return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
		const behind = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
		const found = new Set();
		for (const e of document.querySelectorAll("body *")) {
			if (e.closest(".unseen, svg, noscript, meter, option") || ![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
			const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
			if ((a + 0.05) / (b + 0.05) < 4.5) found.add(e.tagName + "." + e.className + ": " + ((a + 0.05) / (b + 0.05)).toFixed(2));
		}
		return [...found];
	})()`) {
		b.t.Errorf("%s: contrast of %s", name, fault)
	}
}

// checkStructure fails if the structure of the page does not suit a screen reader.
func (b *browser) checkStructure() {
	b.t.Helper()
	for _, fault := range eval[[]string](b, `(() => {
		const found = [];
		for (const one of ["header", "main", "footer", "h1"]) if (document.querySelectorAll(one).length !== 1) found.push("not one " + one);
		let level = 0;
		for (const h of document.querySelectorAll("h1, h2, h3, h4")) {
			if (h.tagName[1] - level > 1) found.push("heading out of order: " + h.textContent);
			level = Number(h.tagName[1]);
		}
		for (const field of document.querySelectorAll("input:not([type=hidden]), select, textarea, meter"))
			if (!field.labels || !field.labels.length) found.push("no label: " + field.outerHTML);
		for (const drawing of document.querySelectorAll("svg"))
			if (drawing.getAttribute("role") !== "img" || !drawing.getAttribute("aria-label")) found.push("no name: " + drawing.outerHTML.slice(0, 60));
		const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
		ids.filter((id, i) => ids.indexOf(id) !== i).forEach((id) => found.push("twice: " + id));
		if (document.documentElement.lang !== "en") found.push("no language");
		return found;
	})()`) {
		b.t.Error(fault)
	}
}

// TestStatusPageInBrowser uses the page of a running agent in a browser.
func TestStatusPageInBrowser(t *testing.T) {
	t.Parallel()
	env := newEnvironment(t, threeArrays(t), unreachable)
	a, url := env.startWithStatusPage()
	b := startBrowser(t, url)
	b.do(chromedp.EmulateViewport(1300, 1000), chromedp.Navigate(url+"/"))
	b.checkStructure()

	t.Run("refreshes and keeps the state of the page", func(t *testing.T) {
		b.do(chromedp.Click(chromedp.CSS("details[data-key=report] > summary")))
		b.do(chromedp.SetValue(chromedp.CSS("#size"), "77"))
		b.do(chromedp.Click(chromedp.CSS("#zone")))
		before := eval[string](b, `document.querySelector(".array .series").textContent`)
		env.setFrame(2)
		b.await("other numbers", fmt.Sprintf(`document.querySelector(".array .series").textContent !== %q`, before))
		if !eval[bool](b, `document.querySelector("details[data-key=report]").open`) {
			t.Error("the details have closed")
		}
		if got := eval[string](b, `document.activeElement.id + document.querySelector("#size").value`); got != "zone77" {
			t.Errorf("focus and the field's text are %q", got)
		}
		eval[bool](b, `(document.querySelector("details[data-key=report] summary").focus(), true)`)
		now := eval[string](b, `document.querySelector("#age").textContent`)
		b.await("another refresh", fmt.Sprintf(`document.querySelector("#age").textContent !== %q`, now))
		if !eval[bool](b, `document.activeElement.matches("summary")`) {
			t.Error("the focus is lost")
		}
	})
	t.Run("explains a decision", func(t *testing.T) {
		b.do(chromedp.SetValue(chromedp.CSS("#property"), "volume_backend_name="+pool))
		if _, err := chromedp.RunResponse(b.ctx, chromedp.Click(chromedp.CSS("form button"))); err != nil {
			t.Fatal(err)
		}
		decision := eval[string](b, `document.querySelector("#decision").textContent`)
		for _, want := range []string{"would take it", "CapacityWeigher", "flasharray_x_01", "flasharray_x_02", "flasharray_x_03"} {
			if !strings.Contains(decision, want) {
				t.Errorf("the decision has no %q: %s", want, decision)
			}
		}
		b.checkStructure()
	})
	t.Run("fits and has contrast", func(t *testing.T) {
		for _, width := range []int64{320, 420, 768, 1024, 1300, 1920} {
			b.checkWidth(width)
		}
		b.checkContrast("light")
		b.do(chromedp.EmulateViewport(420, 900))
		b.picture("phone")
		b.dark(true)
		b.checkContrast("dark")
		if eval[bool](b, `matchMedia("(prefers-color-scheme: light)").matches || getComputedStyle(document.body).backgroundColor === "rgb(246, 247, 248)"`) {
			t.Error("the dark colours are the light ones")
		}
		b.do(chromedp.EmulateViewport(1300, 1000))
		b.picture("dark")
	})
	t.Run("shows that the agent has stopped", func(t *testing.T) {
		a.finish()
		b.await("the page to show it", `document.querySelector("#announcement").textContent.includes("does not respond")`)
	})
}

// fixedView is a view that does not change.
type fixedView status.View

func (v fixedView) View() status.View { return status.View(v) }

func (v fixedView) History(string) []status.Point {
	var points []status.Point
	for i := range 60 {
		points = append(points, status.Point{
			At: v.Now.Add(time.Duration(i-60) * time.Minute), Operations: 20_000 * (1 + math.Sin(float64(i)/9)),
			BytesPerSec: 1e9, ReadUsec: 300, WriteUsec: math.NaN(), LoadPercent: math.NaN(),
		})
	}
	return points
}

// healthyView is a view of n arrays in one logical pool, without faults.
func healthyView(n int) fixedView {
	v := status.View{
		Now:   time.Now(),
		Agent: status.Agent{Host: "ctl1", Version: "1.0.0", LastTick: time.Now()},
		Bus:   status.Bus{Connected: true, Exchange: true, Broker: "10.0.0.5:5671"},
	}
	for i := range n {
		old := capability.OfInt(int64(i))
		name := fmt.Sprintf("fa_%02d", i+1)
		r := capability.Report{
			Host: "ctl1@" + name, Backend: name, Pool: "gold", Zone: "dc1", CollectedAt: v.Now.Add(-4 * time.Second), Status: capability.OK,
			Capabilities: capability.Set{
				capability.KeyTotalCapacity: capability.OfFloat(189849), capability.KeyFreeCapacity: capability.OfFloat(float64(i * 5000)),
				capability.KeyTotalVolumes: capability.OfInt(int64(100 * i)), capability.KeyFilterFunction: capability.OfString(strings.Repeat("capabilities.total_volumes<1000and", 4)),
			},
		}
		v.Backends = append(v.Backends, status.Backend{
			Name: name, Host: r.Host, Pool: r.Pool, Zone: r.Zone, Report: &r,
			Poll:    status.Poll{Up: true, Polls: 5, LastOK: v.Now},
			Overlay: status.Overlay{State: "overlaying", PublishedAt: v.Now, ReceivedAt: v.Now, Changes: []status.Change{{Key: "total_volumes", Old: &old, New: capability.OfInt(7)}}},
			Space:   &status.Space{Total: 189849, Reserved: 18984, Ratio: 20, Provisioned: 1184194, VirtualFree: 2233106, Thin: true},
		})
	}
	return fixedView(v)
}

// failedCreates are fifty of them: with reasons, with a backend that fits now, with names
// that are long, and without a decision.
func failedCreates(now time.Time, long string) status.Failures {
	f := status.Failures{Enabled: true, Listening: true, Since: now.Add(-time.Hour)}
	for i := range 50 {
		one := status.Failure{
			ReceivedAt: now.Add(-time.Duration(i) * time.Minute), Operation: "create_volume", VolumeID: fmt.Sprintf("c7cb%04d-99fd-4f99-9329-cc239a4f5f42", i),
			VolumeType: "gold", Size: 100, Zones: []string{"dc1"}, OtherPools: 4,
			Refused: []status.FailureRefusal{
				{Backend: "flasharray_x_01", Filter: "CapabilitiesFilter", Reason: "total_volumes 912 is not <= 800"},
				{Backend: "flasharray_x_02", Filter: "CapacityFilter", Reason: "provisioned ratio 524.769 > 10.79: (provisioned 1183252 + 1073741824 GiB) / 2048377.32 GiB"},
			},
			Explanation: "refused: flasharray_x_01 total_volumes 912 is not <= 800; flasharray_x_02 …",
		}
		switch i % 5 {
		case 1:
			one.Fits, one.Explanation = []string{"flasharray_x_03"}, "flasharray_x_03 fits now: its report or its service has changed in the last minute; refused: flasharray_x_01 total_volumes 912 is not <= 800"
		case 2:
			one.VolumeType, one.Zones = long, []string{long}
			one.Refused[0] = status.FailureRefusal{Backend: long, Filter: "CapabilitiesFilter", Reason: strings.Repeat("x", 300)}
		case 3:
			one.Operation, one.Refused, one.Explanation = "retype", nil, "the scheduler refused it; only creates are explained"
		}
		f.Latest = append(f.Latest, one)
	}
	return f
}

// TestStatusPageStates renders the page for unusual and for faulty states.
func TestStatusPageStates(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a_very_long_name_", 4)[:60]
	for name, c := range map[string]struct {
		view   fixedView
		change func(v *fixedView)
		want   string
	}{
		"thirty-two arrays": {view: healthyView(32), want: "All checks passed"},
		"no backend":        {view: healthyView(0), want: "No backend is configured."},
		"no data yet": {view: healthyView(2), want: "not polled yet", change: func(v *fixedView) {
			for i := range v.Backends {
				b := &v.Backends[i]
				*b = status.Backend{Name: b.Name, Host: b.Host, Pool: b.Pool, Zone: b.Zone}
			}
		}},
		"array down": {view: healthyView(3), want: "1 problem", change: func(v *fixedView) {
			v.Backends[1].Poll = status.Poll{Polls: 9, Failures: 4, Error: "GET https://10.21.0.12/api/2.26/arrays/space: context deadline exceeded"}
			v.Backends[1].Overlay.State, v.Backends[1].Report.Status = "no_sample", capability.Stale
		}},
		"suspended overlay": {view: healthyView(3), want: "reported 10 GiB, measured 20 GiB", change: func(v *fixedView) {
			v.Backends[0].Overlay = status.Overlay{State: "suspended", Cause: "different_capacity", Reason: "reported 10 GiB, measured 20 GiB", ReceivedAt: v.Now}
		}},
		"blocked broker": {view: healthyView(2), want: "RabbitMQ has blocked publishers", change: func(v *fixedView) { v.Bus.Blocked = true }},
		"failed creates": {view: healthyView(3), want: "total_volumes 912 is not <= 800", change: func(v *fixedView) {
			v.Failures = failedCreates(v.Now, long)
		}},
		"long names": {view: healthyView(3), want: long, change: func(v *fixedView) {
			v.Agent.Host = long
			for i := range v.Backends {
				b := &v.Backends[i]
				b.Name, b.Pool, b.Report.Pool = long, long, long
				b.Poll.Up, b.Poll.Error = false, strings.Repeat("x", 200)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.change != nil {
				c.change(&c.view)
			}
			server, err := status.New(status.Options{Listen: "127.0.0.1:0", Source: c.view, Logger: zerolog.Nop(), Placer: func(status.Query) (status.Decision, error) {
				return status.Decision{Summary: long, Rows: []status.DecisionRow{{Backend: long, Reason: strings.Repeat("y", 200)}}}, nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			listener := httptest.NewServer(server.Handler())
			t.Cleanup(listener.Close)
			b := startBrowser(t, listener.URL)
			b.do(chromedp.EmulateViewport(1300, 1000), chromedp.Navigate(listener.URL+"/?size=1#place"))
			if text := eval[string](b, `document.body.innerText`); !strings.Contains(text, c.want) {
				t.Errorf("the page has no %q:\n%s", c.want, text)
			}
			eval[bool](b, `(document.querySelectorAll("details").forEach((d) => (d.open = true)), true)`)
			for _, width := range []int64{320, 420, 1000, 1300, 1400} {
				b.checkWidth(width)
			}
			b.checkStructure()
			b.checkContrast("light")
			b.dark(true)
			b.checkContrast("dark")
			b.picture(strings.ReplaceAll(name, " ", "-"))
		})
	}
}
