package cinder_test

import (
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

func queryEngine(t testing.TB) *placement.Engine {
	t.Helper()
	e, err := cinder.NewEngine(cinder.Options{Filters: []string{cinder.JSONFilter}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func queryBackend() capability.Report {
	return capability.Report{
		Host: "h@b", Zone: "dc1", Capabilities: capability.Set{
			"volume_backend_name": capability.OfString("gold"), "free_capacity_gb": capability.OfInt(100),
			"total_volumes": capability.OfInt(912), "labels": capability.OfSet(capability.Set{"a": capability.OfInt(1)}),
		},
	}
}

func TestQueryResults(t *testing.T) {
	e, s := queryEngine(t), cinder.NewSnapshot([]capability.Report{queryBackend()})
	for query, want := range map[string]string{
		``: "", `[]`: "", `null`: "", `false`: "", `0`: "", `{}`: "",
		`["=", "$backend_id", "h@b#gold"]`:       "",
		`["=", "$backend_id", "h@b#silver"]`:     "is false with backend_id h@b#gold",
		`["<", "$free_capacity_gb", 100]`:        "is false with free_capacity_gb 100",
		`["<=", "$free_capacity_gb", 100, 200]`:  "",
		`["in", "$pool_name", "silver", "gold"]`: "",
		`["=", 1]`:                               "is false",
		`["and"]`:                                "",
		`["or"]`:                                 "is false",
		`["not", true, false]`:                   "",
		`["and", [">", "$capabilities.total_volumes", 900], []]`: "",
		`["=", "$capabilities.labels.a", true]`:                  "",
		`["=", "$capabilities.labels", {"a": 1.0}]`:              "",
		`["=", "$service.availability_zone", "dc1"]`:             "",
		`["=", "$nothing.at.all", "", 1]`:                        "is false",
		`"=ab"`:                                                  "is false",
		`"=aa"`:                                                  "",
		`["<", [1, 2]]`:                                          `1 is not an operator`,
		`["between", 1, 2]`:                                      "between is not an operator",
		`["<", "$free_capacity_gb", "many"]`:                     "there is no order between them",
		`["=", "$host.name", 1]`:                                 "host is a string and has no name",
		`{"a": 1}`:                                               "want a list",
		`7`:                                                      "want a list",
		`["=", `:                                                 "read query",
		strings.Repeat(`["not",`, 500) + "1" + strings.Repeat("]", 500): "nests deeper than 200",
		`["=", "` + strings.Repeat("x", 1<<17) + `"]`:                   "more than 65536",
	} {
		_, err := e.DecideOn(s, &cinder.Request{Size: 1, Query: query})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.80s: got %v, want %q", query, err, want)
		}
	}
}

func TestInvalidQueryIsAnErrorWhenReached(t *testing.T) {
	if _, err := queryEngine(t).Decide(nil, &cinder.Request{Query: "invalid"}); err == nil || err.Error() != "0 of 0 backends fit" {
		t.Errorf("got %v", err)
	}
}

func FuzzQuery(f *testing.F) {
	for _, q := range []string{`["and", ["<", "$free_capacity_gb", 1], ["not", "$x.y"]]`, `"in"`, `["=", [], {}]`, `["<", [1,[2]], [1,["a"]]]`} {
		f.Add(q)
	}
	e, s := queryEngine(f), cinder.NewSnapshot([]capability.Report{queryBackend()})
	f.Fuzz(func(t *testing.T, query string) {
		r := &cinder.Request{Size: 1, Query: query}
		d, err := e.DecideOn(s, r)
		again, errAgain := e.DecideOn(s, r)
		if (err == nil) != (errAgain == nil) || (d == nil) != (again == nil) {
			t.Fatalf("%q: first %v, then %v", query, err, errAgain)
		}
		if d != nil && d.Fit == 0 && d.Verdicts[0].Reason() == "" {
			t.Errorf("%q refuses without an explanation", query)
		}
	})
}
