package simulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/flasharray/simulator"
)

func TestPagesByToken(t *testing.T) {
	l := newEnvironment(t, "flasharray-x-02", simulator.Options{PageMax: 100})
	l.array.SetFrame(0) // the counts of another frame differ
	want := *l.get("volumes?limit=0").Count
	seen, pages, path := map[string]bool{}, 0, "volumes"
	for {
		r := l.request(path)
		var p page
		l.decode(r, &p)
		pages++
		for _, v := range p.Items {
			seen[v["name"].(string)] = true
		}
		if p.Count != nil {
			t.Errorf("total_item_count is %d without the parameter", *p.Count)
		}
		if p.NextToken == nil {
			if *p.More || r.header.Get("x-next-token") != "" {
				t.Error("the last page says that there is more")
			}
			break
		}
		if got := r.header.Get("x-next-token"); got != *p.NextToken || len(p.Items) != 100 {
			t.Fatalf("page of %d with header token %q, body token %q", len(p.Items), got, *p.NextToken)
		}
		path = "volumes?continuation_token=" + url.QueryEscape(*p.NextToken)
	}
	if len(seen) != want || pages != (want+99)/100 {
		t.Errorf("saw %d volumes on %d pages, want %d", len(seen), pages, want)
	}
}

func TestListParameters(t *testing.T) {
	l := newEnvironment(t, "flasharray-r-01", simulator.Options{})
	first := func(path, field string) any { t.Helper(); return l.get(path).Items[0][field] }
	if p := l.get("volumes?limit=5000&total_item_count=true"); len(p.Items) != *p.Count || *p.More {
		t.Errorf("limit above the maximum: %d of %d", len(p.Items), *p.Count)
	}
	if p := l.get("volumes?sort=provisioned-,name&limit=2"); p.NextToken != nil || num(p.Items[0], "provisioned") < num(p.Items[1], "provisioned") {
		t.Errorf("sort gives a token or the wrong order: %+v", p)
	}
	if a, b := first("volumes?sort=created-&limit=1", "name"), first("volumes?sort=-created&limit=1", "name"); a != b {
		t.Errorf("suffix and prefix minus differ: %v and %v", a, b)
	}
	if p := l.get("hosts?filter=not%20is_local"); len(p.Items) != 2 || space(p.Items[0])["total_physical"] != nil {
		t.Errorf("remote hosts are %v", p.Items)
	}
	if p := l.get("volumes?total_only=true"); len(p.Items) != 0 || len(p.Total) != 1 || *p.More {
		t.Errorf("total_only gives %d items and %d totals", len(p.Items), len(p.Total))
	}
	source := first("volume-snapshots?limit=1", "source").(map[string]any)["name"].(string)
	for _, s := range l.get("volume-snapshots?source_names=" + source).Items {
		if s["source"].(map[string]any)["name"] != source {
			t.Errorf("source_names gives %v", s["source"])
		}
	}
	if p := l.get("ports?names=VIR0,ct0.eth4"); len(p.Items) != 1 || p.Items[0]["name"] != "CT0.ETH4" {
		t.Errorf("ports by name: %v", p.Items)
	}
	if p := l.get("protection-groups/targets?group_names=cinder-group"); len(p.Items) != 2 || p.Items[0]["allowed"] != true {
		t.Errorf("targets of cinder-group: %v", p.Items)
	}
}

func TestRequestErrors(t *testing.T) {
	l := newEnvironment(t, "flasharray-x-01", simulator.Options{})
	for path, want := range map[string]struct {
		status  int
		message string
	}{
		"volumes?names=nobody":                              {400, "Volume does not exist."},
		"volumes?names=volume-1234-cinder":                  {400, "does not exist"},
		"volume-snapshots?ids=x":                            {400, "does not exist"},
		"volumes?limit=-1":                                  {400, "Invalid value"},
		"volumes?limit=many":                                {400, "Invalid value"},
		"volumes?sort=colour":                               {400, "Invalid sort field"},
		"volumes?destroyed=perhaps":                         {400, "true or false"},
		"volumes?continuation_token=%21":                    {400, "Invalid continuation token"},
		"volumes?colour=red":                                {400, "Invalid query parameter"},
		"hosts?total_only=true":                             {400, "Invalid query parameter"},
		"arrays/performance?continuation_token=djE6MQ==":    {400, "Invalid query parameter"},
		"arrays?context_names=elsewhere":                    {400, "Invalid query parameter"}, // since 2.38
		"arrays/space?resolution=30000":                     {400, "Invalid resolution"},
		"volumes/performance?resolution=1000":               {400, "Invalid resolution"},
		"volumes/performance?resolution=30000":              {400, "at most 500"},
		"arrays/performance?start_time=2&end_time=1":        {400, "start_time is after end_time"},
		"arrays/performance?start_time=yesterday":           {400, "Invalid value"},
		"arrays/performance?protocol=smoke":                 {400, "Invalid value"},
		"volumes?filter=" + url.QueryEscape("colour='red'"): {400, "unknown field"},
		"nothing":          {404, "Not found"},
		"volumes/nothing":  {404, "Not found"},
		"arrays/erasures/": {404, "Not found"},
	} {
		r := l.request(path)
		var body struct {
			Errors []struct{ Context, Message string }
		}
		if err := json.Unmarshal(r.body, &body); err != nil || len(body.Errors) != 1 {
			t.Errorf("%s: body %s", path, r.body)
			continue
		}
		if r.status != want.status || !strings.Contains(body.Errors[0].Message, want.message) {
			t.Errorf("%s: %d %q, want %d %q", path, r.status, body.Errors[0].Message, want.status, want.message)
		}
	}
}

