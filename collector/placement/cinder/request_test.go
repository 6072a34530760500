package cinder_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

func TestExtraSpecsKeepTheirOrder(t *testing.T) {
	const text = `{"b":"<= 800","a":null,"c":"x"}`
	var specs cinder.ExtraSpecs
	if err := json.Unmarshal([]byte(`{"b":"1","a":null,"b":"<= 800","c":"x"}`), &specs); err != nil {
		t.Fatal(err)
	}
	if written, err := specs.MarshalJSON(); err != nil || strings.Join(strings.Fields(string(written)), " ") != `{"b" :"<= 800" ,"a" :null ,"c" :"x" }` {
		t.Errorf("%s is written as %s (%v)", text, written, err)
	}
	sorted := cinder.ExtraSpecsOf(map[string]string{"b": "2", "a": "1"})
	if len(sorted) != 2 || sorted[0].Key != "a" || *sorted[1].Value != "2" {
		t.Errorf("specs of a map are %v", sorted)
	}
	for _, invalid := range []string{`[]`, `{"a":1}`, `"x"`} {
		if err := json.Unmarshal([]byte(invalid), &specs); err == nil {
			t.Errorf("%s is read as %v", invalid, specs)
		}
	}
	if err := json.Unmarshal([]byte(`null`), &specs); err != nil || specs != nil {
		t.Errorf("null is read as %v (%v)", specs, err)
	}
}

func TestRequestByValueAndByPointer(t *testing.T) {
	engine, err := cinder.NewEngine(cinder.Options{Weighers: []string{cinder.ChanceWeigher}})
	if err != nil {
		t.Fatal(err)
	}
	reports := []capability.Report{array("fa1", 20000, 1), array("fa2", 20000, 1)}
	request := cinder.Request{Size: 100, RandomSeed: 7}
	byValue, err := engine.Decide(reports, request)
	byPointer, errPointer := engine.Decide(reports, &request)
	if err := errors.Join(err, errPointer); err != nil || byValue.String() != byPointer.String() {
		t.Errorf("by value\n%s\nby pointer\n%s\n%v", byValue, byPointer, err)
	}
	if _, err := engine.Decide(reports, (*cinder.Request)(nil)); err == nil || !strings.Contains(err.Error(), "not a cinder.Request") {
		t.Errorf("got %v", err)
	}
}

// A decision is read back as it was written, with its request.
func TestDecisionJSONHasRequest(t *testing.T) {
	engine, err := cinder.NewEngine(cinder.Options{})
	if err != nil {
		t.Fatal(err)
	}
	request := cinder.Request{Size: 100, Type: &cinder.VolumeType{Name: "gold", ExtraSpecs: cinder.ExtraSpecsOf(map[string]string{"total_volumes": "<= 800"})}}
	d, err := engine.Decide([]capability.Report{array("fa1", 20000, 1)}, request)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(d)
	read := placement.DecisionJSON{Request: &cinder.Request{}}
	if err := errors.Join(err, json.Unmarshal(data, &read)); err != nil {
		t.Fatal(err)
	}
	got, ok := read.Request.(*cinder.Request)
	if !ok || got.Size != 100 || *got.Type.ExtraSpecs[0].Value != "<= 800" || *read.Chosen != "ctl1@fa1#pure_performance" {
		t.Errorf("read %+v of %s", read, data)
	}
}

func TestInstanceLocality(t *testing.T) {
	const instance = "0f3a1c52-7d5e-4e0e-9f43-7d1f1c2b3a4d"
	for name, c := range map[string]struct {
		hint, host string
		fit        int
		fails      string
	}{
		"without the hint":     {"", "", 2, ""},
		"with the host alone":  {"", "h", 1, ""},
		"on the host":          {instance, "h", 1, ""},
		"on a cluster's name":  {"{" + instance + "}", "c", 1, ""},
		"on another host":      {"urn:uuid:" + instance, "H", 0, ""},
		"with another hint":    {"vm1", "h", 0, `"vm1" is not the UUID`},
		"without a host":       {instance, "", 0, "OS-EXT-SRV-ATTR:host"},
		"with a blank":         {instance + " ", "h", 0, "is not the UUID"},
		"without the hyphens":  {"0F3A1C527D5E4E0E9F437D1F1C2B3A4D", "h", 1, ""},
		"without the last one": {instance[:35], "h", 0, "is not the UUID"},
	} {
		clustered := report(t, "x@b", "", `{}`)
		clustered.Cluster = "c@b"
		r := &cinder.Request{Size: 1, LocalToInstance: c.hint, InstanceHost: c.host}
		d, err := decide(t, cinder.Options{Filters: []string{"InstanceLocalityFilter"}}, r, report(t, "h@a", "", `{}`), clustered)
		switch {
		case c.fails != "" && (err == nil || d != nil || !strings.Contains(err.Error(), c.fails)):
			t.Errorf("%s: %v, want %q", name, err, c.fails)
		case c.fails == "" && (d == nil || d.Fit != c.fit):
			t.Errorf("%s: %v, want %d that fit", name, err, c.fit)
		}
	}
}
