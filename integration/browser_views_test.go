//go:build integration

package integration

import (
	"fmt"
	"math"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/rs/zerolog"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/publisher/status"
)

// fixedView is a view that does not change.
type fixedView status.View

func (v fixedView) View() status.View { return status.View(v) }

func (v fixedView) History(string) []status.Point {
	var points []status.Point
	for i := range 60 {
		points = append(points, status.Point{
			At: v.Now.Add(time.Duration(i-60) * time.Minute), Operations: 20_000 * (1 + math.Sin(float64(i)/9)),
			BytesPerSec: 1e9, ReadUsec: 300, WriteUsec: math.NaN(),
		})
	}
	return points
}

// healthyView is a view of n arrays in one pool, all well.
func healthyView(n int) fixedView {
	v := status.View{
		Now:   time.Now(),
		Agent: status.Agent{Host: "ctl1", Version: "1.0.0", LastTurn: time.Now()},
		Bus:   status.Bus{Connected: true, Exchange: true, Broker: "10.0.0.5:5671"},
	}
	for i := range n {
		heard := capability.OfInt(int64(i))
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
			Overlay: status.Overlay{State: "overlaying", Published: v.Now, Heard: v.Now, Changes: []status.Change{{Key: "total_volumes", Heard: &heard, Ours: capability.OfInt(7)}}},
			Space:   &status.Space{Total: 189849, Reserved: 18984, Ratio: 20, Provisioned: 1184194, VirtualFree: 2233106, Thin: true},
		})
	}
	return fixedView(v)
}

// TestStatusPageStates renders what an operator sees on the days that matter.
func TestStatusPageStates(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a_very_long_name_", 4)[:60]
	for name, c := range map[string]struct {
		view   fixedView
		change func(v *fixedView)
		want   string
	}{
		"thirty-two arrays": {view: healthyView(32), want: "Everything is in order"},
		"no backend":        {view: healthyView(0), want: "No backend is configured."},
		"no data yet": {view: healthyView(2), want: "not polled yet", change: func(v *fixedView) {
			for i := range v.Backends {
				b := &v.Backends[i]
				*b = status.Backend{Name: b.Name, Host: b.Host, Pool: b.Pool, Zone: b.Zone}
			}
		}},
		"array down": {view: healthyView(3), want: "1 thing to look at", change: func(v *fixedView) {
			v.Backends[1].Poll = status.Poll{Polls: 9, Failures: 4, Error: "GET https://10.21.0.12/api/2.26/arrays/space: context deadline exceeded"}
			v.Backends[1].Overlay.State, v.Backends[1].Report.Status = "withdrawn", capability.Stale
		}},
		"suspended overlay": {view: healthyView(3), want: "heard 10 GiB, measured 20 GiB", change: func(v *fixedView) {
			v.Backends[0].Overlay = status.Overlay{State: "suspended", Code: "different_capacity", Reason: "heard 10 GiB, measured 20 GiB", Heard: v.Now}
		}},
		"blocked broker": {view: healthyView(2), want: "RabbitMQ asked publishers to pause", change: func(v *fixedView) { v.Bus.Blocked = true }},
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
			server, err := status.New(status.Options{Listen: "127.0.0.1:0", Source: c.view, Logger: zerolog.Nop(), Placer: func(status.Query) (status.Answer, error) {
				return status.Answer{Summary: long, Rows: []status.AnswerRow{{Backend: long, Verdict: strings.Repeat("y", 200)}}}, nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			listener := httptest.NewServer(server.Handler())
			t.Cleanup(listener.Close)
			b := startBrowser(t, listener.URL)
			b.do(chromedp.EmulateViewport(1300, 1000), chromedp.Navigate(listener.URL+"/?size=1#place"))
			if text := eval[string](b, `document.body.innerText`); !strings.Contains(text, c.want) {
				t.Errorf("the page does not say %q:\n%s", c.want, text)
			}
			eval[bool](b, `(document.querySelectorAll("details").forEach((d) => (d.open = true)), true)`)
			for _, width := range []int64{320, 420, 1000, 1300} {
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
