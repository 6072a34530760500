//go:build integration

package publisher

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

const (
	// seeds is the number of runs of a setting. Where the mean of small differences
	// is compared, there are twice as many.
	seeds = 30
	// faultyShare is the share of the seeds that variants with a fault get. They
	// are worse by far.
	faultyShare = 6

	volumeSize     = 100         // GiB of each volume
	reportInterval = time.Minute // backend_stats_polling_interval
	pollInterval   = 15 * time.Second
	pollTime       = 400 * time.Millisecond // from the start of a poll to the end
	// firstCreate is when the burst begins: every backend has reported and was
	// polled by then.
	firstCreate = reportInterval + pollInterval + time.Second
)

// variant is which reports reach the scheduler.
type variant int

const (
	withoutAgent variant = iota // those of cinder-volume alone
	withAgent                   // the publisher's too
	// collectionStamp has the publisher's with the start of collection as their
	// stamp, which erases placements.
	collectionStamp
	// olderCapacity has the publisher's with the capacity of the newest
	// sample, although the base report is newer than that.
	olderCapacity
)

// burstSetting is one row of the table.
type burstSetting struct {
	weigher     string
	provisioned bool    // whether cinder-volume reports provisioned_capacity_gb
	rate        float64 // creates a second
	delay       time.Duration
	volumes     int
}

// mustEqual reports whether no overlay can renew what the scheduler weighs by,
// so that every choice is the same as without poolcast. CapacityWeigher weighs a
// thin pool by provisioned capacity, for which Cinder takes the allocated
// capacity if it is not reported (PoolState.update_from_volume_capability).
func (s burstSetting) mustEqual() bool {
	return s.weigher == "AllocatedCapacityWeigher" || !s.provisioned
}

// burstSettings are the rows of the table.
func burstSettings() (rows []burstSetting) {
	for _, provisioned := range []bool{true, false} {
		for _, weigher := range []string{"CapacityWeigher", "AllocatedCapacityWeigher"} {
			rows = append(rows,
				burstSetting{weigher, provisioned, 0.2, 3 * time.Second, 30},
				burstSetting{weigher, provisioned, 1, 10 * time.Second, 150},
				burstSetting{weigher, provisioned, 2, 30 * time.Second, 300},
				burstSetting{weigher, provisioned, 3, time.Minute, 450})
		}
	}
	return rows
}

// variants are the variants to run, and how many seeds of each.
func (s burstSetting) variants() map[variant]int {
	n := seeds
	if !s.mustEqual() && s.rate <= 1 {
		n *= 2
	}
	runs := map[variant]int{withoutAgent: n, withAgent: n, collectionStamp: n / faultyShare}
	if !s.mustEqual() {
		runs[olderCapacity] = n / faultyShare
	}
	return runs
}

