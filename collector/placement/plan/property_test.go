package plan

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/volumeapi"
)

// world is a random pool, with the scheduler of its cloud.
type world struct {
	Pool
	options Options
	engine  *placement.Engine
}

func randomWorld(t *testing.T, r *rand.Rand) world {
	t.Helper()
	engine, err := cinder.NewEngine(cinder.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := world{engine: engine, options: Defaults(), Pool: Pool{Name: "gold", Zone: "dc1"}}
	w.options.MaxEvening = 10000
	w.options.Full = []float64{0.6, 0.8, 0.95}[r.IntN(3)]
	types := randomTypes(r)
	for i := range 2 + r.IntN(5) {
		array := capability.Report{Host: fmt.Sprintf("ctl1@fa%d", i), Backend: fmt.Sprintf("fa%d", i), Pool: "gold", Zone: "dc1"}
		var size, physical float64
		for n := range r.IntN(25) {
			v := randomVolume(r, fmt.Sprintf("volume-%d-%d", i, n), types)
			v.Pool = cinder.PoolID(&array)
			w.Volumes = append(w.Volumes, v)
			size += float64(v.Size)
			if v.Physical != nil {
				physical += *v.Physical
			} else {
				physical += float64(v.Size) * r.Float64()
			}
		}
		array.Capabilities = randomCapabilities(r, size, physical)
		w.Arrays = append(w.Arrays, array)
	}
	for i := range r.IntN(3) {
		w.options.Evacuate = append(w.options.Evacuate, w.Arrays[i].Identity())
	}
	return w
}

func randomTypes(r *rand.Rand) []*cinder.VolumeType {
	types := []*cinder.VolumeType{nil, {Name: "any"}}
	for i := range 3 {
		key := []string{"total_volumes", "load_percent", "tier"}[r.IntN(3)]
		value := map[string]string{"total_volumes": "<= 30", "load_percent": "<= 50", "tier": "gold"}[key]
		types = append(types, &cinder.VolumeType{Name: fmt.Sprint("type-", i), ExtraSpecs: cinder.ExtraSpecs{cinder.Spec("capabilities:"+key, value)}})
	}
	return types
}

// randomCapabilities are those of an array that holds at least what its volumes have.
func randomCapabilities(r *rand.Rand, size, physical float64) capability.Set {
	used := physical + float64(r.IntN(2000))
	total := used + 1 + float64(r.IntN(6000))
	provisioned := size + used*(1+4*r.Float64())
	reduction := provisioned / used
	set := capability.Set{
		capability.KeyTotalCapacity:       capability.OfFloat(total),
		capability.KeyFreeCapacity:        capability.OfFloat(total - used),
		capability.KeyProvisionedCapacity: capability.OfFloat(provisioned),
		capability.KeyTotalReduction:      capability.OfFloat(reduction),
		capability.KeyMaxOverSubscription: capability.OfFloat([]float64{reduction, 3, 20}[r.IntN(3)]),
		capability.KeyReservedPercentage:  capability.OfInt(int64(r.IntN(2) * 10)),
		capability.KeyThinProvisioning:    capability.OfBool(r.IntN(8) > 0),
		capability.KeyTotalVolumes:        capability.OfInt(int64(r.IntN(40))),
		capability.KeyLoadPercent:         capability.OfInt(int64(r.IntN(100))),
		"tier":                            capability.OfString([]string{"gold", "silver"}[r.IntN(2)]),
	}
	for _, key := range []string{capability.KeyFreeCapacity, capability.KeyLoadPercent, capability.KeyTotalReduction} {
		if r.IntN(20) == 0 {
			delete(set, key)
		}
	}
	return set
}

func randomVolume(r *rand.Rand, id string, types []*cinder.VolumeType) Volume {
	v := Volume{ID: id, Encrypted: r.IntN(10) == 0}
	v.Size, v.Type, v.StatesKnown = 1+r.Int64N(800), types[r.IntN(len(types))], true
	if r.IntN(10) > 0 {
		physical := r.Float64() * float64(v.Size)
		v.Physical = &physical
	}
	v.InUse = r.IntN(3) == 0
	if v.InUse {
		v.Attachments = 1 + r.IntN(8)/7
	}
	v.Snapshots, v.Grouped, v.Replicated, v.Migrating = r.IntN(8) == 0, r.IntN(16) == 0, r.IntN(16) == 0, r.IntN(30) == 0
	return v
}

// judge decides as a scheduler with the default filters does.
func (w *world) judge(q volumeapi.Migrate, reports []capability.Report) (string, error) {
	request, err := volumeapi.Cloud{}.Migrate(q)
	if refusal := (*volumeapi.RefusalError)(nil); errors.As(err, &refusal) {
		return refusal.Reason, nil
	}
	d, _ := w.engine.DecideOn(cinder.NewSnapshot(reports), request)
	if v := d.Of(q.To); !v.Fits() {
		return v.RefusedBy, nil
	}
	return "", nil
}

// after is the world when the plan was carried out.
func (w *world) after(t *testing.T, p *Plan) world {
	t.Helper()
	out := *w
	s, err := newState(w.Pool, w.options, w.judge)
	if err != nil {
		t.Fatal(err)
	}
	pools := map[string]int{}
	for i, a := range s.arrays {
		pools[a.pool] = i
	}
	for _, m := range p.Moves {
		i := slices.IndexFunc(s.volumes, func(v Volume) bool { return v.ID == m.Volume.ID })
		if s.arrays[s.at[i]].pool != m.From {
			t.Fatalf("%s is on %s, and is moved from %s", m.Volume.ID, s.arrays[s.at[i]].pool, m.From)
		}
		w.checkMove(t, s, i, pools[m.To], m)
		s.apply(step{i, pools[m.To], m.Kind})
	}
	out.Arrays, out.Volumes = nil, nil
	for _, a := range s.arrays {
		out.Arrays = append(out.Arrays, a.now())
	}
	for i, v := range s.volumes {
		v.Pool = s.arrays[s.at[i]].pool
		out.Volumes = append(out.Volumes, v)
	}
	return out
}

// checkMove tests one move on the state before it, by the rules of Cinder and without the
// rules of the planner.
func (w *world) checkMove(t *testing.T, s *state, volume, to int, m Move) {
	t.Helper()
	v, dest := &s.volumes[volume], s.arrays[to]
	refusal, _ := w.judge(s.migration(volume, to), w.reports(s))
	switch {
	case refusal != "":
		t.Fatalf("%s cannot be moved to %s: %s", v.ID, m.To, refusal)
	case v.Snapshots || v.Grouped || v.Replicated || v.Migrating:
		t.Fatalf("cinder-api refuses to migrate %s", v.ID)
	case v.InUse && (v.Attachments != 1 || v.Encrypted):
		t.Fatalf("Nova does not copy %s", v.ID)
	case dest.emptied:
		t.Fatalf("%s is moved to %s, which is to be emptied", v.ID, m.To)
	case dest.with(s.delta(volume)).full() > w.options.Full:
		t.Fatalf("%s makes %s too full", v.ID, m.To)
	case m.Kind == Even && dest.busy(w.options.Load):
		t.Fatalf("%s is moved to the busy %s", v.ID, m.To)
	}
}

func (w *world) reports(s *state) []capability.Report {
	out := make([]capability.Report, len(s.arrays))
	for i, a := range s.arrays {
		out[i] = a.now()
	}
	return out
}

// TestPlanOfRandomWorlds: each move is accepted where it stands in the plan; no plan makes
// the pool worse; the same world gives the same plan; and after it nothing is left to do.
func TestPlanOfRandomWorlds(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 1))
	kinds, stays, twice := map[Kind]int{}, 0, 0
	for n := range 400 {
		w := randomWorld(t, r)
		p, err := Make(w.Pool, w.options, w.judge)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, m := range p.Moves {
			kinds[m.Kind]++
			if seen[m.Volume.ID] {
				twice++
			}
			seen[m.Volume.ID] = true
		}
		stays += len(p.Stay)
		shuffled := w
		shuffled.Volumes = slices.Clone(w.Volumes)
		r.Shuffle(len(shuffled.Volumes), func(i, j int) {
			shuffled.Volumes[i], shuffled.Volumes[j] = shuffled.Volumes[j], shuffled.Volumes[i]
		})
		if again, err := Make(shuffled.Pool, w.options, w.judge); err != nil || !reflect.DeepEqual(p, again) {
			t.Fatalf("world %d: another plan for the same world: %v", n, err)
		}
		w.checkPool(t, n, p)
		left := w.after(t, p)
		if again, err := Make(left.Pool, w.options, w.judge); err != nil || len(again.Moves) > 0 {
			t.Fatalf("world %d: %d moves after the plan was carried out, the first %+v, %v", n, len(again.Moves), again.Moves[0], err)
		}
	}
	t.Logf("moves %v, %d volumes stay, %d are moved twice", kinds, stays, twice)
	for _, k := range []Kind{Evacuate, Relieve, Even} {
		if kinds[k] < 50 {
			t.Errorf("%d moves to %s", kinds[k], k)
		}
	}
}

