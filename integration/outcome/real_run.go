package outcome

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/poolcast/poolcast/flasharray/simulator"
	"github.com/poolcast/poolcast/integration/internal/cloud"
	"github.com/poolcast/poolcast/integration/process"
)

// Bounds of waiting, in the machine's time.
const (
	reportBound = time.Minute     // until the scheduler has the reports of new arrays
	createBound = 2 * time.Minute // until the last volume has its final status
	// statusPause is the time between two requests for a status, each of which costs the
	// services a tenth of a second of a processor.
	statusPause = 500 * time.Millisecond
	samplePause = 2 * time.Second // between two samples
)

// realArm is an arm on real services. Its methods are called from one goroutine at a time.
type realArm struct {
	arm      Arm
	scenario Scenario
	cloud    *cloud.Cloud
	arrays   map[string]*realArray // by name

	run    Run
	runs   int                // so far
	types  map[Setting]string // ids of volume types
	stream []Volume
	clock  *compressedClock

	mu      sync.Mutex
	numbers map[string]int // of the stream, by the id of the volume in Cinder
	late    time.Duration  // the longest from the time of a create to the response of cinder-api
	faults  []error
}

// start starts the cloud.
func (a *realArm) start(t process.T, o RealOptions) {
	t.Helper()
	a.cloud = cloud.Start(t, a.options(o))
	a.types = map[Setting]string{}
	for _, setting := range o.Settings {
		id, err := a.cloud.API.CreateType(t.Context(), string(setting), setting.realExtraSpecs())
		if err != nil {
			t.Fatalf("create a volume type for %s: %v", a.arm, err)
		}
		a.types[setting] = id
	}
}

// order is that of the samples on the arrays. The other keys of poolcast's reports are
// those of a driver that reads the oldest sample.
func (a *realArm) order() simulator.Order {
	if a.arm == StockNewest {
		return simulator.Descending
	}
	return simulator.Ascending
}

// replaceArrays makes the arrays of a run, with its initial volumes.
func (a *realArm) replaceArrays(t process.T, seed uint64) {
	t.Helper()
	a.clock, a.numbers, a.stream = &compressedClock{}, map[string]int{}, a.scenario.Stream(seed)
	a.late, a.faults = 0, nil
	// The reports before the start already contain the oldest sample of an hour.
	const early = time.Hour + 2*time.Minute
	a.clock.shift(-early)
	for name, served := range a.arrays {
		array, err := newArray(name, a.clock.now, a.order(), a.workload(a.stream, seed, a.numbers))
		if err != nil {
			t.Fatalf("make an array: %v", err)
		}
		for _, v := range a.initial() {
			if v.Array != name {
				continue
			}
			if err := array.create(initialName(v), v.GiB); err != nil {
				t.Fatalf("create an initial volume: %v", err)
			}
		}
		served.replace(array, a.clock)
	}
	a.clock.shift(0)
}

// initial are the initial volumes that exist at the start.
func (a *realArm) initial() (volumes []Volume) {
	for _, v := range a.stream {
		if v.Array != "" && (v.Life == 0 || v.At+v.Life > 0) {
			volumes = append(volumes, v)
		}
	}
	return volumes
}

// initialName is the name of an initial volume on its array.
func initialName(v Volume) string { return fmt.Sprintf("initial-%d", v.Number) }

// storeInitial replaces the volumes of Cinder by the initial ones.
func (a *realArm) storeInitial(setting Setting) {
	a.runs++
	var stored []cloud.StoredVolume
	for _, v := range a.initial() {
		id := fmt.Sprintf("%08x-0000-4000-8000-%012x", a.runs, v.Number)
		stored = append(stored, cloud.StoredVolume{
			ID: id, Name: initialName(v), Size: v.GiB, Type: a.types[setting], Host: backendOf(v.Array), Array: initialName(v),
		})
		a.numbers[id] = v.Number
	}
	a.cloud.ReplaceVolumes(stored)
}

