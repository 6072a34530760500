package fallback

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

// randomCloud draws a pool, its settings and one or two types.
func randomCloud(r *rand.Rand) Cloud {
	c := Cloud{Reports: pool(1 + r.IntN(8)), Size: 1 + r.Int64N(2000)}
	for i := range 1 + r.IntN(2) {
		t := typeOf(fmt.Sprintf("type-%c", 'a'+i), "volume_backend_name", "pure")
		for _, key := range []string{"total_volumes", "capabilities:writes_per_sec", "usec_per_write_op"} {
			if r.IntN(3) > 0 {
				operator := []string{"<=", ">=", "=", "!=", "=="}[max(0, r.IntN(20)-15)]
				t.ExtraSpecs = append(t.ExtraSpecs, cinder.Spec(key, fmt.Sprintf("%s %d", operator, r.IntN(1000))))
			}
		}
		c.Types = append(c.Types, t)
	}
	all := []string{"CapacityWeigher", "AllocatedCapacityWeigher", "VolumeNumberWeigher", "GoodnessWeigher"}
	c.Options = cinder.Options{Weighers: []string{}, Multipliers: map[string]float64{}}
	for _, w := range all {
		if r.IntN(2) == 0 {
			c.Options.Weighers = append(c.Options.Weighers, w)
			c.Options.Multipliers[w] = 4*r.Float64() - 2
		}
	}
	delete(c.Options.Multipliers, "GoodnessWeigher") // it has none
	for i := range c.Reports {
		if r.IntN(6) == 0 {
			c.Reports[i].Capabilities[capability.KeyGoodnessFunction] = capability.OfString("100 - capabilities.label / 2")
		}
	}
	randomLoad(r, c.Reports)
	return c
}

// randomLoad draws metrics, some of them missing, and capacities, some without room.
func randomLoad(r *rand.Rand, reports []capability.Report) {
	for i := range reports {
		set := reports[i].Capabilities.Clone()
		for _, key := range []string{"total_volumes", "writes_per_sec", "usec_per_write_op"} {
			set[key] = capability.OfInt(r.Int64N(1100))
			if r.IntN(10) == 0 {
				delete(set, key)
			}
		}
		set["label"] = capability.OfInt(r.Int64N(300))
		set[capability.KeyProvisionedCapacity] = capability.OfFloat(float64(r.IntN(1010000)))
		set[capability.KeyAllocatedCapacity] = capability.OfInt(r.Int64N(100000))
		set[capability.KeyFreeCapacity] = capability.OfFloat(float64(r.IntN(100000)))
		reports[i].Capabilities = set
	}
}

// TestPlanHoldsOnAnyReports applies plans and decides on other reports than those that
// they were made with. A preferred array with room is always chosen, and nothing is
// refused that the type without its conditions would not refuse.
func TestPlanHoldsOnAnyReports(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	preferences, decisions := 0, 0
	for range 120 {
		c := randomCloud(r)
		p, err := Make(c)
		if err != nil || !p.Holds() {
			continue
		}
		m := &maker{cloud: c, plan: p}
		j := &judge{maker: m}
		if err := j.engines(); err != nil {
			t.Fatal(err)
		}
		for range 15 {
			j.prepare()
			randomLoad(r, j.prepared)
			for i := range p.Types {
				decisions++
				preferences += checkDecision(t, j, i)
			}
		}
	}
	t.Logf("%d decisions, %d with a preferred array", decisions, preferences)
	if preferences < 500 || decisions < 3*preferences/2 {
		t.Errorf("%d decisions, %d with a preferred array: too few of one kind", decisions, preferences)
	}
}

func checkDecision(t *testing.T, j *judge, i int) (preferences int) {
	t.Helper()
	of := &j.plan.Types[i]
	got, err := placed(j.after, j.prepared, j.cloud.Size, of.changed)
	if err != nil {
		t.Fatal(err)
	}
	room, err := placed(j.others, j.prepared, j.cloud.Size, without(of.original, of.Conditions))
	if err != nil {
		t.Fatal(err)
	}
	if got.Fit != room.Fit {
		t.Fatalf("%d backends fit, and %d have room: %s", got.Fit, room.Fit, got)
	}
	preferred := func(v placement.Verdict) bool { return v.Fits() && j.meets(i, v.Backend.Report()) }
	if !slices.ContainsFunc(got.Verdicts, preferred) {
		return 0
	}
	if !preferred(*got.Chosen) {
		t.Fatalf("type %+v, options %+v: a backend that is not preferred is chosen\n%s", of.original, j.plan.Scheduler.Options, got)
	}
	return 1
}
