package plan

import (
	"fmt"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// fleet are 32 arrays with 300 volumes each; the first are fuller.
func fleet(b *testing.B) world {
	b.Helper()
	engine, err := cinder.NewEngine(cinder.Options{})
	if err != nil {
		b.Fatal(err)
	}
	w := world{engine: engine, options: Defaults()}
	kind := &cinder.VolumeType{Name: "gold", ExtraSpecs: cinder.ExtraSpecs{cinder.Spec("capabilities:load_percent", "<= 90")}}
	for i := range 32 {
		r := capability.Report{Host: fmt.Sprint("ctl1@fa", i), Backend: fmt.Sprint("fa", i), Pool: "gold", Zone: "dc1"}
		size := 100 + int64(64-2*i)
		r.Capabilities = capability.Set{
			capability.KeyTotalCapacity:       capability.OfFloat(30000),
			capability.KeyFreeCapacity:        capability.OfFloat(30000 - float64(size)*300/3),
			capability.KeyProvisionedCapacity: capability.OfFloat(float64(size) * 300),
			capability.KeyMaxOverSubscription: capability.OfFloat(3),
			capability.KeyThinProvisioning:    capability.OfBool(true),
			capability.KeyLoadPercent:         capability.OfInt(20),
		}
		w.Arrays = append(w.Arrays, r)
		for n := range 300 {
			physical := float64(size)/3 + float64(n%7)
			v := Volume{ID: fmt.Sprintf("%d-%d", i, n), Physical: &physical}
			v.Pool, v.Size, v.Type, v.StatesKnown = cinder.PoolID(&w.Arrays[i]), size, kind, true
			w.Volumes = append(w.Volumes, v)
		}
	}
	return w
}

func BenchmarkMake(b *testing.B) {
	for name, evacuate := range map[string][]string{"even": nil, "evacuate": {"ctl1@fa0"}} {
		b.Run(name, func(b *testing.B) {
			w := fleet(b)
			w.options.Evacuate, w.options.LeastGain = evacuate, 0.005
			moves := 0
			for b.Loop() {
				p, err := Make(w.Pool, w.options, w.judge)
				if err != nil {
					b.Fatal(err)
				}
				moves = len(p.Moves)
			}
			b.ReportMetric(float64(moves), "moves")
		})
	}
}
