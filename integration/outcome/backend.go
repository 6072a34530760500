package outcome

import (
	"strconv"
	"time"

	"github.com/poolcast/poolcast/collector"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/integration/cindertest"
	"github.com/poolcast/poolcast/publisher"
)

const (
	hostPrefix = "controller@" // of the backend of an array
	poolName   = "pool"        // volume_backend_name of all
)

// backend is an array with its cinder-volume, and with poolcast in that arm.
type backend struct {
	pool   *pool
	array  *array
	joins  time.Duration
	target collector.Target

	allocated int64         // GiB, as cinder-volume counts it
	next      time.Duration // cinder-volume's next report

	base     capability.Set // cinder-volume's last report, in the arm with poolcast
	received time.Time
	overlays int               // of the base
	polled   capability.Report // poolcast's last; no LiveKeys: it decides nothing
}

func newBackend(p *pool, x *array, a Array) *backend {
	return &backend{
		pool: p, array: x, joins: a.Joins,
		target: collector.Target{
			Host: hostPrefix + a.Name, Backend: a.Name, Pool: poolName, Zone: "nova", Interval: PollInterval,
			Stanza: collector.Stanza{
				Protocol: "iSCSI", MaxOverSubscription: strconv.Itoa(fallbackRatio), AutomaticOverSubscription: p.setting.automatic(),
				GoodnessFunction: p.setting.goodness(p.run.Arm),
			},
		},
	}
}

// report is cinder-volume's periodic report.
func (b *backend) report() error {
	b.next = b.pool.now + ReportInterval
	b.pool.at(b.next, b.report)
	return b.publish()
}

// publish reports what the driver of Cinder 29 reads, and what cinder-volume adds
// (cinder/volume/drivers/pure.py, _update_volume_stats: the first performance sample
// of the last hour).
func (b *backend) publish() error {
	if !b.pool.decides(b.next) {
		return nil
	}
	before := history
	if b.pool.run.Arm == StockNewest {
		before = resolution
	}
	now := b.pool.clock()
	sample, err := b.array.sample(now, before)
	if err != nil {
		return err
	}
	set := cindertest.DriverReports([]capability.Report{collector.Merge(sample, b.target)})[b.target.Host]
	set[capability.KeyAllocatedCapacity] = capability.OfInt(b.allocated)
	b.pool.scheduler.Report(b.target.Host, set, now)
	if b.pool.run.Arm == Poolcast {
		b.base, b.received, b.overlays = set, now, 0
		b.overlay()
	}
	return nil
}

// poll is one of poolcast.
func (b *backend) poll() error {
	if b.pool.run.Arm != Poolcast {
		return nil
	}
	next := b.pool.now + PollInterval
	b.pool.at(next, b.poll)
	b.polled = capability.Report{}
	if !b.pool.decides(next) {
		return nil
	}
	sample, err := b.array.sample(b.pool.clock(), resolution)
	if err != nil {
		return err
	}
	b.polled = collector.Merge(sample, b.target)
	b.overlay()
	return nil
}

// overlay publishes the last sample over the last report of cinder-volume, stamped
// one microsecond later for each overlay of it.
func (b *backend) overlay() {
	if b.base == nil || b.polled.LiveKeys == nil {
		return
	}
	b.overlays++
	now := b.pool.clock()
	b.pool.scheduler.Report(b.target.Host, publisher.OverlayAt(b.base, b.received, b.polled.Aged(now), false),
		b.received.Truncate(time.Microsecond).Add(time.Duration(b.overlays)*time.Microsecond))
}
