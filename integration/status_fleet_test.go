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

// fleet is a view of arrays in four logical pools and two zones. One array is down,
// one is stale, and a few are beyond a threshold.
type fleet struct{ fixedView }

func newFleet(n int) fleet {
	v := healthyView(n)
	v.Thresholds = status.Thresholds{
		Load: status.Limits{Warning: 70, Critical: 90}, Latency: status.Limits{Warning: 2000, Critical: 5000},
		Used: status.Limits{Warning: 80, Critical: 90}, VirtualFree: status.Limits{Warning: 10, Critical: 5},
	}
	for i := range v.Backends {
		b := &v.Backends[i]
		b.Name = fmt.Sprintf("flasharray_x_%03d", i+1)
		b.Host = "ctl1@" + b.Name
		if n >= 6 {
			b.Pool, b.Zone = []string{"gold", "silver"}[i%2], []string{"dc1", "dc2"}[i/2%2]
		}
		b.Report.Host, b.Report.Backend, b.Report.Pool, b.Report.Zone = b.Host, b.Name, b.Pool, b.Zone
		spread := float64(i*37%61) / 61 // the same in each run
		load := 4 + float64(i*29%53)
		used := 35 + float64(i*23%37)
		switch i {
		case 4:
			load = 93
		case 9:
			load = 74
		case 17:
			used = 91
		case 21:
			used = 84
		case 26:
			spread = 1.2 // virtual free
		}
		total := 189849.0
		provisioned := total * (0.9 + 1.4*spread)
		b.Space = &status.Space{Total: total, Reserved: 18984, Ratio: 3.2, Provisioned: provisioned, VirtualFree: (total-18984)*3.2 - provisioned, Thin: true}
		set := b.Report.Capabilities
		set[capability.KeyLoadPercent] = capability.OfInt(int64(load))
		set[capability.KeyUsecPerRead] = capability.OfInt(int64(180 + load*9))
		set[capability.KeyUsecPerWrite] = capability.OfInt(int64(90 + load*5))
		set[capability.KeyFreeCapacity] = capability.OfFloat(total * (1 - used/100))
		set[capability.KeyProvisionedCapacity] = capability.OfFloat(provisioned)
		set[capability.KeyTotalVolumes] = capability.OfInt(int64(300 + 900*spread))
		set[capability.KeyDataReduction] = capability.OfFloat(2.8 + 2*spread)
		set[capability.KeyReadsPerSec], set[capability.KeyWritesPerSec] = capability.OfInt(int64(load*700)), capability.OfInt(int64(load*300))
		set[capability.KeyInputPerSec], set[capability.KeyOutputPerSec] = capability.OfInt(int64(load*9e6)), capability.OfInt(int64(load*17e6))
		b.Report.CollectedAt = v.Now.Add(-time.Duration(2+i%13) * time.Second)
		b.Overlay.PublishedAt = b.Report.CollectedAt.Add(time.Second)
	}
	if n > 12 {
		v.Backends[12].Poll = status.Poll{Polls: 9, Failures: 4, Error: "GET https://10.21.0.12/api/2.26/arrays/space: context deadline exceeded"}
		v.Backends[12].Report.Status = capability.Stale
		v.Backends[12].Report.CollectedAt = v.Now.Add(-11 * time.Minute)
		v.Backends[12].Overlay.State, v.Backends[12].Overlay.Reason = "no_sample", "the sample is stale"
	}
	return fleet{v}
}

// History is a load that rises to that of the report, with a peak.
func (f fleet) History(host string) []status.Point {
	var points []status.Point
	for _, b := range f.Backends {
		if b.Host != host {
			continue
		}
		load, _ := b.Report.Capabilities.Number(capability.KeyLoadPercent)
		phase := float64(len(host)) + load
		for i := range 120 {
			x := load * (0.75 + 0.25*math.Sin(phase+float64(i)/11)) * (0.9 + 0.1*math.Sin(float64(i)*1.7+phase))
			if i == 119 {
				x = load
			}
			points = append(points, status.Point{
				At: f.Now.Add(time.Duration(i-119) * 15 * time.Second), LoadPercent: x,
				Operations: x * 1000, BytesPerSec: x * 26e6, ReadUsec: 180 + x*9, WriteUsec: 90 + x*5,
			})
		}
	}
	return points
}

// servePage serves the page of a source with a form.
func servePage(t *testing.T, source status.Source) string {
	t.Helper()
	server, err := status.New(status.Options{Listen: "127.0.0.1:0", Source: source, Logger: zerolog.Nop(), Placer: func(status.Query) (status.Decision, error) {
		return status.Decision{Summary: "flasharray_x_001 would take it", Fits: true}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(server.Handler())
	t.Cleanup(listener.Close)
	return listener.URL
}

func TestStatusPageFleet(t *testing.T) {
	t.Parallel()
	for _, n := range []int{3, 32, 200} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			url := servePage(t, newFleet(n))
			b := startBrowser(t, url)
			b.do(chromedp.EmulateViewport(1400, 900), chromedp.Navigate(url+"/"))
			b.checkStructure()
			for _, scheme := range []string{"light", "dark"} {
				b.dark(scheme == "dark")
				for _, width := range []int64{1400, 420} {
					b.checkWidth(width)
					b.picture(strings.Join([]string{"fleet", fmt.Sprint(n), scheme, fmt.Sprint(width)}, "-"))
				}
				b.checkContrast(scheme)
			}
			if n == 32 {
				b.do(chromedp.EmulateViewport(1400, 900), chromedp.Navigate(url+"/?backend=ctl1@flasharray_x_005"))
				b.dark(false)
				b.picture("fleet-card")
			}
		})
	}
}