// TestAccounting plays bursts of creates over three equal arrays in virtual
// time, with and without poolcast. Cinder's own classes place the volumes, and
// the publisher decides by itself what it sends. An overlay must not erase what
// the scheduler has accounted for, so that poolcast makes no burst less even;
// variants with a known fault show that the test would see it.
//
// POOLCAST_ACCOUNTING_TABLE names a file for the table.
func TestAccounting(t *testing.T) {
	processes := make(chan *cinder, 2)
	for range cap(processes) {
		processes <- startCinder(t)
	}
	rows := burstSettings()
	results := make([]map[variant]figures, len(rows))
	t.Run("burst", func(t *testing.T) {
		for i, s := range rows {
			t.Run(fmt.Sprintf("%s/%t/%g", s.weigher, s.provisioned, s.rate), func(t *testing.T) {
				t.Parallel()
				c := <-processes
				defer func() { processes <- c }()
				results[i] = s.play(t, c)
				s.check(t, results[i])
			})
		}
	})
	text := burstTable(rows, results)
	t.Logf("volumes between the fullest and the emptiest array, mean / worst of the seeds:\n%s", text)
	if name := os.Getenv("POOLCAST_ACCOUNTING_TABLE"); name != "" {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// play runs every variant of a setting.
func (s burstSetting) play(t *testing.T, c *cinder) map[variant]figures {
	t.Helper()
	results := map[variant]figures{}
	for v, n := range s.variants() {
		for seed := range uint64(n) {
			synctest.Test(t, func(t *testing.T) {
				results[v] = append(results[v], newBurst(t, c, s, seed, v).run())
			})
		}
	}
	return results
}

// check compares the variants with what they have to be. With a few creates in a
// minute the stamp of collection does no harm to a weigher by capacity.
func (s burstSetting) check(t *testing.T, results map[variant]figures) {
	t.Helper()
	without := results[withoutAgent]
	if err := s.compare(without, results[withAgent]); err != nil {
		t.Error(err)
	}
	if with := results[collectionStamp]; s.mustEqual() || s.rate > 1 {
		s.mustFail(t, "the start of collection as stamp", without, with)
		if with.mean() < 1.5*without[:len(with)].mean()+0.5 {
			t.Errorf("the start of collection as stamp makes too little difference: %s, without poolcast %s", with, without[:len(with)])
		}
	}
	if with := results[olderCapacity]; with != nil {
		s.mustFail(t, "an older capacity", without, with)
	}
}

// mustFail makes sure that a fault would be noticed.
func (s burstSetting) mustFail(t *testing.T, fault string, without, with figures) {
	t.Helper()
	if s.compare(without, with) == nil {
		t.Errorf("%s is not noticed: %s, without poolcast %s", fault, with, without[:len(with)])
	}
}

// compare returns what is worse with poolcast. Where choices may differ, a tenth of
// a volume is less than so many seeds can tell.
func (s burstSetting) compare(without, with figures) error {
	without = without[:len(with)]
	if s.mustEqual() {
		for seed := range with {
			if i := difference(without[seed], with[seed]); i >= 0 {
				return fmt.Errorf("seed %d: volume %d goes to array %d, without poolcast to %d; the arrays differ by %d volumes in the end, without by %d",
					seed, i, with[seed][i], without[seed][i], spread(with[seed]), spread(without[seed]))
			}
		}
		return nil
	}
	if mean, limit := with.mean(), 1.1*without.mean()+0.1; mean > limit {
		return fmt.Errorf("the arrays differ by %.2f volumes in the mean of %d seeds, without poolcast by %.2f", mean, len(with), without.mean())
	}
	return nil
}

// difference is the first volume that goes elsewhere, or -1.
func difference(a, b []int) int {
	if len(a) != len(b) {
		return min(len(a), len(b)) - 1
	}
	for i := range a {
		if a[i] != b[i] {
			return i
		}
	}
	return -1
}

// figures are the runs of one variant, by seed: the array of each volume.
type figures [][]int

// spread is the difference in volumes between the fullest and the emptiest of
// three arrays.
func spread(chosen []int) int {
	n := make([]int, 3)
	for _, i := range chosen {
		n[i]++
	}
	return slices.Max(n) - slices.Min(n)
}

func (f figures) mean() float64 {
	sum := 0
	for _, chosen := range f {
		sum += spread(chosen)
	}
	return float64(sum) / float64(len(f))
}

func (f figures) String() string {
	if len(f) == 0 {
		return ""
	}
	worst := 0
	for _, chosen := range f {
		worst = max(worst, spread(chosen))
	}
	return fmt.Sprintf("%.1f / %d", f.mean(), worst)
}

// burstTable is all results as Markdown.
func burstTable(rows []burstSetting, results []map[variant]figures) string {
	var b strings.Builder
	b.WriteString("| weigher | provisioned size | creates/s | delay | volumes | without poolcast | with poolcast | same choices | stamp = collection | older capacity |\n")
	b.WriteString("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for i, s := range rows {
		r := results[i]
		reported, same := "reported", 0
		if !s.provisioned {
			reported = "not reported"
		}
		for seed := range r[withAgent] {
			if slices.Equal(r[withAgent][seed], r[withoutAgent][seed]) {
				same++
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %g | %s | %d | %s | %s | %d of %d | %s | %s |\n", strings.TrimSuffix(s.weigher, "Weigher"), reported,
			s.rate, s.delay, s.volumes, r[withoutAgent], r[withAgent], same, len(r[withAgent]), r[collectionStamp], r[olderCapacity])
	}
	return b.String()
}

// burst is a cloud with three equal arrays during a burst of creates.
type burst struct {
	burstSetting
	t        *testing.T
	variant  variant
	chance   *rand.Rand
	cinder   *cinder
	exchange *fanout
	agent    *agent // nil without poolcast
	arrays   []*burstArray
	events   []burstEvent
	creates  []burstCreate
	chosen   []int // array of each volume whose place is known
}

// burstEvent is what happens at one moment.
type burstEvent struct {
	at time.Duration
	do func()
	// concerns the scheduler alone, so that nothing else needs to be waited for.
	schedulerOnly bool
}

// burstCreate is one volume of the burst.
type burstCreate struct {
	at     time.Time
	take   time.Duration // until cinder-volume takes it
	finish time.Duration // from then until the array has it
}

// burstArray is one of the arrays, with its cinder-volume and its volumes.
type burstArray struct {
	burst  *burst
	host   string
	volume *cinderVolume
	taken  []time.Time // when cinder-volume counts each volume
	ready  []time.Time // when the array has it
	sample capability.Report

	// What the variants with a fault need.
	base    time.Time // stamp of cinder-volume's last report
	updated capability.Report
	stamp   time.Time // the last one put into a message of the agent
}

func newBurst(t *testing.T, c *cinder, s burstSetting, seed uint64, v variant) *burst {
	b := &burst{burstSetting: s, t: t, variant: v, chance: rand.New(rand.NewPCG(seed, 1)), cinder: c}
	b.exchange = &fanout{t: t, schedulers: []*scheduler{{t: t, forward: b.forward}}}
	var backends []cinderBackend
	for i := range 3 {
		a := &burstArray{burst: b, host: fmt.Sprintf("ctl1@fa%d", i)}
		a.volume = &cinderVolume{exchange: b.exchange, host: a.host, total: 100000}
		b.arrays = append(b.arrays, a)
		backends = append(backends, cinderBackend{Host: a.host})
	}
	c.begin(t, s.weigher, backends...)
	if v != withoutAgent {
		b.agent = b.exchange.start(Options{Interval: pollInterval})
	}
	b.plan()
	return b
}

// plan draws everything that is left to chance, so that nothing of it depends on
// the variant.
func (b *burst) plan() {
	moment := func(i int) time.Duration { return firstCreate + time.Duration(float64(i)/b.rate*float64(time.Second)) }
	for _, a := range b.arrays {
		for at := b.upTo(reportInterval); at < moment(b.volumes); at += reportInterval {
			b.events = append(b.events, burstEvent{at: at, do: a.report})
		}
		for at := reportInterval + b.upTo(pollInterval); at < moment(b.volumes); at += pollInterval {
			b.events = append(b.events, burstEvent{at: at, do: a.poll}, burstEvent{at: at + pollTime, do: a.update})
		}
	}
	for i := range b.volumes {
		c := burstCreate{
			at:     time.Now().Add(moment(i)),
			take:   20*time.Millisecond + b.upTo(280*time.Millisecond),
			finish: b.delay/2 + b.upTo(b.delay),
		}
		b.creates = append(b.creates, c)
		b.events = append(b.events, burstEvent{at: moment(i), do: b.create, schedulerOnly: true})
	}
	slices.SortStableFunc(b.events, func(a, b burstEvent) int { return int(a.at - b.at) })
}

// upTo draws a duration.
func (b *burst) upTo(d time.Duration) time.Duration { return time.Duration(b.chance.Int64N(int64(d))) }

// run plays the burst and returns the array of each volume.
func (b *burst) run() []int {
	begun := time.Now()
	for _, e := range b.events {
		time.Sleep(e.at - time.Since(begun))
		if e.schedulerOnly {
			e.do()
			continue
		}
		synctest.Wait() // the agent has done what it does at this moment
		e.do()
		synctest.Wait()
	}
	b.settle(b.volumes)
	return b.chosen
}

// create requests a volume from the scheduler. The response is read when it is needed.
func (b *burst) create() { b.cinder.create(b.t, time.Now(), volumeSize) }

// settle reads where volumes went, up to so many.
func (b *burst) settle(volumes int) {
	for len(b.chosen) < volumes {
		var name string
		b.cinder.response(b.t, &name)
		i := slices.IndexFunc(b.arrays, func(a *burstArray) bool { return a.host+"#gold" == name })
		if i < 0 {
			b.t.Fatalf("volume %d went to %q", len(b.chosen), name)
		}
		c := b.creates[len(b.chosen)]
		b.arrays[i].taken = append(b.arrays[i].taken, c.at.Add(c.take))
		b.arrays[i].ready = append(b.arrays[i].ready, c.at.Add(c.take+c.finish))
		b.chosen = append(b.chosen, i)
	}
}

// settleAll reads where all volumes went that were asked for until now.
func (b *burst) settleAll() {
	b.settle(countPassed(b.creates, func(c burstCreate) time.Time { return c.at }))
}

// countPassed counts those whose moment is not in the future.
func countPassed[T any](list []T, moment func(T) time.Time) (n int) {
	now := time.Now()
	for _, v := range list {
		if !moment(v).After(now) {
			n++
		}
	}
	return n
}

func itself(t time.Time) time.Time { return t }

// report is cinder-volume's. Its manager counts a volume as allocated when it
// takes the create (cinder/volume/manager.py, create_volume); the array counts
// it as provisioned when it has it.
func (a *burstArray) report() {
	a.burst.settleAll()
	used, provisioned := float64(volumeSize*countPassed(a.ready, itself)), ""
	if a.burst.provisioned {
		provisioned = fmt.Sprintf(`"provisioned_capacity_gb":%.1f,`, used)
	}
	a.base = time.Now().UTC().Truncate(time.Microsecond)
	a.volume.sent++
	a.volume.reportAs(fmt.Sprintf(`{"volume_backend_name":"gold","total_capacity_gb":%.1f,"free_capacity_gb":%.1f,%s`+
		`"allocated_capacity_gb":%d,"thin_provisioning_support":true,"max_over_subscription_ratio":"20.0",`+
		`"reserved_percentage":0,"total_volumes":%d,"load_percent":0}`,
		a.volume.total, a.volume.total-used, provisioned, volumeSize*countPassed(a.taken, itself), countPassed(a.ready, itself)))
}

// poll is the start of a poll, which reads the array at once.
func (a *burstArray) poll() {
	if a.burst.agent == nil {
		return
	}
	a.burst.settleAll()
	volumes := countPassed(a.ready, itself)
	used := float64(volumeSize * volumes)
	set := capability.Set{
		"volume_backend_name":     capability.OfString("gold"),
		"total_capacity_gb":       capability.OfFloat(a.volume.total),
		"free_capacity_gb":        capability.OfFloat(a.volume.total - used),
		"provisioned_capacity_gb": capability.OfFloat(used),
		"total_volumes":           capability.OfInt(int64(volumes)),
		"load_percent":            capability.OfInt(int64(a.burst.chance.IntN(100))),
		"metrics_status":          capability.OfString("ok"),
		"metrics_agent":           capability.OfString("poolcast"),
	}
	live := set.Clone()
	delete(live, "volume_backend_name")
	a.sample = capability.Report{
		Host: a.host, Backend: strings.TrimPrefix(a.host, "ctl1@"), Pool: "gold",
		CollectedAt: time.Now(), Status: capability.OK, Capabilities: set, LiveKeys: live.SortedKeys(),
	}
}

// update is the end of a poll.
func (a *burstArray) update() {
	if a.burst.agent != nil {
		a.updated = a.sample
		a.burst.agent.Update(a.sample)
	}
}

// forward takes every message of the exchange to the scheduler.
func (b *burst) forward(body []byte) {
	for _, a := range b.arrays {
		if bytes.Contains(body, []byte(capability.KeyMetricsAgent)) && bytes.Contains(body, []byte(a.host)) {
			body = a.spoil(body)
		}
	}
	b.cinder.report(b.t, time.Now(), body)
}

// The fields of a message that a variant changes, as they are in the envelope.
var (
	stampField       = regexp.MustCompile(`\\"timestamp\\":\\"[^\\]*\\"`)
	provisionedField = regexp.MustCompile(`\\"provisioned_capacity_gb\\":[0-9.]+`)
)

// spoil puts a variant's fault into a message of the agent.
func (a *burstArray) spoil(body []byte) []byte {
	switch a.burst.variant {
	case collectionStamp: // or just above what the scheduler has taken already
		for _, least := range []time.Time{a.updated.CollectedAt.UTC().Truncate(time.Microsecond), a.base.Add(time.Microsecond)} {
			if least.After(a.stamp) {
				a.stamp = least
			}
		}
		return stampField.ReplaceAllLiteral(body, fmt.Appendf(nil, `\"timestamp\":\"%s\"`, a.stamp.Format(stampFormat)))
	case olderCapacity:
		provisioned, _ := a.updated.Capabilities["provisioned_capacity_gb"].Float()
		return provisionedField.ReplaceAllLiteral(body, fmt.Appendf(nil, `\"provisioned_capacity_gb\":%.1f`, provisioned))
	}
	return body
}
