package simulator

import (
	"strings"
)

const (
	contextSince      = 38 // items say which array answered
	resourceTypeSince = 47
	historyObjects    = 500 // most objects in one request for their history
)

// nouns are what an error calls an object of an endpoint.
var nouns = map[string]string{
	"volumes": "Volume", "volume-snapshots": "Volume snapshot", "hosts": "Host", "pods": "Pod",
	"protection-groups": "Protection group", "array-connections": "Array connection",
	"controllers": "Controller", "ports": "Port", "network-interfaces": "Network interface", "alerts": "Alert",
	"subscription-assets": "Subscription asset", "subscriptions": "Subscription",
}

// answer is the body of a list request: choose the objects, measure them if
// that is what the endpoint does, filter, sort, cut the page.
func (v *view) answer(e *endpoint, q query, version int) (object, error) {
	c, err := v.source(e, q)
	if err != nil {
		return nil, err
	}
	matched := c.chosen
	if q.filter != nil {
		matched = matched.where(func(i int) bool {
			return q.filter.holds(func(path string) (any, bool) { return c.field(i, path) })
		})
	}
	body := object{"continuation_token": nil, "total_item_count": nil}
	count := matched.size()
	if q.wantCount || q.limit == 0 {
		body["total_item_count"] = int64(count)
	}
	v.page(body, c, matched.sorted(c, q.sort), q)
	if len(q.sort) > 0 || !e.accepts("continuation_token", version) {
		body["continuation_token"] = nil // to be paged by offset
	}
	if e.total {
		body["total"] = v.total(e, c.collection, matched, q)
	}
	v.finish(body, e, version)
	return body, nil
}

// page fills in the items and how to get the next ones.
func (v *view) page(body object, c collection, order selection, q query) {
	limit := v.array.opts.PageMax
	if q.limit >= 0 {
		limit = min(q.limit, limit)
	}
	if q.totalOnly {
		limit = 0
	}
	items := []any{}
	for _, i := range order.page(q.offset, limit) {
		items = append(items, c.item(i))
	}
	next := q.offset + len(items)
	more := next < order.size() && !q.totalOnly
	body["items"], body["more_items_remaining"] = items, more
	if more {
		body["continuation_token"] = makeToken(next)
	}
}

// finish hides what the version does not have and says which array answered.
func (v *view) finish(body object, e *endpoint, version int) {
	context, hasContext := e.fields.at("context")
	for _, list := range []string{"items", "total"} {
		items, _ := body[list].([]any)
		for _, item := range items {
			o, _ := item.(object)
			if hasContext && version >= context.since && list == "items" {
				o["context"] = v.context(version)
			}
			e.fields.trim(o, version)
		}
	}
	if version < 1 {
		delete(body, "continuation_token")
	}
}

// context has no id, as recorded.
func (v *view) context(version int) object {
	o := object{"id": nil, "name": v.array.fixture.Name}
	if version >= resourceTypeSince {
		o["resource_type"] = "arrays"
	}
	return o
}

// source is the objects that a request is about, as the endpoint shows them.
type source struct {
	collection
	chosen selection
}

func (v *view) source(e *endpoint, q query) (*source, error) {
	if err := v.checkContext(q); err != nil {
		return nil, err
	}
	if e.path == "arrays/space" || e.path == "arrays/performance" {
		return v.arraySource(e.path, q)
	}
	kind, measured := strings.CutSuffix(e.path, "/space")
	if !measured {
		kind, measured = strings.CutSuffix(e.path, "/performance")
	}
	base := v.collection(kind)
	chosen, err := v.choose(kind, base, q)
	if err != nil {
		return nil, err
	}
	if !measured {
		return &source{base, chosen}, nil
	}
	return v.measure(e.path, base, chosen, q)
}

func (v *view) arraySource(path string, q query) (*source, error) {
	times := []int64{v.millis()}
	if !q.window.current() {
		var err error
		if times, err = v.times(path, q.window); err != nil {
			return nil, err
		}
	}
	p := &projection{base: recorded{{"name": v.array.fixture.Name, "id": v.array.fixture.id}}, times: times}
	p.chosen = everything(p.base)
	p.build = func(_ int, t int64) object { return v.arraySample(path, t, q.fileOnly) }
	return &source{p, everything(p)}, nil
}

// measure shows objects as their samples.
func (v *view) measure(path string, base collection, chosen selection, q query) (*source, error) {
	p := &projection{base: base, chosen: chosen, times: []int64{v.millis()}, same: []string{"name", "id"}}
	if isSpace(path) {
		p.same = append(p.same, "space")
	}
	if !q.window.current() {
		var err error
		if p.times, err = v.times(path, q.window); err != nil {
			return nil, err
		}
		if n := chosen.size(); n > historyObjects {
			return nil, refuse("", "History of %d objects is too much for one request: ask for at most %d by names.", n, historyObjects)
		}
	}
	p.build = func(i int, t int64) object {
		if isSpace(path) {
			return v.spaceSample(base, i, t)
		}
		return v.performanceSample(path, base, i, t)
	}
	return &source{p, everything(p)}, nil
}

// checkContext accepts this array as the only member of its fleet.
func (v *view) checkContext(q query) error {
	for _, name := range q.contexts {
		if !strings.EqualFold(name, v.array.fixture.Name) {
			return refuse(name, "Context does not exist.")
		}
	}
	return nil
}
