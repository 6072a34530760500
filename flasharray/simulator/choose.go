package simulator

import (
	"slices"
	"strings"
)

// choose narrows objects by the parameters that name or divide them.
func (v *view) choose(kind string, c collection, q query) (selection, error) {
	chosen, err := v.named(kind, c, q)
	if err != nil {
		return nil, err
	}
	if q.destroyed != nil {
		chosen = divide(c, chosen, *q.destroyed, q.names == nil && q.ids == nil)
	}
	if q.flagged != nil {
		chosen = keep(c, chosen, "flagged", func(x any) bool { return x == *q.flagged })
	}
	for path, list := range q.related {
		chosen = keep(c, chosen, path, func(x any) bool { return among(list, x) })
	}
	return chosen, nil
}

func keep(c collection, s selection, path string, good func(any) bool) selection {
	return s.where(func(i int) bool { x, ok := c.field(i, path); return ok && good(x) })
}

func among(list []string, x any) bool {
	text, ok := x.(string)
	return ok && slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, text) })
}

// divide separates live objects from those that await eradication.
func divide(c collection, s selection, destroyed, all bool) selection {
	if g, ok := c.(*grown); ok && all {
		return g.where(destroyed)
	}
	return s.where(func(i int) bool {
		x, _ := c.field(i, "destroyed")
		dead, _ := x.(bool)
		return dead == destroyed
	})
}

// finder is a collection that knows its objects by name and id.
type finder interface {
	find(key, value string) (int, bool)
}

// named finds what is asked for by name or id; each must exist.
func (v *view) named(kind string, c collection, q query) (selection, error) {
	if q.names == nil && q.ids == nil {
		return everything(c), nil
	}
	f, _ := c.(finder)
	var chosen selection
	for _, value := range q.names {
		i, ok := f.find("name", value)
		if ok {
			chosen = append(chosen, span{i, i + 1})
		} else if kind != "ports" || !v.isInterface(value) {
			return nil, refuse(value, "%s does not exist.", nouns[kind])
		}
	}
	for _, value := range q.ids {
		i, ok := f.find("id", value)
		if !ok {
			return nil, refuse(value, "%s does not exist.", nouns[kind])
		}
		chosen = append(chosen, span{i, i + 1})
	}
	return chosen, nil
}

// isInterface lets ports be asked for by the name of an interface that serves
// none, as the Cinder driver does with every virtual interface.
func (v *view) isInterface(name string) bool {
	_, ok := recorded(v.frame.responses["network-interfaces"]).find("name", name)
	return ok
}
