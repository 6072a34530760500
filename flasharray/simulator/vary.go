package simulator

import (
	"hash/fnv"
	"maps"
	"math"
	"slices"
)

// The ranges of what [Fixture.Vary] determines.
const (
	leastUtilisation, mostUtilisation = 0.06, 0.55 // of the capability that the recording implies
	leastUsed, mostUsed               = 0.2, 0.75  // share of the capacity
	reductionSpread                   = 0.06       // of the recorded ratio, in both directions
	writtenSpread                     = 0.08       // of the recorded share of the provisioned size
	countSpread                       = 0.2        // of the objects for each provisioned byte
)

// Vary returns the fixture as an array of the same model with another load and
// another fill, which a name determines: the same name gives the same numbers, and
// other names other ones. Frames change as the recorded ones do, beginning with
// another one of them.
//
// The load is the recorded one times a factor, and latency and queue follow from it
// by the queue of [Model], with the limit and the service times that the recording
// implies. The used space, the provisioned size and the counts of objects are scaled
// together, so that the identities of fixtures/README.md hold. The capacity stays.
// Objects that have a file stay as they are.
func (f Fixture) Vary(name string) Fixture {
	v := newVariation(f, name)
	frames := make([]frame, len(f.frames))
	for n, was := range f.frames {
		frames[n] = v.frame(was)
	}
	first := int(v.first * float64(len(frames)))
	f.frames = slices.Concat(frames[first:], frames[:first])
	return f
}

// variation is how an array differs from its recording.
type variation struct {
	load, used         float64 // factors of the demand and of the used bytes
	reduction, written float64 // factors of the ratios
	count              float64 // factor of the objects for each provisioned byte
	first              float64 // 0 to less than 1: which frame is the first
	capability         capability
}

func newVariation(f Fixture, name string) variation {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	state := h.Sum64()
	between := func(low, high float64) float64 {
		state = mix(state)
		return low + (high-low)*float64(state>>11)/(1<<53)
	}
	around := func(spread float64) float64 { return between(1-spread, 1+spread) }
	first := f.frames[0]
	sample, space := first.responses["arrays/performance"][0], first.responses["arrays/space"][0]
	v := variation{capability: recordedCapability(sample)}
	v.load = factor(between(leastUtilisation, mostUtilisation)*v.capability.limit, recordedDemand(sample).cost())
	v.used = factor(between(leastUsed, mostUsed)*float64(intAt(space, "capacity")), float64(usedBytes(sub(space, "space"))))
	v.reduction, v.written, v.count = around(reductionSpread), around(writtenSpread), around(countSpread)
	v.first = between(0, 1)
	return v
}

// factor is 1 where nothing was recorded that could be scaled.
func factor(want, recorded float64) float64 {
	if recorded <= 0 {
		return 1
	}
	return want / recorded
}

// usedBytes are the bytes that the parts of a space occupy.
func usedBytes(o object) int64 {
	return intAt(o, "unique") + intAt(o, "snapshots") + intAt(o, "shared") + intAt(o, "system") + intAt(o, "replication")
}

func (v variation) frame(was frame) frame {
	out := frame{responses: maps.Clone(was.responses), population: maps.Clone(was.population)}
	performance, space := clone(was.responses["arrays/performance"][0]), clone(was.responses["arrays/space"][0])
	v.putLoad(performance)
	grown := v.putSpace(sub(space, "space"))
	for kind, n := range out.population {
		if kind == "hosts" {
			continue // they share the volumes of each pool
		}
		times := func(count int) int { return int(math.Round(float64(count) * grown * v.count)) }
		out.population[kind] = Count{Live: max(times(n.Live), len(was.responses[kind])), Destroyed: times(n.Destroyed)}
	}
	out.responses["arrays/performance"], out.responses["arrays/space"] = []object{performance}, []object{space}
	return out
}

// putLoad scales the demand of a sample; latency and queue follow from it.
func (v variation) putLoad(sample object) {
	d := recordedDemand(sample).times(v.load)
	l := load{queueing: v.capability.under(d)}
	l.total = d.whole(l.delivered, 0.5)
	l.put(sample, l.total)
	if sample["queue_depth"] != nil {
		sample["queue_depth"] = l.depth(l.total)
	}
}

// putSpace scales a space, and returns the factor of its provisioned size.
func (v variation) putSpace(o object) (grown float64) {
	scaled := func(name string) int64 {
		n := int64(float64(intAt(o, name)) * v.used)
		if o[name] != nil {
			o[name] = n
		}
		return n
	}
	virtual, stored := intAt(o, "virtual"), intAt(o, "unique")+intAt(o, "shared")
	provisioned := intAt(o, "total_provisioned")
	shared, replication := scaled("shared"), scaled("replication")
	s := space{unique: scaled("unique"), snapshots: scaled("snapshots")}
	reduction := factor(float64(virtual), float64(stored))
	if provisioned == 0 || o["data_reduction"] == nil { // Evergreen//One: neither is known
		s.virtual = int64(reduction * float64(s.unique+shared))
		putSpace(o, 0, s, shared+replication+intAt(o, "system"))
		return v.used
	}
	written := round(min(float64(virtual)/float64(provisioned)*v.written, 1))
	size := int64(reduction*v.reduction*float64(s.unique+shared)/written) / gib * gib
	s.virtual = int64(float64(size) * written)
	putSpace(o, size, s, shared+replication+intAt(o, "system"))
	reduction = round(float64(s.virtual) / float64(s.unique+shared))
	o["data_reduction"], o["thin_provisioning"], o["total_reduction"] = reduction, round(1-written), round(reduction/written)
	return float64(size) / float64(provisioned)
}

// round keeps the digits that an array reports of a ratio.
func round(ratio float64) float64 { return math.Round(ratio*1e6) / 1e6 }
