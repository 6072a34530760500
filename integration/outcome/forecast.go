package outcome

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/poolcast/poolcast/collector"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/rehearsal"
)

// burstRate is how many creates a minute make a wave a burst.
const burstRate = 10

// Forecast is what `rehearse` predicts of a burst, and what happened.
type Forecast struct {
	At        time.Duration
	Creates   int
	Predicted float64 // share of the creates that the array with the most of them gets
	Measured  float64
}

// forecast rehearses the creates of a wave with the reports at its start. An operator
// has their number, their mean size and their mean load, not the single volumes.
func (p *pool) forecast(ctx context.Context, w Wave) error {
	volumes := p.in(w)
	if len(volumes) == 0 {
		return nil
	}
	reports, err := p.reports()
	if err != nil {
		return err
	}
	var gib, operations float64
	for _, v := range volumes {
		gib += float64(v.GiB) / float64(len(volumes))
		operations += v.Workload(p.seed).Operations / float64(len(volumes))
	}
	burst := rehearsal.Burst{
		Request: &cinder.Request{Size: int64(gib), Type: p.setting.volumeType()}, Count: len(volumes),
		Rate: float64(len(volumes)) / (w.To - w.From).Seconds(), Interval: PollInterval, Schedulers: 1,
		Operations: operations,
	}
	o := p.setting.options()
	setting := rehearsal.Setting{
		Name: string(p.setting), Ratio: rehearsal.AsReported, FixedRatio: fallbackRatio,
		Options: cinder.Options{
			Filters: o["scheduler_default_filters"].([]string), Weighers: o["scheduler_default_weighers"].([]string), //nolint:forcetypeassert // see options
		},
	}
	if p.setting.automatic() {
		setting.Ratio = rehearsal.Automatic
	}
	outcome, err := rehearsal.Run(ctx, reports, burst, setting)
	if err != nil {
		return fmt.Errorf("rehearse: %w", err)
	}
	p.run.Forecasts = append(p.run.Forecasts, Forecast{At: w.From, Creates: len(volumes), Predicted: mostShare(outcome.Order)})
	return nil
}

// reports are those of poolcast now, with what cinder-volume adds.
func (p *pool) reports() (reports []capability.Report, err error) {
	for _, b := range p.backends {
		if b.joins > p.now {
			continue
		}
		sample, err := b.array.sample(p.clock(), resolution)
		if err != nil {
			return nil, err
		}
		r := collector.Merge(sample, b.target)
		r.Capabilities[capability.KeyAllocatedCapacity] = capability.OfInt(b.allocated)
		reports = append(reports, r)
	}
	return reports, nil
}

// addForecasts plans the forecasts of all bursts.
func (p *pool) addForecasts(ctx context.Context) {
	for _, w := range p.scenario.Waves {
		if p.run.Arm == Poolcast && w.PerMinute >= burstRate {
			p.at(w.From, func() error { return p.forecast(ctx, w) })
		}
	}
}

// measureForecasts adds what happened.
func (p *pool) measureForecasts() {
	for _, w := range p.scenario.Waves {
		i := slices.IndexFunc(p.run.Forecasts, func(f Forecast) bool { return f.At == w.From })
		if i < 0 || w.PerMinute < burstRate {
			continue
		}
		volumes := p.in(w)
		var arrays []string
		for _, c := range p.run.Chosen {
			if slices.ContainsFunc(volumes, func(v Volume) bool { return v.Number == c.Volume }) {
				arrays = append(arrays, c.Array)
			}
		}
		p.run.Forecasts[i].Measured = mostShare(arrays)
	}
}

// in are the volumes that are created during a wave.
func (p *pool) in(w Wave) []Volume {
	return slices.DeleteFunc(slices.Clone(p.volumes), func(v Volume) bool {
		return v.Array != "" || v.At < w.From || v.At >= w.To
	})
}

// mostShare is the share of the most frequent name, 0 of none.
func mostShare(names []string) float64 {
	count, most := map[string]int{}, 0
	for _, name := range names {
		count[name]++
		most = max(most, count[name])
	}
	return float64(most) / float64(max(len(names), 1))
}
