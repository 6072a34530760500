package outcome

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/poolcast/poolcast/flasharray/simulator"
)

// Limit and the service times are those of every array: of the size of a middle
// FlashArray, no particular one.
const (
	Limit        = 80_000 // operations of 32 KiB per second
	ReadService  = 300 * time.Microsecond
	WriteService = 250 * time.Microsecond
)

// Intervals of the services, with which Cinder and poolcast are installed.
const (
	ReportInterval = time.Minute      // backend_stats_polling_interval of cinder-volume
	PollInterval   = 15 * time.Second // poll_interval of poolcast
	DriverTime     = 3 * time.Second  // mean time of a create on the array, ± 50 %
)

// Scenario is a pool and what happens to it.
type Scenario struct {
	Name   string
	Text   string // what happens, for the reader of the table
	Length time.Duration
	Settle time.Duration // measured from then on
	Arrays []Array
	Waves  []Wave
	// Initial is how many volumes exist at the start, on arrays drawn from the seed.
	Initial int
}

// Array is one array of the pool.
type Array struct {
	Name    string
	Joins   time.Duration // when it is added to the pool, empty; 0 is the start
	Changes []Change
}

// Change is a disturbance of an array from a time on, until the next change.
type Change struct {
	At          time.Duration
	Disturbance simulator.Disturbance
}

// Wave is a time with creates.
type Wave struct {
	From, To  time.Duration
	PerMinute float64
}

const (
	dayLength   = 8 * time.Hour
	disturbedAt = 2 * time.Hour
	calmAt      = 6 * time.Hour
	addedAt     = 3 * time.Hour
)

// Scenarios are those of the comparison.
func Scenarios() []Scenario {
	steady := []Wave{{0, dayLength, 1}}
	three := func(second, third []Change) []Array {
		return []Array{{Name: "array-1"}, {Name: "array-2", Changes: second}, {Name: "array-3", Changes: third}}
	}
	busy := []Change{{disturbedAt, simulator.Disturbance{Operations: 0.5 * Limit}}, {calmAt, simulator.Disturbance{}}}
	slow := []Change{{disturbedAt, simulator.Disturbance{Slow: 2.5}}, {calmAt, simulator.Disturbance{}}}
	day := Scenario{Length: dayLength, Settle: time.Hour, Initial: 120, Waves: steady, Arrays: three(nil, nil)}
	with := func(name, text string, change func(*Scenario)) Scenario {
		s := day
		s.Name, s.Text = name, text
		change(&s)
		return s
	}
	return []Scenario{
		with("steady", "a create a minute", func(*Scenario) {}),
		with("bursts", "40 creates in two minutes, every hour", func(s *Scenario) { s.Waves = bursts() }),
		with("noisy", "array-2 gets half its limit as load from elsewhere, for four hours", func(s *Scenario) { s.Arrays = three(busy, nil) }),
		with("added", "array-4 is added, empty, after three hours", func(s *Scenario) {
			s.Arrays = append(three(nil, nil), Array{Name: "array-4", Joins: addedAt})
		}),
		with("slow", "array-3 serves 2.5 times more slowly, for four hours", func(s *Scenario) { s.Arrays = three(nil, slow) }),
	}
}

// Confirmation is a scenario that is short enough for real services: a burst while one
// array is busy with load from elsewhere.
func Confirmation() Scenario {
	return Scenario{
		Name: "confirmation", Text: "60 creates in five minutes while array-2 is busy",
		Length: 6 * time.Minute, Settle: 90 * time.Second, Initial: 60,
		Waves: []Wave{{30 * time.Second, 330 * time.Second, 12}},
		Arrays: []Array{
			{Name: "array-1"},
			{Name: "array-2", Changes: []Change{{time.Second, simulator.Disturbance{Operations: 0.5 * Limit}}}},
			{Name: "array-3"},
		},
	}
}

// bursts are creates once an hour, and few between them.
func bursts() []Wave {
	waves := []Wave{{0, dayLength, 1.0 / 3}}
	for begin := 30 * time.Minute; begin < dayLength; begin += time.Hour {
		waves = append(waves, Wave{begin, begin + 2*time.Minute, 20})
	}
	return waves
}

// Volume is one create of a stream, and its delete.
type Volume struct {
	Number int
	At     time.Duration // of the create; negative for an initial volume
	Life   time.Duration // until the delete; 0: it is not deleted
	GiB    int64
	Array  string // of an initial volume
}

// sizes are in GiB, with how many of 100 volumes have them.
var sizes = []struct {
	gib   int64
	share int
}{{200, 30}, {500, 30}, {1000, 25}, {2000, 10}, {5000, 5}}

const (
	deletedShare = 0.5 // of the volumes
	meanLife     = 2 * time.Hour
)

// Stream draws the volumes of a scenario, ascending in time. The same seed draws the
// same ones.
func (s Scenario) Stream(seed uint64) []Volume {
	random := rand.New(rand.NewPCG(seed, uint64(len(s.Name))))
	var volumes []Volume
	add := func(at time.Duration, array string) {
		v := Volume{Number: len(volumes), At: at, Array: array, GiB: drawSize(random)}
		if random.Float64() < deletedShare {
			v.Life = time.Duration(random.ExpFloat64() * float64(meanLife))
		}
		volumes = append(volumes, v)
	}
	start := s.present(0)
	for range s.Initial {
		add(-time.Hour, start[random.IntN(len(start))])
	}
	for _, at := range s.creates(random) {
		add(at, "")
	}
	return volumes
}

// present are the names of the arrays of the pool at a time.
func (s Scenario) present(at time.Duration) (names []string) {
	for _, a := range s.Arrays {
		if a.Joins <= at {
			names = append(names, a.Name)
		}
	}
	return names
}

func drawSize(random *rand.Rand) int64 {
	n := random.IntN(100)
	for _, size := range sizes {
		if n < size.share {
			return size.gib
		}
		n -= size.share
	}
	return sizes[0].gib
}

// creates are the times of a Poisson process for each wave, in order.
func (s Scenario) creates(random *rand.Rand) (times []time.Duration) {
	for _, w := range s.Waves {
		mean := float64(time.Minute) / w.PerMinute
		for at := w.From; ; {
			at += time.Duration(random.ExpFloat64() * mean)
			if at >= w.To {
				break
			}
			times = append(times, at)
		}
	}
	slices.Sort(times)
	return times
}

// Workload is that of a volume of a stream: the default one of the simulator with a
// tenth of its operations, because the volumes are large.
func (v Volume) Workload(seed uint64) simulator.Workload {
	const tenth = 10
	model := simulator.Model{Seed: seed}
	return model.DefaultWorkload(fmt.Sprintf("volume-%d", v.Number), v.GiB<<30/tenth)
}