// checkPool: without an array to empty, no figure of the pool is worse after the plan. What
// is not further apart than permitted is even.
func (w *world) checkPool(t *testing.T, n int, p *Plan) {
	t.Helper()
	if len(w.options.Evacuate) > 0 {
		return
	}
	for name, of := range map[string]func(Figures) *float64{
		"used":        func(f Figures) *float64 { return f.Used },
		"provisioned": func(f Figures) *float64 { return f.Provisioned },
		"full":        full,
	} {
		var before, after []float64
		for _, a := range p.Arrays {
			if f := of(a.Before); f != nil {
				before, after = append(before, *f), append(after, *of(a.After))
			}
		}
		if len(before) == 0 {
			continue
		}
		spread, spreadBefore := slices.Max(after)-slices.Min(after), slices.Max(before)-slices.Min(before)
		if even := name != "full" && spread <= w.options.Difference; !even && slices.Max(after) > slices.Max(before)+1e-6 {
			t.Fatalf("world %d: the greatest %s share grows from %v to %v", n, name, slices.Max(before), slices.Max(after))
		}
		if name != "full" && spread > max(w.options.Difference, spreadBefore)+1e-6 {
			t.Fatalf("world %d: the spread of the %s shares grows from %v to %v", n, name, spreadBefore, spread)
		}
	}
}

// full is the greater share; nil if one is not known.
func full(f Figures) *float64 {
	if f.Used == nil || f.Provisioned == nil {
		return nil
	}
	return new(max(*f.Used, *f.Provisioned))
}
