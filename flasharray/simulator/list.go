package simulator

import (
	"cmp"
	"slices"
	"strings"
)

const (
	contextSince      = 38 // since when items name their array
	resourceTypeSince = 47
	historyObjects    = 500 // maximum for one request for history
)

// nouns name an object of an endpoint in errors.
var nouns = map[string]string{
	"volumes": "Volume", "volume-snapshots": "Volume snapshot", "hosts": "Host", "pods": "Pod",
	"protection-groups": "Protection group", "array-connections": "Array connection",
	"controllers": "Controller", "ports": "Port", "network-interfaces": "Network interface", "alerts": "Alert",
	"subscription-assets": "Subscription asset", "subscriptions": "Subscription",
	"drives": "Drive", "hardware": "Hardware component", "directories": "Directory",
	"volume-groups": "Volume group", groupSnapshots: "Protection group snapshot", groupTransfers: "Protection group snapshot",
	containers: "Container",
}

// listBody is the body of the response to a list request: choose the objects,
// replace them by their samples where the endpoint requires it, filter, sort, and
// select the page.
func (v *view) listBody(e *endpoint, q query, version int) (object, error) {
	c, err := v.source(e, q)
	if err != nil {
		return nil, err
	}
	matched := c.chosen
	if q.filter != nil {
		matched = matched.where(func(i int) bool {
			return q.filter(func(path string) (any, bool) { return c.field(i, path) })
		})
	}
	body := object{"continuation_token": nil, "total_item_count": nil}
	count := matched.size()
	if q.wantCount || q.limit == 0 {
		body["total_item_count"] = int64(count)
	}
	v.page(body, c, matched.sorted(c, q.sort), q)
	if len(q.sort) > 0 || !e.accepts("continuation_token", version) {
		body["continuation_token"] = nil // clients use offset
	}
	if e.total {
		body["total"] = v.total(e, c.collection, matched, q)
	}
	v.finish(body, e, version)
	return body, nil
}

// page sets the items and how to request the next ones.
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

// finish removes what the version does not have and adds the context.
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
	for _, member := range e.lacks {
		delete(body, member)
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

// source is the objects of a request, as the endpoint returns them.
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
	kind, measured := kindOf(e.path)
	base := v.collection(kind)
	chosen, err := v.choose(kind, base, q)
	switch {
	case err != nil:
		return nil, err
	case e.path == balancePath:
		list := v.balance(base, chosen)
		return &source{list, everything(list)}, nil
	case measured:
		return v.samplesOf(e.path, base, chosen, q)
	}
	return &source{base, chosen}, nil
}

const (
	balancePath     = "hosts/performance/balance"
	replicationPath = "pods/performance/replication"
)

// kindOf is the endpoint whose objects an endpoint has values of.
func kindOf(path string) (kind string, measured bool) {
	for _, suffix := range []string{"/space", "/performance"} {
		if kind, ok := strings.CutSuffix(path, suffix); ok {
			return kind, true
		}
	}
	switch path {
	case balancePath, replicationPath:
		kind, _, _ = strings.Cut(path, "/")
		return kind, true
	}
	return path, false
}

func (v *view) arraySource(path string, q query) (*source, error) {
	times, err := v.times(path, q.window)
	if err != nil {
		return nil, err
	}
	p := &projection{base: recorded{{"name": v.array.fixture.Name, "id": v.array.fixture.id}}, times: times}
	p.chosen = everything(p.base)
	p.build = func(_ int, t int64) object { return v.arraySample(path, t, q.fileOnly) }
	return &source{p, everything(p)}, nil
}

// samplesOf replaces objects by their samples.
func (v *view) samplesOf(path string, base collection, chosen selection, q query) (*source, error) {
	times, err := v.times(path, q.window)
	if err != nil {
		return nil, err
	}
	if n := chosen.size(); n > historyObjects && !q.window.current() {
		return nil, refuse("", "History of %d objects is too much for one request: ask for at most %d by names.", n, historyObjects)
	}
	p := &projection{base: base, chosen: chosen, times: times}
	if path != replicationPath {
		p.same = []string{"name", "id"}
	}
	if isSpace(path) {
		p.same = append(p.same, "space")
	}
	p.build = func(i int, t int64) object {
		switch {
		case isSpace(path):
			return v.spaceSample(base, i, t)
		case path == replicationPath:
			return v.replicationSample(base, i, t)
		case path == "network-interfaces/performance":
			return v.interfaceSample(i, t)
		}
		return v.performanceSample(path, base, i, t)
	}
	all := everything(p)
	if changing, ok := base.(sized); ok { // a volume has no samples from before its creation
		all = all.where(func(i int) bool { return changing.exists(p.chosen.at(i/len(times)), times[i%len(times)]) })
	}
	return &source{p, all}, nil
}

// checkContext accepts this array only, as the only member of its fleet.
func (v *view) checkContext(q query) error {
	for _, name := range q.contexts {
		if !strings.EqualFold(name, v.array.fixture.Name) {
			return refuse(name, "Context does not exist.")
		}
	}
	return nil
}

