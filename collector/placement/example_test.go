package placement_test

import (
	"fmt"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
)

// anyRequest is for plug-ins that read backends alone.
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
	return placement.NewSnapshot(reports, placement.SnapshotOptions{})
}

// A filter that explains itself, and a weigher that is just a function.
func Example() {
	fastest := func(_ placement.Request, b *placement.Backend) (float64, error) {
		usec, _ := b.Float(capability.KeyUsecPerWrite)
		return -usec, nil
	}
	engine, err := placement.New(
		placement.Profile{
			Filters:  []string{"LatencyFilter"},
			Weighers: []placement.Weight{{Weigher: "FastestWeigher", Multiplier: 1}},
		},
		placement.WithFilter("LatencyFilter", atMost{capability.KeyUsecPerWrite, 400}),
		placement.WithWeigher("FastestWeigher", placement.WeigherFunc(fastest)),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	decision, err := engine.DecideOn(arrays(300, 250, 900), anyRequest{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(decision)
	_, err = engine.DecideOn(arrays(700, 700), anyRequest{})
	fmt.Println(err)
	// Output:
	// ctl1@array_2 would take it: it weighs 1, the next, ctl1@array_1, 0
	//   1 ctl1@array_2  1
	//       FastestWeigher -250 → 1 × 1 = 1
	//   2 ctl1@array_1  0
	//       FastestWeigher -300 → 0 × 1 = 0
	//   - ctl1@array_3
	//       refused by LatencyFilter: usec_per_write_op 900 is not <= 400
	// 0 of 2 backends fit: 2 LatencyFilter (usec_per_write_op 700 is not <= 400)
}

// A profile lists all its faults at once.
func ExampleNew() {
	_, err := placement.New(placement.Profile{
		Filters:  []string{"LaodFilter"},
		Weighers: []placement.Weight{{Weigher: "FastestWeigher", Multiplier: 1}},
	}, placement.WithFilter("LoadFilter", atMost{"load", 50}))
	fmt.Println(err)
	// Output:
	// read placement profile: filter LaodFilter is not known: did you mean LoadFilter?
	// weigher FastestWeigher is not known: there is none
}
