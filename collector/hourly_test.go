package collector

import (
	"bytes"
	"context"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/rs/zerolog"
)

// loaded is a sample that an array took at a time, with a load and latencies.
func loaded(at time.Time, load, readUsec, writeUsec int64) capability.Sample {
	s := sample()
	p := s.Performance
	p.Time, p.Age = at, 0
	p.ReadsPerSec, p.WritesPerSec = ptr[int64](1000), ptr[int64](0)
	p.UsecPerRead, p.UsecPerWrite = ptr(readUsec), ptr(writeUsec)
	p.QueueUsecPerRead = ptr(readUsec * load / 100)
	return s
}

// fullHour has an hour of samples.
func fullHour() *hourly {
	h := &hourly{}
	now := time.Now()
	for i := range 61 {
		h.add(loaded(now.Add(time.Duration(i-60)*time.Minute), 50, 1000, 500), time.Minute, ClassLimits{30, 70})
	}
	return h
}

// values adds loads that are a step apart and returns the hour.
func values(step time.Duration, loads ...int64) *hourly {
	h := &hourly{}
	begin := time.Unix(1_000_000, 0)
	for i, load := range loads {
		h.add(loaded(begin.Add(time.Duration(i)*step), load, 1000+load*10, load), step, ClassLimits{30, 70})
	}
	return h
}

func repeat(n int, load int64) []int64 { return slices.Repeat([]int64{load}, n) }

// TestHourlyPercentile: nearest rank, weighed by time.
func TestHourlyPercentile(t *testing.T) {
	upTo := func(n int64) (list []int64) {
		for i := range n {
			list = append(list, i+1)
		}
		return list
	}
	for name, c := range map[string]struct {
		hour *hourly
		want int64 // -1: absent
	}{
		"one to sixty":              {values(time.Minute, append(repeat(1, 99), upTo(60)...)...), 54},
		"older than an hour":        {values(time.Minute, append(repeat(30, 90), repeat(60, 10)...)...), 10},
		"a tenth of the time":       {values(time.Minute, append(repeat(154, 10), repeat(6, 90)...)...), 10},
		"more than a tenth":         {values(time.Minute, append(repeat(153, 10), repeat(7, 90)...)...), 90},
		"45 minutes":                {values(time.Minute, repeat(46, 20)...), 20},
		"44 minutes":                {values(time.Minute, repeat(45, 20)...), -1},
		"every five minutes":        {values(5*time.Minute, repeat(11, 20)...), 20},
		"every six: too few":        {values(6*time.Minute, repeat(9, 20)...), -1},
		"every three seconds":       {values(3*time.Second, repeat(1000, 20)...), 20},
		"every 3 s: too short":      {values(3*time.Second, repeat(800, 20)...), -1},
		"nothing":                   {&hourly{}, -1},
		"the load is not reported":  {withoutLoad(), -1},
		"the array's clock is back": {setBack(), -1},
		"another array":             {anotherArray(), -1},
	} {
		got, ok := c.hour.keys[capability.KeyHourlyLoadPercent].Int()
		if !ok {
			got = -1
		}
		if got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
		if _, classed := c.hour.keys[capability.KeyLoadClass]; classed != (c.want >= 0) {
			t.Errorf("%s: load_class is %v", name, c.hour.keys[capability.KeyLoadClass])
		}
		if n := len(c.hour.values); n > 121 {
			t.Errorf("%s: %d values are kept", name, n)
		}
	}
	h := values(time.Minute, append(repeat(99, 1), upTo(60)...)...)
	if read, _ := h.keys[capability.KeyHourlyUsecPerRead].Int(); read != 1540 {
		t.Errorf("the latency of reads is %d", read)
	}
	if write, _ := h.keys[capability.KeyHourlyUsecPerWrite].Int(); write != 54 {
		t.Errorf("the latency of writes is %d", write)
	}
}

// withoutLoad is an array that does not report queue times.
func withoutLoad() *hourly {
	h := &hourly{}
	for i := range 60 {
		s := loaded(time.Unix(int64(60*i), 0), 50, 1000, 500)
		s.Performance.QueueUsecPerRead = nil
		h.add(s, time.Minute, ClassLimits{30, 70})
	}
	if _, ok := h.keys[capability.KeyHourlyUsecPerRead]; !ok {
		return fullHour() // fails the test
	}
	return h
}

func setBack() *hourly {
	h := fullHour()
	h.add(loaded(time.Now().Add(-30*time.Minute), 50, 1000, 500), time.Minute, ClassLimits{30, 70})
	h.add(loaded(time.Now().Add(-29*time.Minute), 50, 1000, 500), time.Minute, ClassLimits{30, 70})
	return h
}

func anotherArray() *hourly {
	h := fullHour()
	s := loaded(time.Now().Add(time.Minute), 50, 1000, 500)
	s.Identity.ID = "a-2"
	h.add(s, time.Minute, ClassLimits{30, 70})
	return h
}

