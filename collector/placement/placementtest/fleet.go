package placementtest

import (
	"fmt"

	"github.com/poolcast/poolcast/collector/capability"
)

// Fleet returns the reports of n arrays of one pool in one zone, for benchmarks:
// each different from the others, with some forty keys, and with free capacity. They
// have a goodness_function unless it is "".
func Fleet(n int, goodness string) []capability.Report {
	reports := make([]capability.Report, n)
	for i := range reports {
		name := fmt.Sprintf("fa%04d", i)
		reports[i] = capability.Report{
			Host: "ctl1@" + name, Backend: name, Pool: "gold", Zone: "dc1",
			Capabilities: fleetArray(i, goodness),
		}
	}
	return reports
}

func fleetArray(i int, goodness string) capability.Set {
	set := capability.Set{
		capability.KeyVolumeBackendName:   capability.OfString("gold"),
		capability.KeyVendorName:          capability.OfString("Pure Storage"),
		capability.KeyStorageProtocol:     capability.OfString("iSCSI"),
		capability.KeyTotalCapacity:       capability.OfFloat(102400),
		capability.KeyFreeCapacity:        capability.OfFloat(51200 + float64(i)/7),
		capability.KeyProvisionedCapacity: capability.OfFloat(200000.5 - float64(i*7%1000)),
		capability.KeyAllocatedCapacity:   capability.OfInt(int64(10000 + i)),
		capability.KeyReservedPercentage:  capability.OfInt(5),
		capability.KeyMaxOverSubscription: capability.OfFloat(4.5),
		capability.KeyThinProvisioning:    capability.OfBool(true),
		capability.KeyMultiattach:         capability.OfBool(true),
		capability.KeyTotalVolumes:        capability.OfInt(int64(i % 800)),
		capability.KeyUsecPerWrite:        capability.OfInt(int64(100 + i%300)),
		capability.KeyLoadPercent:         capability.OfInt(int64(i % 100)),
		capability.KeyArrayModel:          capability.OfString("FA-X50R4"),
		capability.KeyReplicationType:     capability.OfStrings("async", "sync"),
	}
	for k := range 24 { // a report has some forty keys
		set[fmt.Sprintf("label_%c", 'a'+k)] = capability.OfInt(int64(k))
	}
	set.PutString(capability.KeyGoodnessFunction, goodness)
	return set
}