// choose selects objects by the parameters for names, ids and flags.
func (v *view) choose(kind string, c collection, q query) (selection, error) {
	chosen, err := v.named(kind, c, q)
	if err == nil {
		err = v.checkRelated(kind, q)
	}
	if err != nil {
		return nil, err
	}
	if q.destroyed != nil {
		chosen = byDestroyed(c, chosen, *q.destroyed, q.names == nil && q.ids == nil)
	}
	if q.resourceDestroyed != nil {
		chosen = v.ofResources(c, chosen, *q.resourceDestroyed)
	}
	if q.flagged != nil {
		chosen = whereField(c, chosen, "flagged", func(x any) bool { return x == *q.flagged })
	}
	for path, list := range q.related {
		chosen = whereField(c, chosen, path, func(x any) bool { return containsFold(list, x) })
	}
	return chosen, nil
}

// relatedKinds are the tables of what the parameters of a writable array's lists
// name, by table and path.
var relatedKinds = map[string]map[string]string{
	"connections":  {"host.name": "hosts", "volume.name": "volumes", "volume.id": "volumes"},
	"volumes/tags": {"resource.name": "volumes", "resource.id": "volumes"},
	groupVolumes:   {"group.name": "protection-groups", "member.name": "volumes", "member.id": "volumes"},
	groupTargets:   {"group.name": "protection-groups"},
	"pods/arrays":  {"group.name": "pods"},
}

// checkRelated refuses the name of a related object that does not exist.
func (v *view) checkRelated(kind string, q query) error {
	for path, list := range q.related {
		related := relatedKinds[kind][path]
		if v.state == nil || related == "" {
			continue
		}
		_, key, _ := strings.Cut(path, ".")
		for _, value := range list {
			if _, exists := recorded(v.frame.responses[related]).find(key, value); !exists {
				return refuse(value, "%s does not exist.", nouns[related])
			}
		}
	}
	return nil
}

// ofResources selects tags of live volumes, or of destroyed ones.
func (v *view) ofResources(c collection, s selection, destroyed bool) selection {
	volumes := recorded(v.frame.responses["volumes"])
	return s.where(func(i int) bool {
		id, _ := c.field(i, "resource.id")
		text, _ := id.(string)
		at, ok := volumes.find("id", text)
		return ok && isDestroyed(volumes[at]) == destroyed
	})
}

func whereField(c collection, s selection, path string, good func(any) bool) selection {
	return s.where(func(i int) bool { x, ok := c.field(i, path); return ok && good(x) })
}

func containsFold(list []string, x any) bool {
	text, ok := x.(string)
	return ok && slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, text) })
}

// byDestroyed selects live objects, or those that await eradication. all says
// that s is the whole collection.
func byDestroyed(c collection, s selection, destroyed, all bool) selection {
	if p, ok := c.(*partlyGenerated); ok && all {
		return p.byDestroyed(destroyed)
	}
	return s.where(func(i int) bool {
		x, _ := c.field(i, "destroyed")
		is, _ := x.(bool)
		return is == destroyed
	})
}

// finder is a collection that finds objects by name and id.
type finder interface {
	find(key, value string) (int, bool)
}

// named selects objects by name or id; each must exist.
func (v *view) named(kind string, c collection, q query) (selection, error) {
	if q.names == nil && q.ids == nil {
		return everything(c), nil
	}
	if kind == groupTransfers {
		return v.namedTransfers(c, q)
	}
	f, _ := c.(finder)
	var chosen selection
	for n, value := range slices.Concat(q.names, q.ids) {
		key := "name"
		if n >= len(q.names) {
			key = "id"
		}
		if i, ok := f.find(key, value); ok {
			chosen = append(chosen, span{i, i + 1})
		} else if key == "id" || kind != "ports" || !v.isInterface(value) {
			return nil, refuse(value, "%s does not exist.", cmp.Or(nouns[kind], "Object"))
		}
	}
	return chosen, nil
}

// namedTransfers selects transfers by the names of snapshots or of protection
// groups, as the Cinder driver sends.
func (v *view) namedTransfers(c collection, q query) (selection, error) {
	groups := recorded(v.frame.responses["protection-groups"])
	for i, name := range q.names {
		name = strings.TrimSuffix(name, ".*") // all of a group
		q.names[i] = name
		_, isGroup := groups.find("name", name)
		_, isSnapshot := recorded(v.frame.responses[groupSnapshots]).find("name", name)
		if !isGroup && !isSnapshot {
			return nil, refuse(name, "%s does not exist.", nouns[groupTransfers])
		}
	}
	return everything(c).where(func(i int) bool {
		name, _ := c.field(i, "name")
		id, _ := c.field(i, "id")
		text, _ := name.(string)
		group := text[:max(strings.LastIndexByte(text, '.'), 0)]
		return containsFold(q.names, text) || containsFold(q.names, group) || containsFold(q.ids, id)
	}), nil
}

// isInterface accepts the name of an interface without ports in a request for
// ports, as the Cinder driver sends for every virtual interface.
func (v *view) isInterface(name string) bool {
	_, ok := recorded(v.frame.responses["network-interfaces"]).find("name", name)
	return ok
}
