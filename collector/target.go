package collector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

// Source samples one array. Sample is called by one goroutine at a time and must
// return when its context ends; Close logs out. An implementation is a
// pointer, so that two Sources can be compared.
type Source interface {
	Sample(ctx context.Context) (capability.Sample, error)
	Close(ctx context.Context) error
}

// Target is one backend: its array, its polling interval, and its stanza.
type Target struct {
	Host    string // host@stanza; unique, and the name of the target everywhere here
	Cluster string // cluster@stanza, or ""
	Backend string // the stanza's name
	Pool    string // volume_backend_name
	Zone    string // availability zone

	Simulated bool // the Source is a simulated array

	// Source is owned by the Collector as soon as it is passed to it. The
	// Collector closes it when the target is removed, and also when it is not
	// needed because the target keeps the one that it has.
	Source Source
	// Connection identifies what the Source connects to, for instance the
	// address, the TLS settings and a digest of the token. A target that is
	// applied again with the same Connection keeps its session and history.
	// Empty means that only the same Source is the same connection.
	Connection string

	Interval time.Duration // between the starts of two polls
	Timeout  time.Duration // of one poll; 0, or too long for the interval, means 4/5 of the interval and at most 30 s

	OnStale    Policy        // what is published after StaleAfter; "" means Keep
	StaleAfter time.Duration // how long a sample is used without a newer one; 0 means three intervals

	// History are the limits of load_class, if the keys of the last hour are
	// reported; nil if they are not, and then no history is kept for them.
	History *ClassLimits

	Stanza Stanza
}

// Stanza is the part of a backend's configuration that goes into the report.
type Stanza struct {
	Protocol string // storage_protocol: iSCSI, FC, NVMe-RoCE or NVMe-TCP

	ReservedPercentage        int64  // reserved_percentage
	MaxOverSubscription       string // max_over_subscription_ratio: a number, or "auto"
	AutomaticOverSubscription bool   // pure_automatic_max_oversubscription_ratio
	FilterFunction            string // "" is published as null, as Cinder does
	GoodnessFunction          string

	Extra capability.Set // extra_capabilities
	Live  []string       // live_capabilities: keys for which the measurement wins over Extra

	Replicas []Replica // replication_device, in order
	// TriSync is pure_trisync_enabled, provided that the tokens of the two
	// replicas differ.
	TriSync bool
}

// Replica is one replication_device.
type Replica struct {
	BackendID string
	Sync      bool // type:sync; async is the default
}

// maxTimeout bounds a poll whose interval is long: an array that needs longer
// than this for eight small requests has a problem, which should be reported.
const maxTimeout = 30 * time.Second

// timeout is the time that one poll may take, always less than the interval.
func (t Target) timeout() time.Duration {
	longest := t.Interval * 4 / 5
	if t.Timeout > 0 && t.Timeout < longest {
		return t.Timeout
	}
	return min(longest, maxTimeout)
}

// staleAfter is how long a sample is used without a newer one.
func (t Target) staleAfter() time.Duration {
	if t.StaleAfter > 0 {
		return t.StaleAfter
	}
	return 3 * t.Interval
}

func (t Target) onStale() Policy { return cmp.Or(t.OnStale, Keep) }

// sameConnection reports whether the Source of one may be used for the other.
func (t Target) sameConnection(u Target) bool {
	return t.Source == u.Source || t.Connection != "" && t.Connection == u.Connection
}

// equal reports whether both would be polled and reported alike.
func (t Target) equal(u Target) bool {
	t.Source, u.Source = nil, nil
	return reflect.DeepEqual(t, u)
}

// Validate reports targets that [Collector.Apply] would reject.
func Validate(targets []Target) error {
	var errs []error
	seen := make(map[string]bool, len(targets))
	for _, t := range targets {
		switch {
		case t.Host == "":
			errs = append(errs, fmt.Errorf("backend %q has no host", t.Backend))
		case seen[t.Host]:
			errs = append(errs, fmt.Errorf("%s is given twice", t.Host))
		case t.Source == nil:
			errs = append(errs, fmt.Errorf("%s has no Source", t.Host))
		case t.Interval <= 0:
			errs = append(errs, fmt.Errorf("%s has no polling interval", t.Host))
		}
		seen[t.Host] = true
	}
	return errors.Join(errs...)
}
