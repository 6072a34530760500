package decision

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/publisher"
	"github.com/poolcast/poolcast/publisher/status"
)

// noValidBackend is the exception of a scheduler that finds no backend.
const noValidBackend = "NoValidBackend"

// The labels of a failed create without a filter.
const (
	FilterNone  = "none"  // a backend fits now
	FilterOther = "other" // there is no decision, or the filter is none of the configured ones
)

const (
	// maxExplanation bounds the explanation of a failure, in characters.
	maxExplanation = 700
	// maxRefusals bounds the backends of an explanation.
	maxRefusals = 32
)

// ExplainFailure decides again on a volume for which a scheduler has found no backend.
// The pools are the configured logical pools. Nothing that it returns has an id of a
// project or a user.
func ExplainFailure(c *Cloud, f publisher.Failure, pools []string, now time.Time) (status.Failure, status.FailureCount) {
	e := explanation{cloud: c, failure: f, count: status.FailureCount{Filter: FilterOther}}
	e.out = status.Failure{
		ReceivedAt: now, Operation: f.Operation, VolumeID: f.VolumeID, VolumeType: f.Type, Size: f.Size,
		Zones: append([]string{}, f.Zones...), Fits: []string{}, Refused: []status.FailureRefusal{},
	}
	text := e.explain(pools)
	e.out.Explanation = text
	e.hidePrivate()
	e.out.Explanation = format.Shorten(format.Printable(e.out.Explanation), maxExplanation)
	return e.out, e.count
}

// explanation is how a failure is explained.
type explanation struct {
	cloud   *Cloud
	failure publisher.Failure
	out     status.Failure
	count   status.FailureCount
	notes   []string // on labels of backends that fit
}

func (e *explanation) explain(pools []string) string {
	f := e.failure
	if f.Operation != publisher.CreateVolume {
		return "the scheduler refused it; only creates are explained"
	}
	request, err := failedRequest(f)
	if err != nil {
		return fmt.Sprintf("cannot be explained: %v", err)
	}
	e.count.Pool = requiredPool(request, pools)
	switch {
	case f.Exception != "" && f.Exception != noValidBackend:
		return "the scheduler failed with " + f.Exception + "; its log has the reason"
	case f.Attempts:
		return "cinder-volume failed to create it on each backend that the scheduler chose (scheduler_max_attempts); the log of cinder-volume has the reasons"
	case len(e.cloud.Backends.Reports) == 0:
		return "cannot be explained: there is no report of a backend yet"
	}
	answer, err := e.cloud.Place(request, 1, "strict")
	if err != nil {
		return fmt.Sprintf("cannot be explained: %v", err)
	}
	e.sort(answer.Last(), request)
	return e.sentence()
}

// failedRequest is the request that the scheduler decided on.
func failedRequest(f publisher.Failure) (*cinder.Request, error) {
	r := &cinder.Request{Size: f.Size, Zones: f.Zones, Properties: f.Properties, QoS: f.QoS}
	if f.Type == "" && len(f.ExtraSpecs) == 0 {
		return r, nil
	}
	r.Type = &cinder.VolumeType{Name: f.Type}
	if len(f.ExtraSpecs) > 0 {
		if err := json.Unmarshal(f.ExtraSpecs, &r.Type.ExtraSpecs); err != nil {
			return nil, errors.New("the extra specs of its type cannot be read")
		}
	}
	return r, nil
}

// requiredPool is the logical pool that the type of a request requires, "" for none
// or for one that is not configured.
func requiredPool(r *cinder.Request, pools []string) string {
	if r.Type == nil {
		return ""
	}
	for _, spec := range r.Type.ExtraSpecs {
		key := strings.TrimPrefix(spec.Key, "capabilities:")
		if key == capability.KeyVolumeBackendName && spec.Value != nil && slices.Contains(pools, *spec.Value) {
			return *spec.Value
		}
	}
	return ""
}

// sort puts the backends of the decision into the result. Those of other pools are
// counted, and those of other zones come last: their refusals are no news.
func (e *explanation) sort(d *placement.Decision, request *cinder.Request) {
	refusal := func(v *placement.Verdict) status.FailureRefusal { return e.refusal(v, request) }
	var fitting []capability.Report
	var near, far []status.FailureRefusal
	for i := range d.Verdicts {
		v := &d.Verdicts[i]
		report := v.Backend.Report()
		switch {
		case v.Fits():
			e.out.Fits, fitting = append(e.out.Fits, format.Printable(report.Name())), append(fitting, *report)
		case e.count.Pool != "" && report.Pool != e.count.Pool:
			e.out.OtherPools++
		case v.RefusedBy == cinder.AvailabilityZoneFilter:
			far = append(far, refusal(v))
		default:
			near = append(near, refusal(v))
		}
	}
	e.notes = e.cloud.LabelNotes(request, fitting)
	e.count.Filter = e.label(near)
	if len(near) == 0 {
		e.count.Filter = e.label(far)
	}
	if len(e.out.Fits) > 0 {
		e.count.Filter = FilterNone
	}
	all := slices.Concat(near, far)
	e.out.Refused = append(e.out.Refused, all[:min(len(all), maxRefusals)]...)
}

// refusal is why a backend is refused: every condition of the filter that is not met,
// and which of its numbers are labels of cinder.conf.
func (e *explanation) refusal(v *placement.Verdict, request *cinder.Request) status.FailureRefusal {
	r := v.Backend.Report()
	var reasons []string
	for _, one := range v.Refusals() {
		if !one.Later {
			reasons = append(reasons, e.cloud.withLabels(request, r, one.Reason))
		}
	}
	return status.FailureRefusal{
		Backend: format.Printable(r.Name()), Filter: v.RefusedBy, Reason: format.Printable(strings.Join(reasons, ", ")),
	}
}

// label is the filter that refused most backends: of several, the first by name. It is
// one of the scheduler's filters, so that a metric has few values.
func (e *explanation) label(refused []status.FailureRefusal) string {
	counts := map[string]int{}
	for _, r := range refused {
		counts[r.Filter]++
	}
	label := FilterOther
	for _, name := range FailureFilters(e.cloud.Scheduler) {
		switch n := counts[name]; {
		case n == 0:
		case label == FilterOther, n > counts[label], n == counts[label] && name < label:
			label = name
		}
	}
	return label
}

// FailureFilters are the filters that can be the label of a failed create, besides
// [FilterNone] and [FilterOther].
func FailureFilters(s config.Scheduler) []string {
	return append([]string{ServiceState}, s.Filters...)
}

// sentence is the result in one line.
func (e *explanation) sentence() string {
	var reasons []string
	for _, r := range e.out.Refused {
		reasons = append(reasons, r.Backend+" "+cmp.Or(r.Reason, r.Filter))
	}
	if e.out.OtherPools > 0 {
		reasons = append(reasons, format.Count(e.out.OtherPools, "backend")+" of other pools")
	}
	var parts []string
	if len(e.out.Fits) > 0 {
		parts = append(parts, fitsNow(e.out.Fits))
	}
	if refused := strings.Join(reasons, "; "); refused != "" || len(parts) == 0 {
		parts = append(parts, "refused: "+refused)
	}
	return strings.Join(append(parts, e.notes...), "; ")
}

func fitsNow(names []string) string {
	verb := "fits"
	if len(names) > 1 {
		verb = "fit"
	}
	return format.List(names) + " " + verb + " now: " + status.FitsNow
}
