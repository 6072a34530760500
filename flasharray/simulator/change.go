package simulator

import (
	"net/http"
	"net/url"
	"strings"
)

// A recording never changes. A request that would change the array is answered
// as by an array on which it was done before, if it was, and is forbidden
// otherwise. That is enough for the Cinder driver's do_setup with replication.

// already is what an array says of something that was done before.
var already = map[string]string{
	"POST pods":                       "Pod already exists.",
	"POST pods/arrays":                "Array already exists in the pod.",
	"POST protection-groups":          "Protection group already exists.",
	"POST protection-groups/targets":  "Protection group already includes the target.",
	"PATCH protection-groups/targets": "Target protection group is already allowed on the array.",
}

func (a *Array) change(r *http.Request, version int, path string) *reply {
	e, exists := a.schema[path]
	if !exists || e.since > version {
		return notFound(r.URL.Path)
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return badRequest(refuse("", "Invalid query string."))
	}
	v := a.view()
	done, name := v.done(path, values)
	text := already[r.Method+" "+path]
	switch {
	case done != nil && text != "":
		return failure(http.StatusBadRequest, name, text)
	case done != nil && r.Method == http.MethodPatch:
		body := object{"items": done}
		v.finish(body, e, version)
		return ok(body)
	}
	return &reply{status: http.StatusForbidden, body: object{"message": "This array plays back what was recorded; it cannot be changed."}}
}

// done finds the recorded objects that a change speaks of, or nothing if one is
// missing, and the first one's name.
func (v *view) done(path string, values url.Values) (found []any, name string) {
	items := recorded(v.frame.responses[path])
	if groups := values.Get("group_names"); groups != "" {
		return v.doneMembers(items, strings.Split(groups, ","), values.Get("member_names")), groups
	}
	names := strings.Split(values.Get("names"), ",")
	for _, n := range names {
		i, ok := items.find("name", n)
		if !ok {
			return nil, n
		}
		found = append(found, items.item(i))
	}
	return found, names[0]
}

// doneMembers finds group and member pairs; without members, any will do.
func (v *view) doneMembers(items recorded, groups []string, members string) []any {
	var found []any
	for _, o := range items {
		if among(groups, textAt(o, "group.name")) && (members == "" || among(strings.Split(members, ","), textAt(o, "member.name"))) {
			found = append(found, clone(o))
		}
	}
	return found
}
