package cinder_test

import (
	"fmt"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

func array(name string, provisioned, volumes int64) capability.Report {
	return capability.Report{Host: "ctl1@" + name, Zone: "dc1", Capabilities: capability.Set{
		capability.KeyVolumeBackendName:   capability.OfString("pure_performance"),
		capability.KeyTotalCapacity:       capability.OfFloat(20480),
		capability.KeyFreeCapacity:        capability.OfFloat(9000),
		capability.KeyProvisionedCapacity: capability.OfInt(provisioned),
		capability.KeyMaxOverSubscription: capability.OfFloat(2),
		capability.KeyThinProvisioning:    capability.OfBool(true),
		capability.KeyTotalVolumes:        capability.OfInt(volumes),
	}}
}

// The backend that the scheduler chooses for a volume of 15,000 GiB.
func Example() {
	engine, err := cinder.NewEngine(cinder.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	snapshot := cinder.NewSnapshot([]capability.Report{array("fa1", 28916, 912), array("fa2", 21000, 640)})
	decision, err := engine.DecideOn(snapshot, &cinder.Request{Size: 15000})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(decision)
	// Output:
	// ctl1@fa2 would take it: no other backend fits
	//   1 ctl1@fa2#pure_performance  0
	//       CapacityWeigher 19960 → 0 × 1 = 0 (virtual free 19960 GiB: total 20480 × ratio 2 - provisioned 21000)
	//   - ctl1@fa1#pure_performance
	//       refused by CapacityFilter: virtual free 12044 GiB < 15000 GiB: total 20480 × ratio 2 - provisioned 28916
}

// Placing one volume after another, as the scheduler does between two reports.
func ExampleRequest_Consumption() {
	engine, err := cinder.NewEngine(cinder.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	snapshot := cinder.NewSnapshot([]capability.Report{array("fa1", 20000, 640), array("fa2", 20500, 640)})
	request := &cinder.Request{Size: 400}
	for range 4 {
		choice, err := engine.Choose(snapshot, request)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(choice.Backend.ID(), choice.Backend.Space().Provisioned)
		snapshot = snapshot.Consume(choice.Backend, request.Consumption())
	}
	// Output:
	// ctl1@fa1#pure_performance 20000
	// ctl1@fa1#pure_performance 20400
	// ctl1@fa2#pure_performance 20500
	// ctl1@fa1#pure_performance 20800
}

// Live thresholds as preferences: if no array meets them, the least loaded is chosen.
func Example_prefer() {
	engine, err := cinder.NewEngine(cinder.Options{
		Weighers: []string{cinder.VolumeNumberWeigher}, Policy: placement.Prefer,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	reports := []capability.Report{array("fa1", 1000, 912), array("fa2", 1000, 850)}
	gold := &cinder.VolumeType{Name: "gold", ExtraSpecs: cinder.ExtraSpecsOf(map[string]string{"total_volumes": "<= 800"})}
	decision, err := engine.Decide(reports, cinder.Request{Size: 10, Type: gold})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(decision.Chosen.Backend.ID(), decision.Relaxed)
	// Output: ctl1@fa2#pure_performance [relaxed, no backend meets it: CapabilitiesFilter: total_volumes <= 800]
}
