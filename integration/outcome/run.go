package outcome

import "time"

// Arm is what is compared.
type Arm string

// The arms. A stock cinder-volume reports the first sample of the last hour of history:
// no source says whether an array lists the oldest or the newest first, so both are
// measured.
const (
	StockOldest Arm = "stock, oldest first"
	StockNewest Arm = "stock, newest first"
	Poolcast    Arm = "poolcast"
)

// Arms are all of them, in the order of the table.
func Arms() []Arm { return []Arm{StockOldest, StockNewest, Poolcast} }

// Setting is how the scheduler chooses.
type Setting string

// The settings of the scheduler.
const (
	Capacity  Setting = "CapacityWeigher"
	Allocated Setting = "AllocatedCapacityWeigher"
	Goodness  Setting = "GoodnessWeigher"
	Threshold Setting = "live thresholds" // CapacityWeigher, and conditions in the volume type
)

// Settings are all of them, in the order of the table.
func Settings() []Setting { return []Setting{Capacity, Allocated, Goodness, Threshold} }

// Run is what happened in one arm.
type Run struct {
	Scenario string
	Setting  Setting
	Arm      Arm
	Seed     uint64
	Settle   time.Duration // measured from then on

	Samples []Sample       // ascending in time
	Chosen  []Choice       // one for each volume that was created
	Refused map[string]int // creates without a backend, by the filter that refused the last one

	Forecasts []Forecast // of the bursts, with poolcast
}

// Choice is where a volume went.
type Choice struct {
	Volume int // its number in the stream
	Array  string
}

// Sample is the state of the pool at one time.
type Sample struct {
	At     time.Duration
	Arrays []State // in the order of the scenario; an array that has not joined is absent
}

// State is the state of one array.
type State struct {
	Name        string
	Used        float64 // physical bytes used, share of the capacity
	Provisioned float64 // bytes provisioned, share of the capacity; may exceed 1
	Load        float64 // utilisation, 0 to 1
	Latency     float64 // mean of reads and writes, in microseconds
	Operations  float64 // delivered per second
}