// workload is that of a volume's number in the stream. The number of a volume of Cinder
// is known when cinder-api has responded, which may be after the volume is on the array.
func (a *realArm) workload(stream []Volume, seed uint64, numbers map[string]int) func(string, int64) (simulator.Workload, bool) {
	return func(name string, _ int64) (simulator.Workload, bool) {
		number, ok := 0, false
		if text, initial := strings.CutPrefix(name, "initial-"); initial {
			n, err := strconv.Atoi(text)
			number, ok = n, err == nil
		} else if id, fromCinder := cinderID(name); fromCinder {
			a.mu.Lock()
			number, ok = numbers[id]
			a.mu.Unlock()
		}
		if !ok || number >= len(stream) {
			return simulator.Workload{}, false
		}
		return stream[number].Workload(seed), true
	}
}

// prepare restarts what a run needs anew, and waits until the scheduler has the reports of
// the new arrays. The scheduler itself is restarted for a new setting.
func (a *realArm) prepare(t process.T, setting Setting, seed uint64, newSetting bool) {
	t.Helper()
	a.run = Run{Scenario: a.scenario.Name, Setting: setting, Arm: a.arm, Seed: seed, Settle: a.scenario.Settle, Refused: map[string]int{}}
	host := a.cloud.Hosts()[0]
	host.Agent.Stop()
	host.Volume.Kill()
	a.replaceArrays(t, seed)
	a.storeInitial(setting)
	if newSetting {
		a.cloud.ConfigureScheduler("scheduler_default_weighers = " + string(setting.weigher()))
		a.cloud.Scheduler.Kill()
		a.cloud.Scheduler.Start()
	}
	if a.arm == Poolcast {
		host.Agent.Start()
	}
	host.Volume.Start()
	process.Await(t, reportBound, "the scheduler to have the reports of the new arrays", func() error { return a.reported(t) })
}

// reported returns an error until each backend has a report of the current array.
func (a *realArm) reported(t process.T) error {
	if !wait(t, time.Now().Add(statusPause)) {
		return t.Context().Err()
	}
	pools, err := a.cloud.API.Pools(t.Context())
	if err != nil {
		return err
	}
	if len(pools) != len(a.arrays) {
		return fmt.Errorf("the scheduler lists %d pools, not %d", len(pools), len(a.arrays))
	}
	gib := map[string]int64{}
	for _, v := range a.initial() {
		gib[v.Array] += v.GiB
	}
	for _, p := range pools {
		want := float64(gib[arrayOf(p.Name)])
		for _, key := range []string{"provisioned_capacity_gb", "allocated_capacity_gb"} {
			if got, _ := p.Capabilities.Number(key); math.Abs(got-want) > 1 {
				return fmt.Errorf("%s reports %s = %.0f, not %.0f", p.Name, key, got, want)
			}
		}
		if a.arm == Poolcast && !p.FromAgent() {
			return fmt.Errorf("%s has no report of its agent", p.Name)
		}
	}
	return nil
}

// play runs the stream from a time of the machine's clock on.
func (a *realArm) play(t process.T, start time.Time) {
	t.Helper()
	a.clock.begin(start)
	var all sync.WaitGroup
	for _, e := range a.events(t) {
		all.Go(func() {
			if wait(t, start.Add(e.at/realSpeed)) {
				e.do()
			}
		})
	}
	all.Wait()
	a.collect(t)
}

// wait waits until a time of the machine's clock, and reports whether it has come.
func wait(t process.T, until time.Time) bool {
	select {
	case <-time.After(time.Until(until)):
		return true
	case <-t.Context().Done():
		return false
	}
}

// realEvent is something to do at a time of the scenario.
type realEvent struct {
	at time.Duration
	do func()
}

// events are the creates, deletes, changes of arrays and samples of a run.
func (a *realArm) events(t process.T) (list []realEvent) {
	for _, v := range a.stream {
		if v.Array == "" {
			list = append(list, a.creation(t, v))
		}
	}
	for id, number := range a.numbers {
		if v := a.stream[number]; v.Life > 0 && v.At+v.Life < a.scenario.Length {
			list = append(list, realEvent{v.At + v.Life, func() { a.check(a.cloud.API.DeleteVolume(t.Context(), id)) }})
		}
	}
	for _, array := range a.scenario.Arrays {
		for _, change := range array.Changes {
			current, _ := a.arrays[array.Name].current()
			list = append(list, realEvent{change.At, func() { current.Disturb(change.Disturbance) }})
		}
	}
	for at := time.Duration(0); at <= a.scenario.Length; at += samplePause * realSpeed {
		list = append(list, realEvent{at, func() { a.sample(at) }})
	}
	return list
}