// TestVersionsHideNewerFields checks that a version has no endpoints, fields and
// parameters of later ones.
func TestVersionsHideNewerFields(t *testing.T) {
	l := newEnvironment(t, "flasharray-r-01", simulator.Options{})
	at := func(minor int, path string) response {
		return l.do("GET", fmt.Sprintf("2.%d/%s", minor, path), map[string]string{"x-auth-token": l.token})
	}
	for path, since := range map[string]int{"arrays": 2, "pods": 1, "subscriptions": 26, "array-connections": 4, "volumes": 0} {
		if r := at(since, path); r.status != http.StatusOK {
			t.Errorf("%s at 2.%d: status %d", path, since, r.status)
		}
		if since > 0 {
			if r := at(since-1, path); r.status != http.StatusNotFound {
				t.Errorf("%s at 2.%d: status %d, want 404", path, since-1, r.status)
			}
		}
	}
	for _, c := range []struct {
		path, field string
		since, old  int
	}{
		{"arrays/space?x", "space.used_provisioned", 23, 22},
		{"arrays/space?x", "space.total_used", 26, 25},
		{"arrays/space?x", "capacity_installed", 42, 41},
		{"arrays?x", "context", 38, 37},
		{"volumes?limit=1", "context.resource_type", 47, 46},
		{"volumes?limit=1", "priority", 10, 9},
		{"pods?x", "arrays.member", 36, 35},
		{"arrays/performance?x", "read_cache_hit_ratio", 51, 50},
	} {
		path := strings.TrimSuffix(c.path, "?x")
		for minor, want := range map[int]bool{c.since: true, c.old: false} {
			var p page
			l.decode(at(minor, path), &p)
			if got := has(p.Items[0], c.field); got != want {
				t.Errorf("%s at 2.%d has %s: %v, want %v", path, minor, c.field, got, want)
			}
		}
	}
	for _, path := range []string{"1.19/array", "2.12/volumes", "2.99/volumes", "x/volumes"} {
		if r := l.do("GET", path, map[string]string{"x-auth-token": l.token}); r.status != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404", path, r.status)
		}
	}
}

func has(v any, path string) bool {
	name, rest, deeper := strings.Cut(path, ".")
	if list, ok := v.([]any); ok {
		v = list[0]
	}
	o, _ := v.(map[string]any)
	child, ok := o[name]
	if ok && deeper {
		return has(child, rest)
	}
	return ok
}

// TestReplicationSetupAlreadyDone makes the requests of the Cinder driver's setup
// with replication.
func TestReplicationSetupAlreadyDone(t *testing.T) {
	l := newEnvironment(t, "flasharray-r-01", simulator.Options{})
	for _, c := range []struct {
		method, path string
		status       int
		message      string
	}{
		{"POST", "pods?names=cinder-pod", 400, "already exists"},
		{"POST", "pods/arrays?group_names=cinder-pod&member_names=flasharray-r-02", 400, "already exists"},
		{"POST", "protection-groups?names=cinder-group", 400, "already exists"},
		{"PATCH", "protection-groups?names=cinder-group", 200, `"cinder-group"`},
		{"POST", "protection-groups/targets?group_names=cinder-group&member_names=flasharray-r-02", 400, "already includes"},
		{"PATCH", "protection-groups/targets?group_names=cinder-group", 400, "already allowed on"},
		{"POST", "protection-groups?names=another", 403, "cannot be changed"},
		{"DELETE", "volumes?names=x", 403, "cannot be changed"},
		{"POST", "nothing", 404, "Not found"},
	} {
		r := l.do(c.method, l.version+"/"+c.path, map[string]string{"x-auth-token": l.token})
		if r.status != c.status || !strings.Contains(string(r.body), c.message) {
			t.Errorf("%s %s: %d %s", c.method, c.path, r.status, r.body)
		}
	}
}
