package outcome

import (
	"container/heap"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/poolcast/poolcast/flasharray/simulator"
)

// sampleInterval is the time between two samples of the pool.
const sampleInterval = time.Minute

// epoch is the time of the start of each run.
var epoch = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// Simulate runs a case of a scenario in virtual time. Everything that is random
// depends on the seed alone and is equal in all arms: the volumes, how long their
// creates take, and when the services report. The scheduler is used until it returns.
func Simulate(ctx context.Context, s Scenario, c Case, scheduler Scheduler) (Run, error) {
	p := newPool(s, c, scheduler)
	if err := scheduler.Start(c.Setting.options(), c.Setting.extraSpecs()); err != nil {
		return Run{}, err
	}
	for _, a := range s.Arrays {
		if err := p.addBackend(a); err != nil {
			return Run{}, err
		}
	}
	p.addForecasts(ctx) // before the volumes of the same time
	p.addVolumes()
	for at := time.Duration(0); at <= s.Length; at += sampleInterval {
		p.at(at, p.sample)
	}
	for len(p.events) > 0 && p.events[0].at <= s.Length {
		e := heap.Pop(&p.events).(event) //nolint:forcetypeassert // the heap has nothing else
		p.now = e.at
		if err := e.do(); err != nil {
			return p.run, fmt.Errorf("%s, %s, %s, seed %d, %s: %w", s.Name, c.Setting, c.Arm, c.Seed, e.at, err)
		}
	}
	p.measureForecasts()
	return p.run, nil
}

// pool is a run in progress.
type pool struct {
	scenario  Scenario
	setting   Setting
	seed      uint64
	scheduler Scheduler
	volumes   []Volume
	choices   []time.Duration // times of the creates, ascending
	backends  []*backend      // in the order of the scenario
	random    *rand.Rand      // of the services
	run       Run

	now    time.Duration // since the start
	events events
	serial int // of the last event
}

func newPool(s Scenario, c Case, scheduler Scheduler) *pool {
	p := &pool{
		scenario: s, setting: c.Setting, seed: c.Seed, scheduler: scheduler, volumes: s.Stream(c.Seed), now: -2 * time.Hour,
		random: rand.New(rand.NewPCG(c.Seed, 1)),
		run: Run{
			Scenario: s.Name, Setting: c.Setting, Arm: c.Arm, Seed: c.Seed, Settle: s.Settle, Refused: map[string]int{},
		},
	}
	for _, v := range p.volumes {
		if v.Array == "" {
			p.choices = append(p.choices, v.At)
		}
	}
	return p
}

func (p *pool) clock() time.Time { return epoch.Add(p.now) }

// workload is that of a volume by its name.
func (p *pool) workload(name string, _ int64) (simulator.Workload, bool) {
	n, err := strconv.Atoi(strings.TrimPrefix(name, "volume-"))
	if err != nil || n >= len(p.volumes) {
		return simulator.Workload{}, false
	}
	return p.volumes[n].Workload(p.seed), true
}

// addBackend adds an array with its cinder-volume and poolcast.
func (p *pool) addBackend(a Array) error {
	x, err := newArray(a.Name, p.clock, simulator.Ascending, p.workload)
	if err != nil {
		return err
	}
	b := newBackend(p, x, a)
	p.backends = append(p.backends, b)
	reported, polled := p.within(ReportInterval), p.within(PollInterval)
	if a.Joins == 0 { // the services run already
		p.at(reported-ReportInterval, b.report)
		p.at(polled-PollInterval, b.poll)
	} else {
		p.at(a.Joins, b.report)
		p.at(a.Joins+polled, b.poll)
	}
	for _, c := range a.Changes {
		p.at(c.At, func() error { x.Disturb(c.Disturbance); return nil })
	}
	return nil
}

func (p *pool) within(d time.Duration) time.Duration {
	return time.Duration(p.random.Float64() * float64(d))
}

// addVolumes plans the creates. An initial volume is on its array at once.
func (p *pool) addVolumes() {
	for _, v := range p.volumes {
		took := time.Duration((0.5 + p.random.Float64()) * float64(DriverTime))
		deleted := time.Duration((0.5 + p.random.Float64()) * float64(DriverTime))
		if v.Array == "" {
			p.at(v.At, func() error { return p.choose(v, took, deleted) })
			continue
		}
		p.at(v.At, func() error {
			b := p.backend(v.Array)
			b.allocated += v.GiB
			p.planDelete(b, v, deleted)
			return b.array.create(v.name(), v.GiB)
		})
	}
}

// choose has the scheduler place a volume. cinder-volume counts it at once, and the
// array has it when its driver has created it.
func (p *pool) choose(v Volume, took, deleted time.Duration) error {
	host, refused, err := p.scheduler.Choose(p.clock(), v.GiB)
	if err != nil {
		return err
	}
	if refused != "" {
		p.run.Refused[refused]++
		return nil
	}
	b := p.backend(strings.TrimPrefix(host, hostPrefix))
	if b == nil {
		return fmt.Errorf("the scheduler chose %s, which is not a backend of the scenario", host)
	}
	p.run.Chosen = append(p.run.Chosen, Choice{v.Number, b.array.Name()})
	b.allocated += v.GiB
	p.at(p.now+took, func() error { return b.array.create(v.name(), v.GiB) })
	p.planDelete(b, v, max(deleted, took)) // not before it exists
	return nil
}

// planDelete plans the delete of a volume: after it cinder-volume counts it no more,
// and reports (cinder/volume/manager.py, delete_volume).
func (p *pool) planDelete(b *backend, v Volume, took time.Duration) {
	if v.Life == 0 {
		return
	}
	p.at(v.At+v.Life+took, func() error {
		if err := b.array.destroy(v.name()); err != nil {
			return err
		}
		b.allocated -= v.GiB
		return b.publish()
	})
}

func (p *pool) backend(array string) *backend {
	i := slices.IndexFunc(p.backends, func(b *backend) bool { return b.array.Name() == array })
	if i < 0 {
		return nil
	}
	return p.backends[i]
}

// decides reports whether a volume is placed from now until a time. What is reported
// and replaced in between has no effect, and need not be computed.
func (p *pool) decides(until time.Duration) bool {
	i, _ := slices.BinarySearch(p.choices, p.now)
	return i < len(p.choices) && p.choices[i] <= until
}

// sample adds the state of the pool.
func (p *pool) sample() error {
	s := Sample{At: p.now}
	for _, b := range p.backends {
		if b.joins > p.now {
			continue
		}
		state, err := b.array.state()
		if err != nil {
			return err
		}
		s.Arrays = append(s.Arrays, state)
	}
	p.run.Samples = append(p.run.Samples, s)
	return nil
}

// at plans an event. Those of the same time happen in the order in which they were
// planned.
func (p *pool) at(at time.Duration, do func() error) {
	p.serial++
	heap.Push(&p.events, event{at, p.serial, do})
}

// event is what happens at a time since the start.
type event struct {
	at     time.Duration
	serial int
	do     func() error
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].serial < e[j].serial
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) } //nolint:forcetypeassert // heap.Interface
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
