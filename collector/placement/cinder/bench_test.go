package cinder_test

import (
	"fmt"
	"testing"

	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/placementtest"
)

func fourSpecs() *cinder.Request {
	return &cinder.Request{Size: 100, Zone: "dc1", Type: &cinder.VolumeType{ExtraSpecs: cinder.ExtraSpecs{
		cinder.Spec("volume_backend_name", "gold"),
		cinder.Spec("multiattach", "<is> True"),
		cinder.Spec("capabilities:total_volumes", "<= 800"),
		cinder.Spec("usec_per_write_op", "<= 1000"),
	}}}
}

const (
	reportGoodness  = "100 * (1 / max(capabilities.usec_per_write_op, 1))"
	requestGoodness = "volume.size < 500 ? 100 - min(capabilities.load_percent, 100) : 100 - capabilities.usec_per_write_op / 10"
)

var profiles = []struct {
	name, goodness string
	weighers       []string
}{
	{"Capacity", "", nil},
	{"Goodness", reportGoodness, []string{cinder.CapacityWeigher, cinder.GoodnessWeigher}},
	{"GoodnessOfRequest", requestGoodness, []string{cinder.CapacityWeigher, cinder.GoodnessWeigher}},
}

func perDecision(b *testing.B, decide func(b *testing.B, e *placement.Engine, s *placement.Snapshot, r *cinder.Request)) {
	for _, p := range profiles {
		for _, n := range []int{3, 100, 1000, 10000} {
			b.Run(fmt.Sprintf("%s/%d", p.name, n), func(b *testing.B) {
				engine, err := cinder.NewEngine(cinder.Options{Weighers: p.weighers})
				if err != nil {
					b.Fatal(err)
				}
				s := cinder.NewSnapshot(placementtest.Fleet(n, p.goodness))
				b.ReportAllocs()
				decide(b, engine, s, fourSpecs())
				b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mbackends/s")
			})
		}
	}
}

func BenchmarkChoose(b *testing.B) {
	perDecision(b, func(b *testing.B, e *placement.Engine, s *placement.Snapshot, r *cinder.Request) {
		for b.Loop() {
			if c, err := e.Choose(s, r); err != nil || c.Fit != s.Len() {
				b.Fatal(c, err)
			}
		}
	})
}

func BenchmarkRank(b *testing.B) {
	perDecision(b, func(b *testing.B, e *placement.Engine, s *placement.Snapshot, r *cinder.Request) {
		ranked := make([]placement.Ranked, 0, s.Len())
		for b.Loop() {
			var err error
			if ranked, err = e.Rank(ranked[:0], s, r); err != nil || len(ranked) != s.Len() {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecide(b *testing.B) {
	perDecision(b, func(b *testing.B, e *placement.Engine, s *placement.Snapshot, r *cinder.Request) {
		for b.Loop() {
			if d, err := e.DecideOn(s, r); err != nil || d.Fit != s.Len() {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkIngest is a new snapshot and the first decision on it.
func BenchmarkIngest(b *testing.B) {
	for _, n := range []int{3, 100, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			engine, err := cinder.NewEngine(cinder.Options{})
			if err != nil {
				b.Fatal(err)
			}
			reports, r := placementtest.Fleet(n, reportGoodness), fourSpecs()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := engine.Choose(cinder.NewSnapshot(reports), r); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/float64(n), "ns/report")
		})
	}
}
