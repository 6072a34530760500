package status

import (
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// View is the state of the agent at one instant. It is a copy: a [Source] makes one
// for each request.
type View struct {
	Now      time.Time
	Agent    Agent
	Bus      Bus
	Config   Config
	Backends []Backend        // in the order of enabled_backends
	Invalid  []InvalidBackend // enabled backends that are not served
	Failures Failures
	// Thresholds are those of the page, as they are configured at this instant.
	Thresholds Thresholds
	Types      VolumeTypes
}

// VolumeTypes are the volume types that the form offers.
type VolumeTypes struct {
	File  string   // volume_types; "" if it is not set
	Names []string // sorted; of the file as it was read last without a fault
	Fault string   // why the file cannot be used; "" if it can
	Since time.Time
}

// Config is the result of reading the configuration.
type Config struct {
	Loaded  time.Time // when the one in use was loaded
	Refused time.Time // when a newer one was refused last; zero if none was
	// RefusedSince is when the first one since then was refused.
	RefusedSince time.Time
	Faults       []string // why it was refused, each with file and line
}

// InvalidBackend is an enabled backend whose section has faults.
type InvalidBackend struct {
	Name   string // the stanza
	Host   string // "" if it could not be read
	Pool   string
	Faults []string // each with file and line
}

// Agent identifies the running poolcast.
type Agent struct {
	Host    string // the host part of host@stanza
	Version string

	Simulated bool // the arrays are simulated

	// LastTick is when the main loop ran last, which is all that /livez checks.
	LastTick time.Time
}

// Bus is the connection to RabbitMQ and what was sent over it.
type Bus struct {
	Connected bool
	Blocked   bool   // the broker has blocked publishers (memory or disk alarm)
	Broker    string // host:port, without credentials
	Reason    string // why it is not connected or not ready; "" if it is
	Exchange  bool   // schedulers run, and their fanout exchange exists
	Consumers *int   // of the cinder-scheduler queue; nil if not known
	Confirmed uint64
	Refused   uint64 // nacked by the broker
	Returned  uint64 // confirmed, but there was no queue to put it into
	Failed    uint64 // no confirm within the bound, or the channel closed
	Overlays  uint64 // of those confirmed
}

// Backend is one array behind one stanza.
type Backend struct {
	Name    string // the stanza
	Host    string
	Cluster string
	Pool    string
	Zone    string

	Report *capability.Report // the newest; nil before the first
	// Effective is the effective report of the backend, and Report if there is
	// none; nil before the first.
	Effective *capability.Report
	// EffectiveSpace is Space, of the effective report.
	EffectiveSpace *Space
	Poll           Poll
	Overlay        Overlay
	// Space is how Cinder computes the backend's free space; nil if the report
	// lacks keys for it.
	Space *Space
	// Details are what the array reports and the report has no key for.
	Details Details
}

// Details are of the newest sample of an array.
type Details struct {
	Performance *capability.Performance // nil if the sample has none
	Links       []capability.Link
	// Condition has no reading that is too old.
	Condition capability.Condition
}

// Poll is the result of polling one array.
type Poll struct {
	Up       bool
	Error    string // of the last poll, if it failed
	LastOK   time.Time
	Duration time.Duration // of the last poll
	Polls    uint64
	Failures uint64
	Skipped  uint64         // ticks that fell into a running poll
	Requests map[int]uint64 // REST requests by HTTP status; 0 for no response
	Skew     *time.Duration // the array's clock minus this host's; nil if not known

	Sessions     int    // open on the array
	SessionsLost uint64 // perhaps left open on the array
}

// Overlay is what was published of one backend, and what it replaced.
type Overlay struct {
	State        string        // idle, listening, standalone, overlaying, standby, suspended or no_sample
	Since        time.Time     // when the state began
	Cause        string        // the reason in one word, such as different_array; "" if there is none
	Reason       string        // why it is suspended or has no sample, for a person
	Failure      string        // why the broker did not accept the last report, "" if it did
	FailingSince time.Time     // since when no report was accepted; zero if reports are
	Interval     time.Duration // how often cinder-volume reports
	PublishedAt  time.Time
	ReceivedAt   time.Time      // when cinder-volume's own report was received last
	Skew         *time.Duration // cinder-volume's clock minus this host's; nil if not known
	Changes      []Change       // of the last one published
}

// Change is one key whose value was replaced or added.
type Change struct {
	Key string
	Old *capability.Value // nil if cinder-volume did not send the key
	New capability.Value
}

// Point is one sample on a sparkline. NaN is a value that was not measured.
type Point struct {
	At          time.Time
	Operations  float64 // reads and writes per second
	BytesPerSec float64
	ReadUsec    float64
	WriteUsec   float64
	LoadPercent float64
}

// Space is Cinder's arithmetic of free space, in GiB
// (cinder/scheduler/sched_utils.py, calculate_capacity_factors).
type Space struct {
	Total       float64
	Reserved    float64
	Ratio       float64
	Provisioned float64
	VirtualFree float64
	Thin        bool
}

// Source provides what is served. It is called from the goroutines of HTTP
// requests, several at once.
type Source interface {
	View() View
	// History returns the latest samples of a host, oldest first.
	History(host string) []Point
}
