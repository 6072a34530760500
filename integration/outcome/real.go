package outcome

import (
	"errors"
	"fmt"
	"time"

	"github.com/poolcast/poolcast/integration/internal/cloud"
	"github.com/poolcast/poolcast/integration/process"
)

// RealOptions say what runs on real services.
type RealOptions struct {
	Python   string // an interpreter that has Cinder and py-pure-client
	Poolcast string // the program; "" builds it
	Settings []Setting
	Seeds    []uint64
	// Progress is called with each step that is completed, one call at a time; nil is
	// possible.
	Progress func(text string)
}

// RunReal runs the scenario Confirmation on real services: RabbitMQ, cinder-api,
// cinder-scheduler and a cinder-volume with the Pure driver and all arrays, once for each
// arm. The arms run at the same time, so that a busy machine delays them alike. Time is
// compressed alike for all: see [realSpeed]. The clouds are kept between the runs; the
// arrays of a run are new ones.
//
// Three arms need 1.2 to 1.5 processors, and are valid only on a machine that does nothing
// else. A run in which a create failed or was late is repeated, one in ten at most. A late
// one counts if it cannot be repeated; Progress has how late it was.
//
// The initial volumes are made on the arrays and in the database, so that Cinder has them
// as if it had created them an hour before.
func RunReal(t process.T, o RealOptions) (runs []Run) {
	t.Helper()
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	scenario, begun := Confirmation(), time.Now()
	arms := startArms(t, scenario, o)
	o.Progress(fmt.Sprintf("%d clouds are up after %.0f s", len(arms), time.Since(begun).Seconds()))
	repeats := len(o.Settings) * len(o.Seeds) / 10
	for _, setting := range o.Settings {
		for i, seed := range o.Seeds {
			err := runArms(t, arms, o, setting, seed, i == 0)
			for ; err != nil && repeats > 0; repeats-- {
				o.Progress(fmt.Sprintf("%s, seed %d is repeated: %v", setting, seed, err))
				err = runArms(t, arms, o, setting, seed, false)
			}
			if err != nil && !errors.Is(err, errLate) {
				t.Fatalf("run %s, seed %d: %v", setting, seed, err)
			}
			for _, a := range arms {
				runs = append(runs, a.run)
			}
		}
	}
	return runs
}

// maxLate is how late cinder-api may respond to a create: by then the volume of the
// scenario is ten seconds late.
const maxLate = 2 * time.Second

// errLate is the error of a run in which the machine was too busy.
var errLate = errors.New("a create was later than two seconds: the machine is too busy")

// runArms runs a setting and a seed in all arms at once.
func runArms(t process.T, arms []*realArm, o RealOptions, setting Setting, seed uint64, newSetting bool) error {
	t.Helper()
	began := time.Now()
	eachArm(t, arms, func(t process.T, a *realArm) { a.prepare(t, setting, seed, newSetting) })
	prepared, start := time.Since(began), time.Now().Add(time.Second)
	eachArm(t, arms, func(t process.T, a *realArm) { a.play(t, start) })
	var late time.Duration
	var faults []error
	for _, a := range arms {
		late = max(late, a.late)
		faults = append(faults, a.faults...)
	}
	o.Progress(fmt.Sprintf("%s, seed %d: prepared in %.0f s, ended after %.0f s; the slowest create took %v",
		setting, seed, prepared.Seconds(), time.Since(began).Seconds(), late.Round(time.Millisecond)))
	if len(faults) > 0 {
		return faults[0]
	}
	if late > maxLate {
		return errLate
	}
	return nil
}

// eachArm calls a function for all arms side by side.
func eachArm(t process.T, arms []*realArm, f func(process.T, *realArm)) {
	t.Helper()
	var steps []func(process.T)
	for _, a := range arms {
		steps = append(steps, func(t process.T) { f(t, a) })
	}
	process.Parallel(t, steps...)
}

// startArms starts a cloud for each arm.
func startArms(t process.T, s Scenario, o RealOptions) (arms []*realArm) {
	t.Helper()
	for _, arm := range Arms() {
		a := &realArm{arm: arm, scenario: s, arrays: map[string]*realArray{}}
		for _, array := range s.Arrays {
			a.arrays[array.Name] = newRealArray()
			t.Cleanup(a.arrays[array.Name].server.Close)
		}
		a.replaceArrays(t, 0)
		arms = append(arms, a)
	}
	eachArm(t, arms, func(t process.T, a *realArm) { a.start(t, o) })
	return arms
}

// realReportInterval and realPollInterval are those of the services here: as long as in the
// scenario, in compressed time.
const (
	realReportInterval = ReportInterval / realSpeed
	realPollInterval   = PollInterval / realSpeed
)

// options are those of the cloud of an arm.
func (a *realArm) options(o RealOptions) cloud.Options {
	options := cloud.Options{
		Python: o.Python, Poolcast: o.Poolcast, ReportInterval: realReportInterval, NoAgents: a.arm != Poolcast,
		Agent: []string{"poll_interval = " + realPollInterval.String()},
		Hosts: []cloud.Host{{Name: realHost}},
	}
	for _, array := range a.scenario.Arrays {
		name := stanzaOf(array.Name)
		options.Hosts[0].Backends = append(options.Hosts[0].Backends, name)
		options.Arrays = append(options.Arrays, cloud.Array{
			Stanza: name, Address: a.arrays[array.Name].address(), Settings: []string{"goodness_function = " + Goodness.goodness(a.arm)},
		})
	}
	return options
}
