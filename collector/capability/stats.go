package capability

import "time"

// Sample is one reading of one array: what it answered, in its own units, and
// nothing that it did not answer. A nil pointer means "the array did not say".
//
// It is a value: whoever receives one may keep it and must not change what its
// pointers point to.
type Sample struct {
	// CollectedAt is the instant at which the reading was begun, by this
	// host's clock. It is what a report is stamped with, so that whatever the
	// scheduler has placed since then stays deducted.
	CollectedAt time.Time
	// Identity says which array answered.
	Identity Identity
	// Space is nil when the array did not tell its capacity.
	Space *Space
	// Counts of objects; each may be missing by itself.
	Counts Counts
	// Performance is nil when the array had no sample in the asked window.
	Performance *Performance
	// Links are the connections to other arrays; nil when they were not read,
	// empty when there are none.
	Links []Link
	// ClockSkew is by how much the array's clock is ahead of this host's,
	// exact to about a second; nil when the array did not tell its time.
	ClockSkew *time.Duration
	// Faults are the parts of the reading that failed while others succeeded.
	// A reading with faults is published as partial.
	Faults []Fault
}

// Identity says which array answered (GET arrays, controllers, subscriptions).
type Identity struct {
	ID      string // stable UUID of the array
	Name    string
	Model   string // of the primary controller, such as FA-X50R4; "" if not told
	Purity  string // release, such as 6.4.10
	Service string // of the subscription, such as Evergreen//One; "" if not told
	REST    string // API version the client and the array agreed on, such as 2.26
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
// total_used where the array leaves it out; nil if it tells neither.
func (s *Space) Used() *int64 {
	if s.TotalPhysical != nil {
		return s.TotalPhysical
	}
	return s.TotalUsed
}

// Provisioned returns total_provisioned, or used_provisioned where the array
// leaves it out, as the Cinder driver does; nil if it tells neither.
func (s *Space) Provisioned() *int64 {
	if s.TotalProvisioned != nil {
		return s.TotalProvisioned
	}
	return s.UsedProvisioned
}

// Counts are numbers of objects. The first four include objects that are
// destroyed but not yet eradicated, and hosts of connected peers, because the
// Cinder driver's numbers of the same names do.
type Counts struct {
	Volumes          *int64
	Snapshots        *int64
	Hosts            *int64
	ProtectionGroups *int64
	// LiveVolumes leaves the destroyed ones out.
	LiveVolumes *int64
}

// Performance is one sample of the array's load, averaged over Resolution
// (GET arrays/performance). Rates are per second, latencies in microseconds,
// bandwidth in bytes per second.
type Performance struct {
	Time       time.Time     // of the sample, by the array's clock
	Age        time.Duration // of the sample when the array answered; never negative
	Resolution time.Duration // what the sample was averaged over

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

	QueueDepth *int64 // deprecated by the array; often absent
}

// Link is a connection to another array (GET array-connections).
type Link struct {
	Peer   string // the other array's name
	Status string // connected, connecting, …
	Type   string // async-replication or sync-replication
}

// Fault is a part of a reading that failed.
type Fault struct {
	Part string // what was asked for, such as "performance"
	Err  error
}
