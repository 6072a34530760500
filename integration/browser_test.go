//go:build integration

package integration

import (
	"context"
	"fmt"
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
)

// browser is a headless Chromium with one tab. Whatever the test is about,
// nothing may be said on its console, and nothing asked of another place than
// the page's own.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	said     []string // on the console, or as an exception
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
	b.ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, text := range b.said {
			t.Errorf("said on the console: %s", text)
		}
		if len(b.requests) == 0 {
			t.Error("no request was seen")
		}
		for _, url := range b.requests {
			if !strings.HasPrefix(url, origin+"/") && !strings.HasPrefix(url, "data:") {
				t.Errorf("the page asked for %s", url)
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
			b.said = append(b.said, string(arg.Value))
		}
	case *runtime.EventExceptionThrown:
		b.said = append(b.said, fmt.Sprintf("%+v", e.ExceptionDetails))
	case *log.EventEntryAdded:
		if e.Entry.Source != log.EntrySourceNetwork { // an agent that is gone is seen there
			b.said = append(b.said, e.Entry.Text)
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

// eval runs a piece of script and returns what it comes to.
func eval[T any](b *browser, script string) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
	return value
}

// await waits until a piece of script comes to true.
func (b *browser) await(what, script string) {
	b.t.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Poll[bool](script, chromedp.WithPollingTimeout(pollBound))); err != nil {
		b.t.Fatalf("waited for %s: %v", what, err)
	}
}

// picture keeps a screenshot where POOLCAST_SCREENSHOTS says, for people.
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

// dark asks for the dark colours, or for the light ones.
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

// checkWidth fails if something reaches beyond the window or out of its card.
func (b *browser) checkWidth(width int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, 900))
	for _, fault := range eval[[]string](b, `(() => {
		const found = [], root = document.documentElement;
		if (root.scrollWidth > root.clientWidth) found.push("the page scrolls sideways: " + root.scrollWidth);
		for (const card of document.querySelectorAll(".array, form")) {
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

// checkContrast fails if a text is not told from what is behind it, by the
// measure of WCAG 2.1, level AA.
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

// checkStructure fails if somebody who listens to the page would get lost.
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
		for (const field of document.querySelectorAll("input, select, textarea, meter"))
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

// TestStatusPageInBrowser drives the page of a running agent as a person would.
func TestStatusPageInBrowser(t *testing.T) {
	t.Parallel()
	env := newEnvironment(t, threeArrays(t), unreachable)
	a, url := env.startWithStatusPage()
	b := startBrowser(t, url)
	b.do(chromedp.EmulateViewport(1300, 1000), chromedp.Navigate(url+"/"))
	b.checkStructure()

	t.Run("keeps itself fresh and leaves the reader alone", func(t *testing.T) {
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
		answer := eval[string](b, `document.querySelector("#answer").textContent`)
		for _, want := range []string{"would take it", "CapacityWeigher", "flasharray_x_01", "flasharray_x_02", "flasharray_x_03"} {
			if !strings.Contains(answer, want) {
				t.Errorf("the answer has no %q: %s", want, answer)
			}
		}
		b.checkStructure()
	})
	t.Run("fits and can be read", func(t *testing.T) {
		for _, width := range []int64{320, 420, 768, 1024, 1300, 1920} {
			b.checkWidth(width)
		}
		b.checkContrast("light")
		b.do(chromedp.EmulateViewport(420, 900))
		b.picture("phone")
		b.dark(true)
		b.checkContrast("dark")
		if eval[bool](b, `matchMedia("(prefers-color-scheme: light)").matches || getComputedStyle(document.body).backgroundColor === "rgb(246, 247, 248)"`) {
			t.Error("dark is as light")
		}
		b.do(chromedp.EmulateViewport(1300, 1000))
		b.picture("dark")
	})
	t.Run("says when nobody answers", func(t *testing.T) {
		a.finish()
		b.await("the page to say so", `document.querySelector("#word").textContent.includes("does not answer")`)
	})
}
