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

// stillView is a view that does not change.
type stillView status.View

func (v stillView) View() status.View { return status.View(v) }

func (v stillView) History(string) []status.Point {
	var points []status.Point
	for i := range 60 {
		points = append(points, status.Point{
			At: v.Now.Add(time.Duration(i-60) * time.Minute), Operations: 20_000 * (1 + math.Sin(float64(i)/9)),
			BytesPerSec: 1e9, ReadUsec: 300, WriteUsec: math.NaN(),
		})
	}
	return points
}

// crowd is a view of n arrays in one pool, all well.
func crowd(n int) stillView {
	v := status.View{
		Now:   time.Now(),
		Agent: status.Agent{Host: "ctl1", Version: "1.0.0", LastTick: time.Now()},
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
			Overlay: status.Overlay{State: "overlaying", PublishedAt: v.Now, ReceivedAt: v.Now, Changes: []status.Change{{Key: "total_volumes", Old: &heard, New: capability.OfInt(7)}}},
			Space:   &status.Space{Total: 189849, Reserved: 18984, Ratio: 20, Provisioned: 1184194, VirtualFree: 2233106, Thin: true},
		})
	}
	return stillView(v)
}

// TestPagesOfBadDays renders what an operator sees on the days that matter.
func TestPagesOfBadDays(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a_very_long_name_", 4)[:60]
	for name, c := range map[string]struct {
		view stillView
		bend func(v *stillView)
		want string
	}{
		"thirty-two arrays": {view: crowd(32), want: "All checks passed"},
		"no backend":        {view: crowd(0), want: "No backend is configured."},
		"no data yet": {view: crowd(2), want: "not polled yet", bend: func(v *stillView) {
			for i := range v.Backends {
				b := &v.Backends[i]
				*b = status.Backend{Name: b.Name, Host: b.Host, Pool: b.Pool, Zone: b.Zone}
			}
		}},
		"array down": {view: crowd(3), want: "1 problem", bend: func(v *stillView) {
			v.Backends[1].Poll = status.Poll{Polls: 9, Failures: 4, Error: "GET https://10.21.0.12/api/2.26/arrays/space: context deadline exceeded"}
			v.Backends[1].Overlay.State, v.Backends[1].Report.Status = "no_sample", capability.Stale
		}},
		"suspended overlay": {view: crowd(3), want: "heard 10 GiB, measured 20 GiB", bend: func(v *stillView) {
			v.Backends[0].Overlay = status.Overlay{State: "suspended", Cause: "different_capacity", Reason: "heard 10 GiB, measured 20 GiB", ReceivedAt: v.Now}
		}},
		"blocked broker": {view: crowd(2), want: "RabbitMQ has blocked publishers", bend: func(v *stillView) { v.Bus.Blocked = true }},
		"long names": {view: crowd(3), want: long, bend: func(v *stillView) {
			v.Agent.Host = long
			for i := range v.Backends {
				b := &v.Backends[i]
				b.Name, b.Pool, b.Report.Pool = long, long, long
				b.Poll.Up, b.Poll.Error = false, strings.Repeat("x", 200)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.bend != nil {
				c.bend(&c.view)
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
