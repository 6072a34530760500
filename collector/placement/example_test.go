package placement_test

import (
	"errors"
	"fmt"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
)

// anyRequest is enough for plug-ins that look at backends alone.
type anyRequest struct{}

func (anyRequest) Seed() uint64 { return 1 }

func arrays(latency ...int64) *placement.Snapshot {
	reports := make([]capability.Report, len(latency))
	for i, usec := range latency {
		reports[i] = capability.Report{
			Host:         fmt.Sprintf("ctl1@array_%d", i+1),
			Capabilities: capability.Set{capability.KeyUsecPerWrite: capability.OfInt(usec)},
		}
	}
	return placement.NewSnapshot(reports, placement.Options{})
}

// A filter that explains itself, and a weigher that is just a function.
func Example() {
	fastest := func(_ placement.Request, b *placement.Backend) (float64, error) {
		usec, _ := b.Float(capability.KeyUsecPerWrite)
		return -usec, nil
	}
	var registry placement.Registry
	err := errors.Join(
		registry.AddFilter("CalmFilter", placement.NoArgs[placement.Filter](atMost{capability.KeyUsecPerWrite, 400})),
		registry.AddWeigher("FastestWeigher", placement.WeigherFunc(fastest).Factory()),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	engine, err := placement.New(&registry, placement.Profile{
		Filters:  []string{"CalmFilter"},
		Weighers: []placement.Weight{{Weigher: "FastestWeigher", Multiplier: 1}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	decision, err := engine.Decide(arrays(300, 250, 900), anyRequest{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(decision)
	_, err = engine.Decide(arrays(700, 700), anyRequest{})
	fmt.Println(err)
	// Output:
	// ctl1@array_2: best of 2 that fit, out of 3
	//   1 ctl1@array_2  1
	//       FastestWeigher -250 -> 1 x 1 = 1
	//   2 ctl1@array_1  0
	//       FastestWeigher -300 -> 0 x 1 = 0
	//   - ctl1@array_3  CalmFilter: usec_per_write_op 900 is not <= 400
	// 0 of 2 backends fit: 2 CalmFilter (usec_per_write_op 700 is not <= 400)
}

// A profile lists all its faults at once.
func ExampleNew() {
	var registry placement.Registry
	if err := registry.AddFilter("CalmFilter", placement.NoArgs[placement.Filter](atMost{"load", 50})); err != nil {
		fmt.Println(err)
	}
	_, err := placement.New(&registry, placement.Profile{
		Filters:  []string{"ClamFilter"},
		Weighers: []placement.Weight{{Weigher: "FastestWeigher", Multiplier: 1}},
	})
	fmt.Println(err)
	// Output:
	// read placement profile: filter ClamFilter is not known: did you mean CalmFilter?
	// weigher FastestWeigher is not known: none is registered
}