// TestHourlyRepeatedSample: polls that read the same sample of the array count once.
func TestHourlyRepeatedSample(t *testing.T) {
	h := &hourly{}
	begin := time.Unix(1_000_000, 0)
	for i := range 1300 { // every three seconds for 65 minutes; the array's samples are 30 s apart
		at := begin.Add(time.Duration(3*i) * time.Second).Truncate(30 * time.Second)
		h.add(loaded(at, int64(i/10), 1000, 500), 3*time.Second, ClassLimits{30, 70})
	}
	if n := len(h.values); n != 120 {
		t.Errorf("%d values, want 120", n)
	}
	if bytes := cap(h.values) * int(reflect.TypeFor[hourValue]().Size()); bytes > 8<<10 {
		t.Errorf("the history of one array has %d bytes", bytes)
	}
	if load, _ := h.keys[capability.KeyHourlyLoadPercent].Int(); load != 100 {
		t.Errorf("load %d of a load that is limited to 100", load)
	}
}

// TestHourlyKeys: a running collector publishes the keys after three quarters of an
// hour, not while the array has not been read for long, and again after that.
func TestHourlyKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		a := &fakeSource{onSample: func(context.Context, int) (capability.Sample, error) {
			if down.Load() {
				return capability.Sample{}, errDown
			}
			return loaded(time.Now().Truncate(30*time.Second), 80, 2000, 700), nil
		}}
		w, log := &recorder{}, &bytes.Buffer{}
		tgt := target("fa1", a)
		tgt.Interval = 15 * time.Second
		tgt.History = &ClassLimits{30, 70}
		tgt.Stanza.Extra = capability.Set{capability.KeyLoadClass: capability.OfString("normal")}
		tgt.Stanza.Live = []string{capability.KeyLoadClass}
		c, stop := collect(t, Options{Observer: w, Log: zerolog.New(log)}, tgt)
		defer stop()
		check := func(when, class string, live bool) {
			t.Helper()
			synctest.Wait()
			r := w.last(t)
			got, _ := r.Capabilities[capability.KeyLoadClass].Str()
			if got != class || r.IsLive(capability.KeyLoadClass) != live || r.IsLive(capability.KeyHourlyLoadPercent) != live {
				t.Errorf("%s: load_class is %q, live %v; %v", when, got, r.IsLive(capability.KeyLoadClass), r.Capabilities[capability.KeyHourlyLoadPercent])
			}
		}
		time.Sleep(44 * time.Minute)
		check("young", "normal", false)
		time.Sleep(2 * time.Minute)
		check("after 46 minutes", "high", true)

		tgt.Stanza.ReservedPercentage = 10
		if err := c.Apply([]Target{tgt}); err != nil {
			t.Fatal(err)
		}
		check("after a reload", "high", true)

		down.Store(true)
		time.Sleep(30 * time.Minute)
		down.Store(false)
		time.Sleep(time.Minute)
		check("after half an hour without a sample", "normal", false)
		time.Sleep(46 * time.Minute)
		check("after 47 minutes with samples", "high", true)

		tgt.History = nil
		if err := c.Apply([]Target{tgt}); err != nil {
			t.Fatal(err)
		}
		check("switched off by a reload", "normal", false)
		stop()
		for text, want := range map[string]int{
			`"from":"none","to":"high","hourly_load_percent":80,"message":"load class changed"`: 2,
			`"from":"high","to":"none","message":"load class changed"`:                          1,
		} {
			if n := strings.Count(log.String(), text); n != want {
				t.Errorf("the log has %s %d times, want %d:\n%s", text, n, want, log)
			}
		}
	})
}

// TestHourlyKeysOfOldSample: an array whose newest performance sample is old has none.
func TestHourlyKeysOfOldSample(t *testing.T) {
	s, tgt := sample(), target("fa1", nil)
	if r := merge(s, tgt, fullHour()); !r.IsLive(capability.KeyLoadClass) {
		t.Errorf("a recent sample has no load_class: %v", r.Capabilities)
	}
	s.Performance.Age = 10 * time.Minute
	if r := merge(s, tgt, fullHour()); r.IsLive(capability.KeyLoadClass) || r.IsLive(capability.KeyHourlyLoadPercent) {
		t.Errorf("an old sample has %v", r.Capabilities)
	}
	s.Performance = nil
	if r := merge(s, tgt, fullHour()); r.IsLive(capability.KeyLoadClass) {
		t.Errorf("a sample without performance has %v", r.Capabilities)
	}
}

