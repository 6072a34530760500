package cinder_test

import (
	"fmt"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// fleet are n arrays of one pool, all different and all fit.
func fleet(n int, goodness string) []capability.Report {
	reports := make([]capability.Report, n)
	for i := range reports {
		name := fmt.Sprintf("fa%04d", i)
		reports[i] = capability.Report{
			Host: "ctl1@" + name, Backend: name, Pool: "gold", Zone: "dc1",
			Capabilities: arrayReport(i, goodness),
		}
	}
	return reports
}

func arrayReport(i int, goodness string) capability.Set {
	set := capability.Set{
		capability.KeyVolumeBackendName:   capability.OfString("gold"),
		capability.KeyVendorName:          capability.OfString("Pure Storage"),
		capability.KeyStorageProtocol:     capability.OfString("iSCSI"),
		capability.KeyTotalCapacity:       capability.OfFloat(102400),
		capability.KeyFreeCapacity:        capability.OfFloat(51200 + float64(i)/7),
		capability.KeyProvisionedCapacity: capability.OfFloat(200000.5 - float64(i*7%1000)),
		capability.KeyAllocatedCapacity:   capability.OfInt(int64(10000 + i)),
		capability.KeyReservedPercentage:  capability.OfInt(5),
		capability.KeyMaxOverSubscription: capability.OfFloat(4.5),
		capability.KeyThinProvisioning:    capability.OfBool(true),
		capability.KeyMultiattach:         capability.OfBool(true),
		capability.KeyTotalVolumes:        capability.OfInt(int64(i % 800)),
		capability.KeyUsecPerWrite:        capability.OfInt(int64(100 + i%300)),
		capability.KeyLoadPercent:         capability.OfInt(int64(i % 100)),
		capability.KeyArrayModel:          capability.OfString("FA-X50R4"),
		capability.KeyReplicationType:     capability.OfStrings("async", "sync"),
	}
	for k := range 24 { // a report has some forty keys
		set[fmt.Sprintf("label_%c", 'a'+k)] = capability.OfInt(int64(k))
	}
	set.PutString(capability.KeyGoodnessFunction, goodness)
	return set
}

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
				s := cinder.NewSnapshot(fleet(n, p.goodness))
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
			if d, err := e.Decide(s, r); err != nil || d.Fit != s.Len() {
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
			reports, r := fleet(n, reportGoodness), fourSpecs()
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
