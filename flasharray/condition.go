package flasharray

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
)

const (
	// podsPerRequest fits the budget of a sample: a pod has 1.6 KB, and the response
	// an aggregate of the same size.
	podsPerRequest = 1
	// maxPods are counted. With more, a pass over them would take too long.
	maxPods = 16
	// linksPerRequest fits the budget as well: a link has 0.7 KB.
	linksPerRequest = 4
	maxReplicaLinks = 32
	// maxControllers bounds the list; two are of the array, the others of shelves.
	maxControllers = 20
)

// errTooMany means that a list is too long to be read.
var errTooMany = errors.New("too many to be counted")

// other stands for a status that the API did not define when this was written, so
// that the number of statuses is bounded.
const other = "other"

var (
	// Of a pod's array (FA2.4.spec.yaml, _pod_array_status).
	mediatorStatuses = []string{"online", "unreachable", "flummoxed", "unknown"}
	// Of a link (FA2.4.spec.yaml, PodReplicaLinkLag).
	replicaLinkStatuses = []string{"replicating", "baselining", "paused", "quiescing", "quiesced", "idle", "unhealthy"}
)

func reading[T any](value T, every time.Duration) capability.Reading[T] {
	return capability.Reading[T]{Value: value, At: time.Now(), Every: every}
}

// alerts counts the open alerts of a severity.
func alerts(severity string, of func(*capability.Condition) *capability.Reading[int64]) func(*sampler, context.Context) (bool, error) {
	every := seldom
	if severity == "critical" {
		every = often
	}
	return func(s *sampler, ctx context.Context) (bool, error) {
		query := url.Values{
			"total_item_count": {"true"}, "filter": {"state='open' and severity='" + severity + "'"},
			"limit": {cmp.Or(s.cache.limits["volumes"], "0")}, // what has counted volumes
		}
		n, err := s.countOnce(ctx, "alerts", query)
		if err != nil {
			return true, err
		}
		*of(&s.rotation.condition) = reading(*n, every)
		return true, nil
	}
}

// decodeControllers reads the controllers of the array. One whose type is missing is
// taken for one of those.
func decodeControllers(items []object) []capability.Controller {
	var list []capability.Controller
	for _, o := range items {
		if o.text("type") == "shelf_controller" {
			continue
		}
		list = append(list, capability.Controller{
			Name: o.text("name"), Mode: o.text("mode"), Status: o.text("status"), Model: o.text("model"), Version: o.text("version"),
		})
	}
	return list
}

// pass reads a list over several samples, a few objects in each.
type pass[T any] struct {
	began  time.Time
	offset int64
	sum    T
}

// reading is the result of a pass. A long one is repeated less often.
func (p pass[T]) reading() capability.Reading[T] {
	return reading(p.sum, seldom+time.Since(p.began))
}

// readPage reads the next objects of a pass and reports whether they are the last
// ones. A list of more than most objects is not read.
func (s *sampler) readPage(ctx context.Context, path string, query url.Values, offset int64, limit, most int) (items []object, last bool, err error) {
	var warnings []error
	query.Set("limit", strconv.Itoa(limit))
	query.Set("total_item_count", "true")
	if offset > 0 {
		query.Set("offset", strconv.FormatInt(offset, 10))
	}
	p, err := s.getPage(ctx, path, query, &warnings)
	if err != nil {
		return nil, false, err
	}
	total := p.int("total_item_count")
	if err := errors.Join(warnings...); err != nil {
		return nil, false, err
	}
	switch {
	case total == nil:
		return nil, false, fmt.Errorf("GET %s: %w", path, errNotCounted)
	case *total > int64(most):
		return nil, false, fmt.Errorf("GET %s: %d are %w; the most is %d", path, *total, errTooMany, most)
	}
	// Objects that were removed meanwhile leave an empty page at the end.
	return p.items, len(p.items) == 0 || offset+int64(len(p.items)) >= *total, nil
}

// mediators counts the stretched pods by the status of their mediator. Pods of one
// array need no mediator.
func (s *sampler) mediators(ctx context.Context) (bool, error) {
	r := s.rotation
	query := url.Values{"destroyed": {"false"}, "filter": {"array_count>1"}, "sort": {"name"}}
	pods, last, err := s.readPage(ctx, "pods", query, r.mediators.offset, podsPerRequest, maxPods)
	if err != nil {
		r.mediators = pass[map[string]int64]{}
		return true, err
	}
	if r.mediators.sum == nil {
		r.mediators.began, r.mediators.sum = time.Now(), map[string]int64{}
	}
	for _, pod := range pods {
		r.mediators.sum[s.mediatorStatus(pod)]++
	}
	r.mediators.offset += int64(len(pods))
	if last {
		r.condition.Mediators = r.mediators.reading()
		r.mediators = pass[map[string]int64]{}
	}
	return last, nil
}

// mediatorStatus is that of this array; the others of the pod report their own.
func (s *sampler) mediatorStatus(pod object) string {
	id := s.cache.identity
	for _, raw := range pod.list("arrays") {
		a := parseObject(raw, "pods.arrays", pod.warnings)
		if a.text("id") == id.ID || a.text("id") == "" && a.text("name") == id.Name {
			return known(a.text("mediator_status"), mediatorStatuses)
		}
	}
	return "unknown"
}

// known returns a status that is in the list, and a replacement for any other.
func known(status string, statuses []string) string {
	switch {
	case status == "":
		return "unknown"
	case slices.Contains(statuses, status):
		return status
	}
	return other
}

// replicaLinks reads the lag of the links of pods. The array reports milliseconds.
func (s *sampler) replicaLinks(ctx context.Context) (bool, error) {
	r := s.rotation
	items, last, err := s.readPage(ctx, "pod-replica-links/lag", url.Values{}, r.replicaLinks.offset, linksPerRequest, maxReplicaLinks)
	if err != nil {
		r.replicaLinks = pass[capability.ReplicaLinks]{}
		return true, err
	}
	sum := &r.replicaLinks.sum
	if sum.Statuses == nil {
		r.replicaLinks.began, sum.Statuses = time.Now(), map[string]int64{}
	}
	for _, o := range items {
		sum.Statuses[known(o.text("status"), replicaLinkStatuses)]++
		if lag := o.object("lag").int("max"); lag != nil {
			if d := time.Duration(min(*lag, maxLag)) * time.Millisecond; sum.MaxLag == nil || d > *sum.MaxLag {
				sum.MaxLag = &d
			}
		}
	}
	r.replicaLinks.offset += int64(len(items))
	if last {
		r.condition.ReplicaLinks = r.replicaLinks.reading()
		r.replicaLinks = pass[capability.ReplicaLinks]{}
	}
	return last, nil
}

// maxLag, in milliseconds, is what a time.Duration can hold.
const maxLag = int64(1<<63-1) / int64(time.Millisecond)