// TestLoadClass: the class changes five points beyond a limit, after ten minutes.
func TestLoadClass(t *testing.T) {
	for name, c := range map[string]struct {
		first, then int64
		minutes     int
		want        string
	}{
		"below the first limit": {29, 29, 60, "low"},
		"at the first limit":    {30, 30, 60, "normal"},
		"at the second limit":   {70, 70, 60, "normal"},
		"above it":              {71, 71, 60, "high"},
		"four points above":     {20, 34, 60, "low"},
		"five points above":     {20, 35, 11, "normal"},
		"not long enough":       {20, 35, 10, "low"},
		"four points below":     {30, 26, 60, "normal"},
		"five points below":     {30, 25, 11, "low"},
		"from low to high":      {20, 90, 22, "high"},
		"by one class at first": {20, 90, 11, "normal"},
		"from high to low":      {90, 0, 22, "low"},
		"four below the second": {90, 66, 60, "high"},
		"five below the second": {90, 65, 11, "normal"},
	} {
		class := loadClass{}
		limits := ClassLimits{30, 70}
		class.update(0, c.first, limits)
		for i := range c.minutes {
			class.update(int64(i+1)*60_000, c.then, limits)
		}
		if got := class.name(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// series is a random walk with noise and peaks.
func series(r *rand.Rand, n int) []int64 {
	level, noise, peaks := 100*r.Float64(), 40*r.Float64(), 0.2*r.Float64()
	drift := 3 * r.Float64()
	list := make([]int64, n)
	for i := range list {
		level = min(max(level+drift*r.NormFloat64(), 0), 100)
		v := level + noise*r.NormFloat64()
		if r.Float64() < peaks {
			v = 100 * r.Float64()
		}
		list[i] = min(max(int64(v), 0), 100)
	}
	return list
}

// TestLoadClassProperty: for any load there are at most six changes an hour, each to a
// neighbouring class; limits are respected; and an array that has at least the load of
// another one at any time never has a lower class.
func TestLoadClassProperty(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		limits := ClassLimits{Low: 5 + r.Int64N(40), High: 0}
		limits.High = limits.Low + 10 + r.Int64N(96-limits.Low-10)
		lower, higher := &hourly{}, &hourly{}
		loads := series(r, 6*120)
		var changes []int64
		level := 0
		for i, load := range loads {
			at := int64(i) * historyStep.Milliseconds()
			for h, load := range map[*hourly]int64{lower: load, higher: min(load+r.Int64N(30), 100)} {
				h.add(loaded(time.UnixMilli(at+1), load, 1000, 500), 30*time.Second, limits)
			}
			if lower.class.level > higher.class.level {
				t.Fatalf("seed %d, sample %d: the lower load has the class %s, the higher one %s", seed, i, lower.class.name(), higher.class.name())
			}
			now := lower.class.level
			if level != 0 && now != 0 && now != level {
				if now-level > 1 || level-now > 1 {
					t.Fatalf("seed %d: from %d to %d at once", seed, level, now)
				}
				changes = append(changes, at)
			}
			level = now
			checkBand(t, seed, lower, limits)
		}
		for i := 6; i < len(changes); i++ {
			if changes[i]-changes[i-6] < time.Hour.Milliseconds() {
				t.Errorf("seed %d: more than six changes within an hour, at %v", seed, changes[i-6:i+1])
			}
		}
	}
}

// checkBand checks the class of an hour that has not been on its way to another.
func checkBand(t *testing.T, seed uint64, h *hourly, limits ClassLimits) {
	t.Helper()
	load, ok := h.keys[capability.KeyHourlyLoadPercent].Int()
	if !ok || h.class.toward != 0 {
		return
	}
	switch level := h.class.level; {
	case level == 1 && load >= limits.Low+classMargin, level == 3 && load <= limits.High-classMargin,
		level == 2 && (load >= limits.High+classMargin || load <= limits.Low-classMargin):
		t.Fatalf("seed %d: the class is %s with a load of %d, limits %v", seed, h.class.name(), load, limits)
	}
}

// TestLoadClassAroundLimit: the class of a noisy load around a limit does not change in
// a day, while the load crosses the limit hundreds of times.
func TestLoadClassAroundLimit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	h := &hourly{}
	changes, crossed := 0, 0
	before, class := int64(0), 0
	for i := range 24 * 120 {
		load := min(max(int64(62+6*r.NormFloat64()), 0), 100) // the 90th percentile is about the limit
		h.add(loaded(time.UnixMilli(int64(i+1)*30_000), load, 1000, 500), 30*time.Second, ClassLimits{30, 70})
		if (load > 70) != (before > 70) {
			crossed++
		}
		if class != 0 && h.class.level != class {
			changes++
		}
		before, class = load, h.class.level
	}
	if changes > 1 || crossed < 300 {
		t.Errorf("the class changed %d times, the load crossed the limit %d times", changes, crossed)
	}
}

// BenchmarkHourly is what the history adds to a poll.
func BenchmarkHourly(b *testing.B) {
	h := &hourly{}
	s := loaded(time.UnixMilli(1), 50, 1000, 500)
	at := time.UnixMilli(1)
	loads := series(rand.New(rand.NewPCG(1, 1)), 1024)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		at = at.Add(30 * time.Second)
		s.Performance.Time = at
		usec := 100 + 17*loads[i%1024]
		s.Performance.UsecPerRead, s.Performance.QueueUsecPerRead = &usec, &loads[i%1024]
		h.add(s, 30*time.Second, ClassLimits{30, 70})
	}
}