// creation creates a volume, and deletes it if its life ends within the scenario.
func (a *realArm) creation(t process.T, v Volume) realEvent {
	return realEvent{v.At, func() {
		id, err := a.cloud.API.CreateVolume(t.Context(), cloud.Volume{
			Name: fmt.Sprintf("volume-%d", v.Number), Size: int(v.GiB), Type: string(a.run.Setting),
		})
		if err != nil {
			a.check(fmt.Errorf("create volume %d: %w", v.Number, err))
			return
		}
		a.mu.Lock()
		a.numbers[id], a.late = v.Number, max(a.late, time.Since(a.clock.start)-v.At/realSpeed)
		a.mu.Unlock()
		if v.Life == 0 || v.At+v.Life >= a.scenario.Length {
			return
		}
		status, err := a.cloud.API.AwaitVolume(t.Context(), id, "available", "error")
		if err != nil {
			a.check(err)
			return
		}
		a.record(id, status)
		if status.Status == "available" && wait(t, a.clock.start.Add((v.At+v.Life)/realSpeed)) {
			a.check(a.cloud.API.DeleteVolume(t.Context(), id))
		}
	}}
}

// sample adds the state of all arrays.
func (a *realArm) sample(at time.Duration) {
	s := Sample{At: at}
	for _, array := range a.scenario.Arrays {
		current, _ := a.arrays[array.Name].current()
		state, err := current.state()
		if err != nil {
			a.check(err)
			return
		}
		s.Arrays = append(s.Arrays, state)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.run.Samples = append(a.run.Samples, s)
}

// check keeps an error.
func (a *realArm) check(err error) {
	if err == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = append(a.faults, err)
}

// record adds where a volume went, or why no backend took it. It removes the volume from
// those to record.
func (a *realArm) record(id string, v cloud.VolumeStatus) {
	a.mu.Lock()
	defer a.mu.Unlock()
	number, ok := a.numbers[id]
	if !ok || a.stream[number].Array != "" || slices.ContainsFunc(a.run.Chosen, func(c Choice) bool { return c.Volume == number }) {
		return
	}
	if v.Status == "error" {
		a.run.Refused[refusingFilter(a.cloud.Scheduler.Log(), id)]++
		return
	}
	a.run.Chosen = append(a.run.Chosen, Choice{Volume: number, Array: arrayOf(v.Host)})
}

// collect waits for the last creates, and records where all volumes went.
func (a *realArm) collect(t process.T) {
	t.Helper()
	var volumes []cloud.VolumeStatus
	process.Await(t, createBound, "the last volumes to be created", func() (err error) {
		if !wait(t, time.Now().Add(statusPause)) {
			return t.Context().Err()
		}
		volumes, err = a.cloud.API.Volumes(t.Context())
		for _, v := range volumes {
			if v.Status == "creating" {
				return fmt.Errorf("volume %s is %s", v.Name, v.Status)
			}
		}
		return err
	})
	for _, v := range volumes {
		a.record(v.ID, v)
	}
	slices.SortFunc(a.run.Chosen, func(x, y Choice) int { return x.Volume - y.Volume })
	slices.SortFunc(a.run.Samples, func(x, y Sample) int { return int(x.At - y.At) })
}

// results are the filters in the scheduler's log, and how many backends each left.
var results = regexp.MustCompile(`(\w+): \(start: \d+, end: (\d+)\)`)

// refusingFilter is the filter that refused the last backend of a volume, by the log of
// the scheduler.
func refusingFilter(log, id string) string {
	for line := range strings.Lines(log) {
		if !strings.Contains(line, id) || !strings.Contains(line, "Filter results") {
			continue
		}
		for _, m := range results.FindAllStringSubmatch(line, -1) {
			if m[2] == "0" {
				return m[1]
			}
		}
	}
	return "unknown"
}
