package capability

import "time"

// Sample is what one poll of an array read, in the array's units. A nil pointer
// means that the array left the field out or that the request failed.
//
// It is a value: a receiver may keep it and must not change what its pointers
// point to.
type Sample struct {
	// CollectedAt is when the poll began, by this host's clock. A report is
	// stamped with it, so that the scheduler keeps the deductions for all
	// volumes it has placed since.
	CollectedAt time.Time
	// Identity is the array that was read.
	Identity Identity
	// Space is nil if the capacity was not read.
	Space *Space
	// Counts of objects; each may be missing by itself.
	Counts Counts
	// Performance is nil if the array has no sample of the requested window.
	Performance *Performance
	// Links are the connections to other arrays; nil if they were not read,
	// empty if there are none.
	Links []Link
	// LinksAt is when they were read: by this poll or by one before. Zero is by this one.
	LinksAt time.Time
	// Condition is what the array reports about its own state. Its parts are read in
	// turn, so each has an age of its own; a part that failed is no fault of the
	// sample.
	Condition Condition
	// ClockSkew is by how much the array's clock is ahead of this host's,
	// exact to about a second; nil if it was not read.
	ClockSkew *time.Duration
	// Faults are the requests that failed while others succeeded. A sample
	// with faults is published as partial.
	Faults []Fault
}

// Identity identifies an array (GET arrays, controllers, subscriptions).
type Identity struct {
	ID      string // stable UUID of the array
	Name    string
	Model   string // of the primary controller, such as FA-X50R4; "" if not read
	Purity  string // release, such as 6.4.10
	Service string // of the subscription, such as Evergreen//One; "" if not read
	REST    string // API version in use, such as 2.26
}

// Space is the array's capacity in bytes (GET arrays/space).
type Space struct {
	Capacity         *int64   // usable
	TotalPhysical    *int64   // physical use; effective use on Evergreen//One
	TotalUsed        *int64   // successor of TotalPhysical, REST 2.26 and later
	TotalProvisioned *int64   // sum of volume sizes; absent on Evergreen//One
	UsedProvisioned  *int64   // logical space consumed, REST 2.23 and later
	DataReduction    *float64 // ratio, without thin provisioning
	TotalReduction   *float64 // ratio, with thin provisioning
}

// Used returns the bytes in use: total_physical, which the Cinder driver reads
// (cinder/volume/drivers/pure.py, _update_volume_stats), or its successor
// total_used where the array leaves it out; nil if both are missing.
func (s *Space) Used() *int64 {
	if s.TotalPhysical != nil {
		return s.TotalPhysical
	}
	return s.TotalUsed
}

// Provisioned returns total_provisioned, or used_provisioned where the array
// leaves it out, as the Cinder driver does; nil if both are missing.
func (s *Space) Provisioned() *int64 {
	if s.TotalProvisioned != nil {
		return s.TotalProvisioned
	}
	return s.UsedProvisioned
}

// Counts are numbers of objects. The first four include objects that are
// destroyed but not yet eradicated, and hosts of connected arrays, as the Cinder
// driver's numbers of the same names do.
type Counts struct {
	Volumes          *int64
	Snapshots        *int64
	Hosts            *int64
	ProtectionGroups *int64
	// LiveVolumes are those that are not destroyed.
	LiveVolumes *int64
}

// Performance is the array's load, averaged over Resolution
// (GET arrays/performance). Rates are per second, latencies in microseconds,
// bandwidth in bytes per second.
type Performance struct {
	Time       time.Time     // by the array's clock
	Age        time.Duration // when it was read; never negative
	Resolution time.Duration // what it is averaged over

	ReadsPerSec          *int64
	WritesPerSec         *int64
	MirroredWritesPerSec *int64

	ReadBytesPerSec          *int64
	WriteBytesPerSec         *int64
	MirroredWriteBytesPerSec *int64

	UsecPerRead          *int64
	UsecPerWrite         *int64
	UsecPerMirroredWrite *int64

	QueueUsecPerRead          *int64
	QueueUsecPerWrite         *int64
	QueueUsecPerMirroredWrite *int64

	// QoSUsecPerRead and the next are how long an operation waits because of a QoS
	// limit. The latencies above do not include it.
	QoSUsecPerRead          *int64
	QoSUsecPerWrite         *int64
	QoSUsecPerMirroredWrite *int64

	QueueDepth *int64 // deprecated by the array; often absent
}

// Link is a connection to another array (GET array-connections).
type Link struct {
	Peer   string // the other array's name
	Status string // connected, connecting, …
	Type   string // async-replication or sync-replication
}

// Fault is a request of a poll that failed.
type Fault struct {
	Part string // what was requested, such as "performance"
	Err  error
}
